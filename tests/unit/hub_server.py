"""A hub for tests: a real HTTP server on the loopback that speaks the hub's protocol and can misbehave."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import unquote, urlsplit

HUB_ID = "someone/tiny-mova"
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


@contextlib.contextmanager
def serve(state: Hub) -> Iterator[Hub]:
    """Serve `state` until the block ends."""
    servers = []
    for handler in (Handler, StoreHandler):
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (handler,), {"hub": state}))
        server.daemon_threads = True
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
    state.endpoint, state.store = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    yield state
    state.released.set()
    for server in servers:
        server.shutdown()
        server.server_close()
