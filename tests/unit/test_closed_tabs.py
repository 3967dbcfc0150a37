"""A log that holds only what is worth reading."""

from __future__ import annotations

import asyncio
import logging

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse
from starlette.routing import Route

from mova_studio.ui.closed_tabs import ClosedTabs


@pytest.mark.parametrize(
    ("error", "told"), [(HTTPException(404), False), (HTTPException(500), True), (KeyError(), True)]
)
def test_only_a_stream_without_its_page_is_silent(error: Exception, told: bool, caplog) -> None:
    async def stream():
        yield b"begun"
        raise error

    async def answer(_request):
        return StreamingResponse(stream())

    async def ask(app) -> None:
        async def receive():
            await asyncio.sleep(5)

        async def send(_message):
            return

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "headers": [],
            "query_string": b"",
            "http_version": "1.1",
        }
        await app(scope, receive, send)

    log = logging.getLogger("a server")
    log.addFilter(ClosedTabs())
    try:
        asyncio.run(ask(Starlette(routes=[Route("/", answer)])))
    except Exception:  # as the server does
        log.exception("Exception in ASGI application")
    assert bool(caplog.records) is told
