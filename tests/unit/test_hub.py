"""Finding and fetching checkpoints, against a real HTTP server on the loopback that speaks the hub's protocol."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from hub_server import BIG, HUB_ID, UNWANTED, Handler, Hub, Request, serve, tiny_checkpoint
from huggingface_hub import constants, snapshot_download

from mova_studio.errors import Cancelled, CheckpointError, InputError, OutputError, StudioError
from mova_studio.network import hub_download, hub_fetch
from mova_studio.network.hub import (
    PUBLISHED,
    DownloadProgress,
    download,
    missing_files,
    resolve,
    size_in_words,
)
from mova_studio.network.hub_download import WANTED

TOKEN = "hf_notARealTokenButSecret"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    state = Hub()
    state.files |= dict.fromkeys(UNWANTED, b"unwanted")
    with serve(state):
        use_endpoint(monkeypatch, state.endpoint)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setenv("MOVA_MODELS", str(tmp_path / "models"))
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setattr(hub_fetch, "RETRY_DELAYS", ())
        yield state


def use_endpoint(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", endpoint + "/{repo_id}/resolve/{revision}/{filename}")


def never() -> bool:
    return False


def get(to: Path | None = None, seen: list[DownloadProgress] | None = None) -> Path:
    return download(HUB_ID, to, (seen if seen is not None else []).append, never)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".download" not in path.relative_to(folder).parts
    }


def refused(kind: type[StudioError], said: str, to: Path | None = None) -> StudioError:
    """The error of a download that must fail, after checks that hold for every one of them."""
    with pytest.raises(kind, match=said) as caught:
        get(to)
    assert TOKEN not in caught.value.message
    assert "\n" not in caught.value.message
    return caught.value


# Whole downloads


@pytest.mark.parametrize("into", ["cache", "folder"])
def test_a_download_equals_the_source(hub: Hub, tmp_path: Path, into: str) -> None:
    seen: list[DownloadProgress] = []
    folder = get(tmp_path / "new" / "place" if into == "folder" else None, seen)
    assert contents(folder) == hub.wanted
    assert missing_files(folder) == []
    total = sum(len(content) for content in set(hub.wanted.values()))
    assert (seen[-1].bytes_done, seen[-1].bytes_total) == (total, total)
    assert sum(request.sent for request in hub.fetched()) == total, "equal files are fetched once"
    leftovers = [path for path in (tmp_path / "new", tmp_path / "cache") for path in path.rglob("*.part")]
    assert leftovers == []


def test_progress_in_words() -> None:
    assert (
        str(DownloadProgress(12_300_000_000, 77_672_250_730, 85e6, "video_dit/a.safetensors"))
        == "12.30 of 77.67 GB (15 %), 85.0 MB/s, 13 min left, video_dit/a.safetensors"
    )
    assert str(DownloadProgress(0, 77_672_250_730, 0.0, "")) == "0.00 of 77.67 GB (0 %)"
    assert str(DownloadProgress(0, 0, 0.0, "")) == "0.00 of 0.00 GB (100 %)"


def test_the_token_goes_to_the_hub_and_nowhere_else(hub: Hub) -> None:
    get()
    assert {request.authorization for request in hub.requests if not request.on_store} == {f"Bearer {TOKEN}"}
    assert {request.authorization for request in hub.fetched()} == {None}


def test_the_cache_is_the_hubs_own(hub: Hub) -> None:
    folder = get()
    assert snapshot_download(HUB_ID, local_files_only=True, cache_dir=constants.HF_HUB_CACHE) == str(folder)
    hub.requests.clear()
    again = snapshot_download(HUB_ID, allow_patterns=list(WANTED), cache_dir=constants.HF_HUB_CACHE)
    assert again == str(folder)
    assert hub.fetched() == [], "other programs find every file and fetch nothing"
    assert resolve(HUB_ID) == folder


def test_what_another_program_left_in_the_cache_is_used(hub: Hub) -> None:
    snapshot_download(HUB_ID, allow_patterns=["*.safetensors"], cache_dir=constants.HF_HUB_CACHE)
    hub.requests.clear()
    assert contents(get()) == hub.wanted
    assert not any(request.path.endswith(".safetensors") for request in hub.fetched())


@pytest.mark.parametrize("hard_links", [True, False])
def test_a_cache_on_a_disk_without_symbolic_links(hub: Hub, monkeypatch: pytest.MonkeyPatch, hard_links: bool) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_SYMLINKS", True)
    if not hard_links:

        def no_links(*_: object) -> None:
            raise OSError("not supported")

        monkeypatch.setattr(Path, "hardlink_to", no_links)
    folder = get()
    assert contents(folder) == hub.wanted
    assert not any(path.is_symlink() for path in folder.rglob("*"))
    assert resolve(HUB_ID) == folder


def test_a_second_download_fetches_nothing(hub: Hub, tmp_path: Path) -> None:
    for to in (None, tmp_path / "here"):
        first = get(to)
        hub.requests.clear()
        assert get(to) == first
        assert hub.fetched() == []


def test_a_folder_follows_the_hub_to_a_new_commit(hub: Hub, tmp_path: Path) -> None:
    get(tmp_path / "here")
    whole = "video_dit/diffusion_pytorch_model.safetensors"
    hub.files = {path: content for path, content in hub.files.items() if not path.startswith("video_dit/")}
    hub.files |= {"video_dit/config.json": b'{"dim": 64}', whole: b"x" * 1000}
    hub.commit = hashlib.sha1(b"second").hexdigest()
    assert contents(get(tmp_path / "here")) == hub.wanted


def test_the_address_may_come_from_the_environment(hub: Hub, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from mova_studio.network.hub import download\n"
        "print(download(sys.argv[1], Path(sys.argv[2]), lambda progress: None, lambda: False))"
    )
    environment = os.environ | {"HF_ENDPOINT": hub.endpoint, "HF_HUB_OFFLINE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", program, HUB_ID, str(tmp_path / "here")],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout.strip()) == (0, str(tmp_path / "here")), done.stderr
    assert contents(tmp_path / "here") == hub.wanted


# Interruptions


@pytest.mark.parametrize("into", ["cache", "folder"])
def test_a_cut_download_is_resumed_with_a_range(hub: Hub, tmp_path: Path, into: str) -> None:
    to = tmp_path / "here" if into == "folder" else None
    hub.cut[BIG] = 400_000
    refused(CheckpointError, "cannot be reached.*the same command goes on", to)
    assert [request.sent for request in hub.fetched(BIG)] == [400_000]

    hub.heal()
    seen: list[DownloadProgress] = []
    assert contents(get(to, seen)) == hub.wanted
    (request,) = hub.fetched(BIG)
    assert (request.start, request.sent) == (400_000, 500_000)
    assert all(400_000 <= progress.bytes_done <= progress.bytes_total for progress in seen)


def test_a_cut_is_mended_within_one_download(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_fetch, "RETRY_DELAYS", (0.0,))
    hub.cut[BIG] = 250_000
    original = Handler.send_content

    def heal_at_the_second(handler: Handler, request: Request) -> None:
        if request.path == BIG and request.start:
            hub.cut.clear()
        original(handler, request)

    monkeypatch.setattr(Handler, "send_content", heal_at_the_second)
    assert contents(get()) == hub.wanted
    assert [(request.start, request.sent) for request in hub.fetched(BIG)] == [(0, 250_000), (250_000, 650_000)]


def test_a_busy_server_is_asked_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_fetch, "RETRY_DELAYS", (0.0, 0.0, 0.0))
    hub.failures = [503, 429, 500]
    assert contents(get()) == hub.wanted


def test_a_server_that_cannot_resume_sends_all_again(hub: Hub) -> None:
    hub.cut[BIG] = 400_000
    refused(CheckpointError, "cannot be reached")
    hub.heal()
    hub.ranges = False
    seen: list[DownloadProgress] = []
    assert contents(get(None, seen)) == hub.wanted
    assert seen[-1].bytes_done == seen[-1].bytes_total


def test_a_partial_file_of_another_version_is_not_used(hub: Hub) -> None:
    hub.cut[BIG] = 400_000
    refused(CheckpointError, "cannot be reached")
    hub.heal()
    hub.files[BIG] = random.Random(8).randbytes(900_000)
    hub.commit = hashlib.sha1(b"second").hexdigest()
    folder = get()
    assert contents(folder) == hub.wanted
    assert hub.fetched(BIG)[0].start == 0
    assert list((Path(constants.HF_HUB_CACHE)).rglob("*.part")) == []


def test_cancel_waits_for_no_stalled_connection_and_can_be_resumed(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_fetch, "TIMEOUT", 60.0)
    hub.stall[BIG] = 300_000
    seen: list[DownloadProgress] = []
    asked: list[float] = []

    def cancelled() -> bool:
        if any(progress.bytes_done > 300_000 for progress in seen):
            asked.append(time.monotonic())
        return bool(asked)

    with pytest.raises(Cancelled):
        download(HUB_ID, tmp_path / "here", seen.append, cancelled)
    assert time.monotonic() - asked[0] < 20
    assert seen[-1].file

    hub.heal()
    assert contents(get(tmp_path / "here")) == hub.wanted
    assert [(request.start, request.sent) for request in hub.fetched(BIG)] == [(300_000, 600_000)]


def test_two_downloads_into_one_place(hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hub.stall[BIG] = 300_000
    seen: list[DownloadProgress] = []
    stop, started = Event(), Event()

    def watch(progress: DownloadProgress) -> None:
        seen.append(progress)
        if progress.bytes_done > 300_000:
            started.set()

    def first() -> None:
        with contextlib.suppress(Cancelled):
            download(HUB_ID, tmp_path / "here", watch, stop.is_set)

    thread = Thread(target=first)
    thread.start()
    assert started.wait(30)
    monkeypatch.setattr(hub_download, "LOCK_SECONDS", 0.1)
    try:
        with pytest.raises(OutputError, match=r"Another download of someone/tiny-mova into .*here is running"):
            get(tmp_path / "here")
    finally:
        stop.set()
        thread.join()


# The disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 4 MiB, where this account may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    arguments = ["-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if mount is None or subprocess.run([mount, *arguments], capture_output=True).returncode:
        pytest.skip("a small file system needs the right to mount one")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def refused_for_room(hub: Hub, folder: Path) -> None:
    error = refused(OutputError, r"needs 1\.1 GB of free disk \(0\.0 GB to fetch and 1\.1 GB to spare\)", folder)
    assert str(folder) in error.message
    assert "has 0.0 GB" in error.message
    assert hub.fetched() == []


def test_a_disk_that_is_too_small_is_refused_before_fetching(hub: Hub, small_disk: Path) -> None:
    refused_for_room(hub, small_disk / "model")


def test_too_little_room_by_the_systems_word(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=2_000_000))
    refused_for_room(hub, tmp_path / "model")


def test_a_disk_that_fills_up_on_the_way(hub: Hub, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_download, "RESERVE", 0)
    filler = small_disk / "filler"
    original = Handler.send_content

    def fill_first(handler: Handler, request: Request) -> None:
        with contextlib.suppress(OSError), filler.open("ab", buffering=0) as stream:
            while True:
                stream.write(bytes(4096))
        original(handler, request)

    with monkeypatch.context() as patched:
        patched.setattr(Handler, "send_content", fill_first)
        refused(OutputError, "the disk is full", small_disk / "model")
    filler.unlink()
    assert contents(get(small_disk / "model")) == hub.wanted


def test_a_folder_that_holds_something_else_is_left_alone(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    refused(OutputError, "is not empty, and nothing in it came from a download of someone/tiny-mova", tmp_path)
    assert (tmp_path / "README.md").read_text() == "mine"

    get(tmp_path / "here")
    manifest = tmp_path / "here" / ".download" / "manifest.json"
    manifest.write_text(manifest.read_text().replace(HUB_ID, "someone/else"))
    refused(OutputError, "holds someone/else, not someone/tiny-mova", tmp_path / "here")
    manifest.write_text("{")
    refused(OutputError, r"manifest\.json is damaged", tmp_path / "here")


def test_a_target_that_is_a_file(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused(OutputError, "Cannot write", tmp_path / "file")
    refused(OutputError, "Cannot write", tmp_path / "file" / "below")


# The hub says no


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (404, {"X-Error-Code": "RepoNotFound"}, "shows no checkpoint someone/tiny-mova.*spelling.*hf auth login"),
        (401, {}, "shows no checkpoint someone/tiny-mova.*hf auth login"),
        (401, {"X-Error-Message": "Invalid credentials in Authorization header"}, "saved token was refused"),
        (403, {"X-Error-Code": "GatedRepo"}, "asks for its terms to be accepted"),
        (403, {}, "status 403. This account may not read someone/tiny-mova"),
        (404, {}, "status 404. It has no someone/tiny-mova.*Check the spelling"),
        (429, {}, "status 429. Wait a few minutes"),
        (503, {}, "status 503. Wait a few minutes"),
    ],
)
def test_what_the_hub_refuses(hub: Hub, status: int, headers: dict[str, str], said: str) -> None:
    hub.status, hub.error_headers = status, headers
    refused(CheckpointError, said)
    assert hub.requests[0].authorization == f"Bearer {TOKEN}"


def test_a_server_that_is_down(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    use_endpoint(monkeypatch, f"http://user:{TOKEN}@127.0.0.1:{port}")
    refused(CheckpointError, r"127\.0\.0\.1 cannot be reached \(ConnectError\).*Check the internet connection")


def test_offline_mode(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    refused(CheckpointError, "HF_HUB_OFFLINE is set")


@pytest.mark.parametrize("page", [b"<html>Log in</html>", b"[]", b"{}", b'{"id": "a/b", "siblings": [{}]}'])
def test_a_login_page_instead_of_the_hub(hub: Hub, page: bytes) -> None:
    hub.page = page
    refused(CheckpointError, "was not the hub's: a proxy or a login page")


@pytest.mark.parametrize("path", ["../outside.json", "/etc/outside.json", "a/../../b.json", "a\\..\\b.json"])
def test_a_file_list_that_leaves_the_folder(hub: Hub, tmp_path: Path, path: str) -> None:
    hub.files[path] = b"{}"
    refused(CheckpointError, "does not stay inside its folder", tmp_path / "here")
    assert not (tmp_path / "here").exists()


def test_pickled_weights_alone(hub: Hub) -> None:
    hub.files = {"config.json": b"{}", "pytest_model.bin": b"0"}
    refused(CheckpointError, "no weights in safetensors, and pickled ones are never fetched")


def test_a_file_that_grew_on_the_hub(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Handler.send_content

    def longer(handler: Handler, request: Request) -> None:
        hub.files[BIG] += b"more"
        original(handler, request)

    monkeypatch.setattr(Handler, "send_content", longer)
    refused(CheckpointError, "longer on the hub than the 900,000 bytes")


@pytest.mark.parametrize("name", ["", "one", "a/b/c", "https://somewhere/a", "a b/c", "../x"])
def test_not_a_hub_id(hub: Hub, name: str) -> None:
    with pytest.raises(InputError, match="is not a hub id; write it as owner/name"):
        download(name, None, lambda progress: None, never)
    assert hub.requests == []


# Finding what is there


def test_resolve_takes_a_folder_as_it_is(tmp_path: Path) -> None:
    assert resolve(str(tmp_path)) == tmp_path


@pytest.mark.parametrize("model", ["", "nowhere", "/no/such/folder", "./no/such", "a/b/c", "~nobody-here/x y"])
def test_resolve_of_something_that_is_neither(hub: Hub, model: str) -> None:
    with pytest.raises(CheckpointError, match=r"neither a folder on this machine nor a hub id.*owner/name"):
        resolve(model)


@pytest.mark.parametrize("hub_id", [*PUBLISHED, "someone/else"])
def test_resolve_of_what_is_not_here_gives_size_and_command(hub: Hub, hub_id: str) -> None:
    size = "about 78 GB" if hub_id in PUBLISHED else "of unknown size"
    with pytest.raises(CheckpointError) as caught:
        resolve(hub_id)
    assert f"{hub_id} is not on this machine; it is {size}" in caught.value.message
    assert f"python -m mova_studio model download {hub_id}" in caught.value.message
    assert hub.requests == [], "the network is never touched"


def test_resolve_finds_the_studios_own_folder(hub: Hub, tmp_path: Path) -> None:
    folder = get(tmp_path / "models" / "someone" / "tiny-mova")
    hub.requests.clear()
    assert resolve(HUB_ID) == folder
    assert hub.requests == []


def test_resolve_refuses_an_interrupted_download(hub: Hub) -> None:
    hub.cut[BIG] = 400_000
    refused(CheckpointError, "cannot be reached")
    with pytest.raises(CheckpointError, match="To fetch it: python -m mova_studio model download someone/tiny-mova"):
        resolve(HUB_ID)


def test_resolve_refuses_another_programs_partial_snapshot(hub: Hub) -> None:
    snapshot_download(HUB_ID, ignore_patterns=["audio_vae/*"], cache_dir=constants.HF_HUB_CACHE)
    with pytest.raises(CheckpointError, match=r"only partly on this machine: 2 files are missing, first audio_vae/"):
        resolve(HUB_ID)


@pytest.mark.parametrize("gone", [path for path in tiny_checkpoint() if not path.endswith(("md", "LICENSE", ".model"))])
def test_every_file_counts(tmp_path: Path, gone: str) -> None:
    for path, content in tiny_checkpoint().items():
        if path != gone and not (gone == "tokenizer/tokenizer.json" and path.endswith(".model")):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(content)
    missing = missing_files(tmp_path)
    if gone.endswith("index.json") and gone != "model_index.json":
        assert missing == ["video_dit/diffusion_pytorch_model.safetensors"]
    else:
        assert missing == [gone]


def test_a_damaged_index_of_shards_counts_as_missing(tmp_path: Path) -> None:
    for path, content in tiny_checkpoint().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"[]" if path.endswith("safetensors.index.json") else content)
    assert missing_files(tmp_path) == ["video_dit/diffusion_pytorch_model.safetensors.index.json"]


# The published sizes, counted again from the shapes


def linear(out: int, into: int) -> int:
    return out * into + out


def tower_parameters(dim: int, ffn: int, layers: int, channels_in: int, head_out: int) -> int:
    """MODEL.md section 2: embeddings, blocks, head. `channels_in` and `head_out` count the patch in."""
    text, freq = 4096, 256
    embeddings = linear(dim, channels_in) + linear(dim, text) + 2 * linear(dim, dim) + linear(dim, freq)
    attention = 4 * linear(dim, dim) + 2 * dim
    block = 2 * attention + 2 * dim + linear(ffn, dim) + linear(dim, ffn) + 6 * dim
    return embeddings + linear(6 * dim, dim) + layers * block + linear(head_out, dim) + 2 * dim


def conditioner_parameters(query: int, source: int) -> int:
    return 2 * linear(query, query) + 2 * linear(query, source) + 2 * query + 2 * source


def conv(out: int, into: int, kernel: int, *, transposed: bool = False) -> int:
    """With weight norm: the direction, a length for each index of axis 0, and the bias."""
    return out * into * kernel + (into if transposed else out) + out


def audio_vae_parameters(rates: tuple[int, ...], encoder: int, decoder: int, latent: int) -> int:
    def units(width: int) -> int:
        return 3 * (2 * width + conv(width, width, 7) + conv(width, width, 1))

    total = conv(encoder, 1, 7)
    width = encoder
    for rate in rates:
        total += units(width) + width + conv(2 * width, width, 2 * rate)
        width *= 2
    total += width + conv(latent, width, 3)
    total += linear(2 * latent, latent) + linear(latent, latent)
    total += conv(decoder, latent, 7)
    width = decoder
    for rate in reversed(rates):
        total += width + conv(width // 2, width, 2 * rate, transposed=True) + units(width // 2)
        width //= 2
    return total + width + conv(1, width, 7)


def module_parameters(build: Callable[[], object]) -> int:
    import torch

    with torch.device("meta"):
        module = build()
    return sum(parameter.numel() for parameter in module.parameters())  # type: ignore[attr-defined]


def test_the_published_sizes_are_those_of_the_shapes() -> None:
    from diffusers import AutoencoderKLWan
    from transformers import UMT5Config, UMT5EncoderModel

    text = UMT5Config(
        vocab_size=256384,
        d_model=4096,
        d_ff=10240,
        d_kv=64,
        num_heads=64,
        num_layers=24,
        feed_forward_proj="gated-gelu",
    )
    parts = [
        2 * tower_parameters(5120, 13824, 40, 36 * 4, 16 * 4),
        tower_parameters(1536, 8960, 30, 128, 128),
        30 * (conditioner_parameters(5120, 1536) + conditioner_parameters(1536, 5120)),
        audio_vae_parameters((2, 3, 4, 5, 8), encoder=128, decoder=2048, latent=128),
        module_parameters(AutoencoderKLWan),
        module_parameters(lambda: UMT5EncoderModel(text)),
    ]
    assert set(PUBLISHED) == {"OpenMOSS-Team/MOVA-360p", "OpenMOSS-Team/MOVA-720p"}
    for hub_id, published in PUBLISHED.items():
        assert published.hub_id == hub_id
        assert published.parameters == sum(parts)
        assert published.bytes == 2 * sum(parts)
        assert size_in_words(hub_id) == "about 78 GB"
