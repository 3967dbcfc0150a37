"""A server for tests: real HTTP on the loopback that speaks OpenAI's protocol and can misbehave."""

from __future__ import annotations

import base64
import contextlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from PIL import Image


@dataclass
class Reply:
    """One answer.

    Attributes:
        text: streamed in pieces of `piece` letters.
        status, headers, body: of an answer that is no stream; `body` is sent as it is, with `kind`.
        end: finish_reason of the last piece; None never ends.
        cut: letters after which the connection is closed.
        stall: letters after which nothing more comes until the server is `released`.
        thoughts: sent before the text as reasoning_content, as some servers do.
        damaged: a line that is no JSON follows the first piece.
    """

    text: str = ""
    piece: int = 7
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    kind: str = "application/json"
    end: str | None = "stop"
    cut: int | None = None
    stall: int | None = None
    thoughts: str = ""
    damaged: bool = False


def picture_reply(width: int = 1360, height: int = 752, kind: str = "PNG", **changes: Any) -> Reply:
    """An answer with a picture: a horizon, so that a crop can be told from a stretch."""
    image = Image.new("RGB", (width, height), (70, 110, 160))
    image.paste((60, 90, 60), (0, height // 2, width, height))
    packed = io.BytesIO()
    image.save(packed, kind)
    data = base64.b64encode(packed.getvalue()).decode("ascii")
    return Reply(body=json.dumps({"created": 0, "data": [{"b64_json": data}]}).encode(), **changes)


@dataclass
class ChatServer:
    """What the server answers and what it was asked.

    Attributes:
        replies: one a question; the last is given again for every further one.
        pictures: the same for questions that want a picture.
        served: names of its models.
        gone: set when a client closed its connection while an answer stood still.
    """

    replies: list[Reply] = field(default_factory=lambda: [Reply("Fine.")])
    pictures: list[Reply] = field(default_factory=lambda: [picture_reply()])
    served: tuple[str, ...] = ("tiny",)
    questions: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    asked: Event = field(default_factory=Event)
    released: Event = field(default_factory=Event)
    gone: Event = field(default_factory=Event)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    server_state: ChatServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.server_state.headers.append(dict(self.headers))
        models = [{"id": name, "object": "model", "created": 0, "owned_by": "me"} for name in self.server_state.served]
        self.whole(200, json.dumps({"object": "list", "data": models}).encode(), "application/json", {})

    def do_POST(self) -> None:
        state = self.server_state
        state.headers.append(dict(self.headers))
        state.questions.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        replies = state.pictures if self.path.endswith("/images/generations") else state.replies
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if reply.stall is not None and reply.body is not None:
            self.close_connection = True
            self.stands_still(reply, reply.stall)
        elif reply.status != 200 or reply.body is not None:
            state.asked.set()
            body = reply.body if reply.body is not None else b'{"error": {"message": "no"}}'
            self.whole(reply.status, body, reply.kind, reply.headers)
        else:
            with contextlib.suppress(OSError):
                self.stream(reply)

    def whole(self, status: int, body: bytes, kind: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": kind, "Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def stream(self, reply: Reply) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Connection", "close")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if reply.thoughts:
            self.event({"reasoning_content": reply.thoughts})
        sent = 0
        for start in range(0, len(reply.text), reply.piece):
            if self.stands_still(reply, sent):
                return
            self.event({"content": reply.text[start : start + reply.piece]})
            sent = start + reply.piece
            if reply.damaged:
                self.chunk(b"data: {not json\n\n")
            if reply.cut is not None and sent >= reply.cut:
                return
        if self.stands_still(reply, sent) or (reply.cut is not None and sent >= reply.cut):
            return
        if reply.end is not None:
            self.event({}, reply.end)
            self.chunk(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def stands_still(self, reply: Reply, sent: int) -> bool:
        if reply.stall is None or sent < reply.stall:
            return False
        state = self.server_state
        state.asked.set()
        self.connection.settimeout(0.02)
        while not state.released.is_set():
            with contextlib.suppress(TimeoutError):
                if self.connection.recv(1) == b"":
                    state.gone.set()
                    return True
        return True

    def event(self, delta: dict[str, Any], end: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": end}
        event = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "tiny", "choices": [choice]}
        self.chunk(b"data: " + json.dumps(event).encode() + b"\n\n")

    def chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n" % len(data) + data + b"\r\n")
        self.wfile.flush()


@contextlib.contextmanager
def serve(state: ChatServer) -> Iterator[ChatServer]:
    """Serve `state` until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"server_state": state}))
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    yield state
    state.released.set()
    server.shutdown()
    server.server_close()
