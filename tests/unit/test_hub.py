"""Finding and fetching checkpoints, against a real HTTP server on the loopback that speaks the hub's protocol."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from urllib.parse import unquote, urlsplit

import pytest
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

HUB_ID = "someone/tiny-mova"
TOKEN = "hf_notARealTokenButSecret"
COMMIT = hashlib.sha1(b"first").hexdigest()
BIG = "video_dit/diffusion_pytorch_model-00001-of-00002.safetensors"
CLASSES = {
    "video_dit": ["somewhere", "WanModel"],
    "audio_vae": ["somewhere", "DAC"],
    "text_encoder": ["transformers", "UMT5EncoderModel"],
    "scheduler": ["somewhere", "FlowMatchPairScheduler"],
    "tokenizer": ["transformers", "T5TokenizerFast"],
}
UNWANTED = ("text_encoder/pytorch_model.bin", ".gitattributes", "assets/picture.png")


def tiny_checkpoint() -> dict[str, bytes]:
    """Files in the published layout with made-up weights: a sharded component, whole ones, equal configs."""
    noise = random.Random(7)
    shards = [f"diffusion_pytorch_model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    index = {"weight_map": {"a": shards[0], "b": shards[1]}}
    config = json.dumps({"dim": 48}).encode()
    return {
        "model_index.json": json.dumps({"_class_name": "MOVA", "boundary_ratio": 0.9} | CLASSES).encode(),
        "README.md": b"# tiny\n",
        "LICENSE": b"free\n",
        "video_dit/config.json": config,
        "audio_vae/config.json": config,
        BIG: noise.randbytes(900_000),
        f"video_dit/{shards[1]}": noise.randbytes(300_000),
        "video_dit/diffusion_pytorch_model.safetensors.index.json": json.dumps(index).encode(),
        "audio_vae/diffusion_pytorch_model.safetensors": noise.randbytes(200_000),
        "text_encoder/config.json": json.dumps({"d_model": 32}).encode(),
        "text_encoder/model.safetensors": noise.randbytes(100_000),
        "tokenizer/tokenizer.json": b"{}",
        "tokenizer/tokenizer_config.json": b'{"a": 1}',
        "tokenizer/spiece.model": noise.randbytes(5_000),
        "scheduler/scheduler_config.json": b'{"shift": 5.0}',
    }


@dataclass
class Request:
    method: str
    path: str
    start: int
    authorization: str | None
    on_store: bool
    sent: int = 0


@dataclass
class Hub:
    """What the server holds, how it misbehaves, and what it was asked.

    `cut` closes the connection after so many bytes of a file, until `heal`; `stall` does the same but leaves
    the connection open until `released`.
    """

    files: dict[str, bytes] = field(default_factory=tiny_checkpoint)
    commit: str = COMMIT
    status: int = 200
    error_headers: dict[str, str] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    stall: dict[str, int] = field(default_factory=dict)
    failures: list[int] = field(default_factory=list)
    ranges: bool = True
    page: bytes | None = None
    released: Event = field(default_factory=Event)
    requests: list[Request] = field(default_factory=list)
    store: str = ""
    endpoint: str = ""

    def heal(self) -> None:
        self.cut.clear()
        self.stall.clear()
        self.requests.clear()
        self.released.set()

    def fetched(self, path: str | None = None) -> list[Request]:
        """The requests for contents: for those of one file, or of all."""
        return [r for r in self.requests if r.on_store and r.method == "GET" and path in (None, r.path)]

    @property
    def wanted(self) -> dict[str, bytes]:
        return {path: content for path, content in self.files.items() if path not in UNWANTED}


def content_name(path: str, content: bytes) -> str:
    if path.endswith(".safetensors"):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    hub: Hub
    on_store = False

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        start = int((re.match(r"bytes=(\d+)-", self.headers.get("Range", "")) or [0, 0])[1])
        request = Request(self.command, path, start, self.headers.get("Authorization"), self.on_store)
        self.hub.requests.append(request)
        if self.on_store:
            request.path = path.removeprefix("/")
            self.send_content(request)
        elif self.hub.status != 200:
            self.send(self.hub.status, b'{"error": "no"}', self.hub.error_headers)
        elif path.startswith("/api/models/"):
            self.send_listing(path.removeprefix("/api/models/"))
        elif "/resolve/" not in path:
            self.send(404, b"")
        else:
            file = path.split("/resolve/", 1)[1].split("/", 1)[1]
            content = self.hub.files[file]
            name = content_name(file, content)
            self.send(
                302,
                b"",
                {
                    "Location": f"{self.hub.store}/{file}",
                    "X-Repo-Commit": self.hub.commit,
                    "X-Linked-Etag": f'"{name}"',
                    "X-Linked-Size": str(len(content)),
                    "ETag": f'"{name}"',
                },
            )

    def send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_listing(self, rest: str) -> None:
        if self.hub.page is not None:
            self.send(200, self.hub.page, {"Content-Type": "text/html"})
            return
        files = self.hub.files.items()
        if "/tree/" in rest:
            tree = [
                {"type": "file", "path": path, "size": len(content), "oid": content_name(path, content)}
                | ({"lfs": self.lfs(path, content)} if path.endswith(".safetensors") else {})
                for path, content in files
            ]
            self.send(200, json.dumps(tree).encode(), {"Content-Type": "application/json"})
            return
        siblings = [
            {"rfilename": path, "size": len(content), "blobId": content_name(path + ".txt", content)}
            | ({"lfs": self.lfs(path, content)} if path.endswith(".safetensors") else {})
            for path, content in files
        ]
        answer = {"id": HUB_ID, "modelId": HUB_ID, "sha": self.hub.commit, "siblings": siblings}
        self.send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    @staticmethod
    def lfs(path: str, content: bytes) -> dict[str, object]:
        name = content_name(path, content)
        return {"size": len(content), "sha256": name, "oid": name, "pointerSize": 134}

    def send_content(self, request: Request) -> None:
        if self.hub.failures:
            self.send(self.hub.failures.pop(), b"busy")
            return
        content = self.hub.files[request.path]
        start = request.start if self.hub.ranges else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("ETag", f'"{content_name(request.path, content)}"')
        self.send_header("X-Repo-Commit", self.hub.commit)
        self.end_headers()
        if self.command == "HEAD":
            return
        stop = min(self.hub.cut.get(request.path, len(content)), self.hub.stall.get(request.path, len(content)))
        with contextlib.suppress(OSError):
            for at in range(start, stop, 50_000):
                piece = content[at : min(at + 50_000, stop)]
                self.wfile.write(piece)
                request.sent += len(piece)
            self.wfile.flush()
            if request.path in self.hub.stall:
                self.hub.released.wait(60)
        self.close_connection = True


class StoreHandler(Handler):
    """Contents come from another origin than the hub, as they do in earnest."""

    on_store = True


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    state = Hub()
    state.files |= dict.fromkeys(UNWANTED, b"unwanted")
    servers = []
    for handler in (Handler, StoreHandler):
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (handler,), {"hub": state}))
        server.daemon_threads = True
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
    state.endpoint, state.store = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    use_endpoint(monkeypatch, state.endpoint)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("MOVA_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(hub_fetch, "RETRY_DELAYS", ())
    yield state
    state.released.set()
    for server in servers:
        server.shutdown()
        server.server_close()


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


def test_cancel_is_quick_even_on_a_stalled_connection_and_can_be_resumed(hub: Hub, tmp_path: Path) -> None:
    hub.stall[BIG] = 300_000
    seen: list[DownloadProgress] = []
    asked: list[float] = []

    def cancelled() -> bool:
        if any(progress.bytes_done > 300_000 for progress in seen):
            asked.append(time.monotonic())
        return bool(asked)

    with pytest.raises(Cancelled):
        download(HUB_ID, tmp_path / "here", seen.append, cancelled)
    assert time.monotonic() - asked[0] < 1.0
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
