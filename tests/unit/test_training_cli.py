"""`train run`: from encoded clips to what was trained, with progress, a stop and a return."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from training_examples import encoded_place

from mova_studio.cli import main
from mova_studio.media.probe import probe
from mova_studio.network.checkpoint import Checkpoint

PROJECT = Path(__file__).parents[2]
RATES = dict.fromkeys(("video_dit", "video_dit_2", "audio_dit", "dual_tower_bridge"), 1e-3)
RECIPE = {"format": 1, "mode": "adapter", "steps": 2, "learning_rates": RATES, "text_dropout": 0.5}
RECIPE |= {"adapter": {"rank": 2, "alpha": 2}}


# `python -m mova_studio`, which tells too whether it has parted from the other processes before it ends.
PARTED = """
from torch.distributed import is_initialized
from mova_studio.cli import main
raise SystemExit(main() or 9 * is_initialized())
"""


@pytest.fixture(autouse=True)
def signals_as_before():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with an untrained demo, and two clips that were encoded by it."""
    return encoded_place(tmp_path_factory.mktemp("train"))


def command(place: Path, out: Path, *more: str, **change) -> list[str]:
    path = out.with_suffix(".json")
    path.write_text(json.dumps(RECIPE | change), "utf-8")
    given = ["--checkpoint", str(place / "demo"), "--data", str(place / "cache"), "--out", str(out), "--json"]
    return ["train", "run", *given, *(more or ("--recipe", str(path)))]


def test_a_run_tells_its_steps_and_leaves_samples_and_curves(place, tmp_path, capsys):
    out = tmp_path / "run"
    assert main([*command(place, out, sample_every=2), "--events"]) == 0
    told = capsys.readouterr()
    answer, events = json.loads(told.out), [json.loads(line) for line in told.err.splitlines()]
    assert answer["done"]
    assert Path(answer["trained"]) == out.resolve() / "adapter.safetensors"
    assert load_file(answer["trained"])
    assert {"event": "step", "step": 2, "steps": 2, "seconds_left": 0}.items() <= events[-1].items()
    assert events[-1]["loss"] > events[-1]["video_loss"] > 0
    assert sorted(path.name for path in (out / "samples").iterdir()) == ["00000002-0.mp4", "00000002-1.mp4"]
    made = probe(out / "samples" / "00000002-0.mp4")
    assert (made.width, made.height, made.num_frames, made.audio_codec) == (32, 32, 5, "aac")
    board = EventAccumulator(str(out / "tensorboard"))
    board.Reload()
    assert [point.step for point in board.Scalars("video_loss")] == [1, 2]
    assert board.Tags()["images"] == ["sample 0", "sample 1"]
    assert board.Tags()["audio"] == ["sample 0", "sample 1"]


def test_sigterm_saves_and_the_run_goes_on(place, tmp_path, capsys):
    out = tmp_path / "run"
    asked = [*command(place, out, steps=100_000), "--events"]
    with subprocess.Popen(
        [sys.executable, "-m", "mova_studio", *asked], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr:
            if line.startswith("{") and json.loads(line)["step"] >= 1:
                process.send_signal(signal.SIGTERM)
                break
        answer, _ = process.communicate()
    stopped = json.loads(answer)
    assert process.returncode == 130
    assert not stopped["done"]
    assert load_file(stopped["trained"])
    more = str(stopped["step"] + 1)
    assert main(command(place, out, "--resume", "--steps", more)) == 0
    assert json.loads(capsys.readouterr().out)["step"] == int(more)


def test_two_processes_learn_what_one_learns(place, tmp_path, capsys):
    """FSDP: each process has its share of the weights, and of the clips of every step."""
    full = {"mode": "full", "adapter": None, "sample_every": 2}
    spread = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    program = tmp_path / "parted.py"
    program.write_text(PARTED, "utf-8")
    asked = command(place, tmp_path / "two", **full)
    made = subprocess.run(
        [*spread, str(program), *asked],
        cwd=PROJECT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["done"]
    assert main(command(place, tmp_path / "one", **full, batch_size=2)) == 0
    one, two = (
        [json.loads(line) for line in (tmp_path / name / "log.jsonl").read_text("utf-8").splitlines()]
        for name in ("one", "two")
    )
    assert len(two) == 2
    for left, right in zip(one, two, strict=True):
        for figure in ("loss", "video_loss", "audio_loss", "norm"):
            assert left[figure] == pytest.approx(right[figure], abs=1e-4)
    bridges = [Checkpoint(tmp_path / name / "checkpoint").load("dual_tower_bridge") for name in ("one", "two")]
    for left, right in zip(*(bridge.parameters() for bridge in bridges), strict=True):
        # AdamW's first steps are of one length: where a gradient is nearly nothing, rounding may turn one round.
        assert (left - right).abs().mean() < 1e-6
    assert len(list((tmp_path / "two" / "samples").iterdir())) == 2
    capsys.readouterr()
    assert main(command(place, tmp_path / "two", "--resume")) == 2
    assert "saved by 2 processes and there are 1 now" in json.loads(capsys.readouterr().out)["error"]["message"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--resume"], "recipe.json cannot be read"),
        (["--steps", "1"], "--recipe is missing; give a .json file or one of adapter"),
        (["--recipe", "adapter", "--steps", "0"], "steps is 0"),
        (["--recipe", "adapters"], "no recipe 'adapters'"),
    ],
)
def test_what_cannot_be_run(place, tmp_path, capsys, more, told):
    assert main(command(place, tmp_path / "run", *more)) == 2
    assert told in json.loads(capsys.readouterr().out)["error"]["message"]
