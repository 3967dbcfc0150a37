"""Folders that are missing or read-only and disks that run full give a sentence and leave nothing half-written."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mova_studio.errors import OutputError
from mova_studio.media.mp4 import write_mp4

PICTURE = np.random.default_rng(0).integers(0, 256, (12, 96, 160, 3), dtype=np.uint8)
SOUND = (0.1 * np.random.default_rng(1).standard_normal((1, 24000))).astype(np.float32)

# Writes the same take in a process of its own whose files may not grow beyond a limit.
LIMITED = """
import pathlib, resource, signal, sys
import numpy as np
from mova_studio.errors import OutputError
from mova_studio.media.mp4 import write_mp4
folder, limit = pathlib.Path(sys.argv[1]), int(sys.argv[2])
picture = np.random.default_rng(0).integers(0, 256, (12, 96, 160, 3), dtype=np.uint8)
sound = (0.1 * np.random.default_rng(1).standard_normal((1, 24000))).astype(np.float32)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    write_mp4(folder / "take.mp4", picture, frame_rate=24.0, audio=sound)
except OutputError as error:
    print("refused:", error.message)
else:
    print("written")
"""


def write(path: Path) -> None:
    write_mp4(path, PICTURE, frame_rate=24.0, audio=SOUND)


@pytest.fixture(scope="module")
def size(tmp_path_factory: pytest.TempPathFactory) -> int:
    path = tmp_path_factory.mktemp("size") / "take.mp4"
    write(path)
    return path.stat().st_size


def test_a_missing_folder_is_named_before_any_work(tmp_path: Path):
    asked = []
    with pytest.raises(OutputError, match="does not exist") as refusal:
        write_mp4(
            tmp_path / "missing" / "take.mp4",
            PICTURE,
            frame_rate=24.0,
            audio=SOUND,
            cancelled=lambda: bool(asked.append(None)),
        )
    assert str(tmp_path / "missing" / "take.mp4") in refusal.value.message
    assert asked == []


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path: Path):
    (tmp_path / "take.mp4").mkdir()
    with pytest.raises(OutputError, match="folder"):
        write(tmp_path / "take.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["take.mp4"]


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="a file, not a folder"):
        write(tmp_path / "file" / "take.mp4")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write into read-only folders")
def test_a_folder_without_permission_is_named(tmp_path: Path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="may not write there"):
            write(tmp_path / "take.mp4")
    finally:
        tmp_path.chmod(0o700)


def mount(folder: Path, *options: str) -> None:
    command = ["mount", *options, "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")


def test_a_read_only_disk_is_named(tmp_path: Path):
    mount(tmp_path, "-t", "tmpfs", "-o", "ro")
    try:
        with pytest.raises(OutputError, match="read-only"):
            write(tmp_path / "take.mp4")
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_full_disk_is_named_and_the_old_take_stays(tmp_path: Path, size: int, share: float):
    old = b"the old take"
    mount(tmp_path, "-t", "tmpfs", "-o", f"size={int(size * share) // 4096 * 4096 + 4096}")
    try:
        (tmp_path / "take.mp4").write_bytes(old)
        with pytest.raises(OutputError, match="disk is full"):
            write(tmp_path / "take.mp4")
        assert (tmp_path / "take.mp4").read_bytes() == old
        assert [path.name for path in tmp_path.iterdir()] == ["take.mp4"]
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file size limits per process")
@pytest.mark.parametrize(
    ("share", "outcome"), [(0.01, "refused"), (0.5, "refused"), (0.999, "refused"), (2.0, "written")]
)
def test_a_file_that_may_not_grow_is_refused_however_late(tmp_path: Path, size: int, share: float, outcome: str):
    # Works without the right to mount; the last share is only reached when the muxer closes the file.
    arguments = [sys.executable, "-c", LIMITED, str(tmp_path), str(int(size * share))]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.startswith(outcome), done.stdout + done.stderr
    assert [path.name for path in tmp_path.iterdir()] == (["take.mp4"] if outcome == "written" else [])
