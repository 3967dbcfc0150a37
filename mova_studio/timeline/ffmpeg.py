"""Running ffmpeg: without a shell, with progress, stopped at once when asked, its last words kept."""

from __future__ import annotations

import errno
import os
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import IO

import imageio_ffmpeg

from mova_studio.atomic import output_error
from mova_studio.errors import Cancelled, OutputError, StudioError

# Self-contained containers only, as in media/probe.py; the picture files are our own titles.
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,flv,image2,png_pipe"
_ASKED_SECONDS = 0.05
_FIRST_LINES, _KEPT_LINES = 3, 30
_FULL = {"No space left on device": errno.ENOSPC, "Disk quota exceeded": errno.EDQUOT}


@lru_cache(maxsize=1)
def executable() -> str:
    """The ffmpeg that comes with imageio-ffmpeg."""
    return imageio_ffmpeg.get_ffmpeg_exe()


def file_input(path: Path, *options: str) -> list[str]:
    """Arguments that read one local file, whatever its name looks like, and nothing that it may refer to."""
    return [*options, "-protocol_whitelist", "file", "-format_whitelist", _FORMATS, "-i", f"file:{path.absolute()}"]


def run(
    arguments: Sequence[str],
    *,
    out: Path,
    folder: Path,
    feeds: Sequence[Sequence[str]] = (),
    on_frame: Callable[[int], None] = lambda frame: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Run ffmpeg to its end.

    Args:
        arguments: without the program's name.
        out: the file that the person asked for, named in errors.
        folder: where it runs; names in filters are relative to it.
        feeds: further runs whose standard output, one after another, is the standard input of this one.
        on_frame: called with the number of frames written so far, several times a second.
        cancelled: asked several times a second.

    Raises:
        Cancelled: `cancelled()` said so; ffmpeg has ended.
        OutputError: ffmpeg ended with an error or by a signal, or the disk is full.
    """
    main = _Run(["-progress", "pipe:1", "-stats_period", "0.2", *arguments], folder, fed=bool(feeds))
    feed: _Run | None = None
    waiting = deque(feeds)
    told = 0
    try:
        while main.ended_within(_ASKED_SECONDS) is None:
            if cancelled():
                raise Cancelled()
            if main.frame != told:
                told = main.frame
                on_frame(told)
            if not feeds or (feed is not None and feed.ended_within(0) is None):
                continue
            if feed is not None and feed.process.returncode != 0:
                # One that was fed to a program that died says only that nobody listens; that program says why.
                if main.ended_within(1.0) in (None, 0):
                    raise feed.error(out)
                break
            feed = None
            if waiting:
                feed = _Run(waiting.popleft(), folder, into=main.process.stdin)
            elif main.process.stdin is not None and not main.process.stdin.closed:
                main.process.stdin.close()
        if main.process.returncode != 0:
            raise main.error(out)
        if waiting:
            raise OutputError(f"{out} could not be written: ffmpeg ended too early; try again.", field="out")
        on_frame(main.frame)
    finally:
        for each in (feed, main):
            if each is not None:
                each.kill()


def output_of(arguments: Sequence[str], *, folder: Path, cancelled: Callable[[], bool] = lambda: False) -> bytes:
    """What a short run writes to standard output.

    Raises:
        Cancelled: `cancelled()` said so.
        OutputError: ffmpeg ended with an error or by a signal.
    """
    with tempfile.TemporaryFile() as answer:
        each = _Run(arguments, folder, into=answer)
        try:
            while each.ended_within(_ASKED_SECONDS) is None:
                if cancelled():
                    raise Cancelled()
        finally:
            each.kill()
        if each.process.returncode != 0:
            raise each.error(folder)
        answer.seek(0)
        return answer.read()


class _Run:
    """One ffmpeg. Its standard output is its progress, unless it goes `into` a file or pipe."""

    def __init__(self, arguments: Sequence[str], folder: Path, *, fed: bool = False, into: IO[bytes] | None = None):
        self.frame = 0
        self._begun: list[str] = []  # the cause is among the first words, a full disk may be among the last
        self._said: deque[str] = deque(maxlen=_KEPT_LINES)
        self.process = subprocess.Popen(
            [executable(), "-hide_banner", "-nostdin", "-y", "-loglevel", "error", *arguments],
            cwd=folder,
            stdin=subprocess.PIPE if fed else subprocess.DEVNULL,
            stdout=subprocess.PIPE if into is None else into,
            stderr=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"},
        )
        self._readers = [threading.Thread(target=self._listen, daemon=True)]
        if into is None:
            self._readers.append(threading.Thread(target=self._follow, daemon=True))
        for reader in self._readers:
            reader.start()

    def ended_within(self, seconds: float) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join(1.0)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def error(self, out: Path) -> StudioError:
        self._readers[0].join(1.0)
        said = [*self._begun, *self._said]
        for words, number in _FULL.items():
            if any(words in line for line in said):
                return output_error(out, OSError(number, os.strerror(number)))
        code = self.process.returncode
        if code is not None and code < 0:
            why = f"ffmpeg was ended by signal {-code}; if memory is short, close other programs, and try again"
        else:
            why = f"ffmpeg ended with code {code} ({' / '.join(self._begun) or 'no word'})"
        return OutputError(f"{out} could not be written: {why}.", field="out")

    def _listen(self) -> None:
        assert self.process.stderr is not None
        with suppress(ValueError):
            for line in self.process.stderr:
                kept = self._begun if len(self._begun) < _FIRST_LINES else self._said
                kept.append(line.decode("utf-8", "replace").strip()[:300])

    def _follow(self) -> None:
        assert self.process.stdout is not None
        with suppress(ValueError):
            for line in self.process.stdout:
                name, _, value = line.decode("ascii", "replace").strip().partition("=")
                if name == "frame" and value.isdigit():
                    self.frame = int(value)
