"""Downloads of checkpoints, in a process of their own so that the page stays quick."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections import deque
from collections.abc import AsyncIterator

from mova_studio.errors import CheckpointError, InputError, StudioError
from mova_studio.settings import PROJECT

_HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
_STOP_SECONDS = 5.0
_SAID = 20


class Downloads:
    """At most one download at a time."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._stopped = False

    @property
    def running(self) -> bool:
        return self._process is not None

    async def fetch(self, hub_id: str) -> AsyncIterator[str]:
        """Download a checkpoint; yields what the download says of its progress.

        Raises:
            InputError: not a hub id, or a download is running.
            CheckpointError: the hub, the network or the disk said no; the message is the download's own.
        """
        if not _HUB_ID.fullmatch(hub_id):
            raise InputError(
                f"{hub_id[:80]!r} is not a hub id; write it as owner/name, for example OpenMOSS-Team/MOVA-360p.",
                field="download",
            )
        if self.running:
            raise InputError("A download is running already; stop it or let it finish.", field="download")
        command = (sys.executable, "-m", "mova_studio", "model", "download", "--json", "--", hub_id)
        pipe = asyncio.subprocess.PIPE
        self._stopped = False
        self._process = process = await asyncio.create_subprocess_exec(
            *command, cwd=PROJECT, stdout=pipe, stderr=pipe, env={**os.environ, "PYTHONUNBUFFERED": "1"}
        )
        said: deque[str] = deque(maxlen=_SAID)
        try:
            assert process.stderr is not None and process.stdout is not None
            answer = asyncio.create_task(process.stdout.read())
            async for line in process.stderr:
                text = line.decode("utf-8", "replace").strip()
                if text:
                    said.append(text)
                    yield text
            code = await process.wait()
            if code != 0 and not self._stopped:
                raise _fault(hub_id, await answer, said)
        finally:
            self._process = None
            if process.returncode is None:
                process.terminate()

    async def stop(self) -> bool:
        """Stop the running download; whether there was one."""
        process = self._process
        if process is None:
            return False
        self._stopped = True
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except asyncio.TimeoutError:
            process.kill()
        return True

    @property
    def stopped(self) -> bool:
        """Whether the latest download was stopped by a person."""
        return self._stopped


def _fault(hub_id: str, answer: bytes, said: deque[str]) -> StudioError:
    try:
        return CheckpointError(json.loads(answer)["error"]["message"], field="download")
    except (ValueError, KeyError, TypeError):
        last = said[-1] if said else "it said nothing"
        return CheckpointError(f"The download of {hub_id} failed: {last}", field="download")
