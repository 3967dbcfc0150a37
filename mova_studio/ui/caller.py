"""Who calls a server function of a component. Gradio gives those the bare request, without user and session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from mova_studio.ui.access import Access
from mova_studio.ui.catalogue import language_of


@dataclass(frozen=True)
class Caller:
    """Whoever sits at a page.

    Attributes:
        owner: may do everything.
        language: "en" or "zh", that of the page.
    """

    owner: bool
    language: str


async def caller_of(access: Access, page: gr.State | None, request: Any) -> Caller:
    """The caller behind a request.

    Args:
        page: the component that holds each session's `PageState`.
        request: a `gr.Request`, or the bare one of a server function.
    """
    if request is None:
        return Caller(access.is_owner(None), "en")
    if isinstance(request, gr.Request):
        user, session = request.username, request.session_hash
        bare = request.request
    else:
        user, session, bare = _user(request), await _session(request), request
    state = None
    if bare is not None and page is not None and session:
        sessions = bare.app.state_holder
        state = sessions[session][page._id] if session in sessions else None
    language = language_of(request.headers.get("accept-language")) if state is None else state.language
    return Caller(access.is_owner(gr.Request(username=user)), language)


def _user(request: Any) -> str | None:
    """The login behind a request, as Gradio finds it for its own endpoints."""
    app = request.app
    for kind in ("access-token", "access-token-unsecure"):
        token = request.cookies.get(f"{kind}-{app.cookie_id}")
        if token in app.tokens:
            return app.tokens[token]
    return None


async def _session(request: Any) -> str:
    try:
        body = await request.json()  # read before by Gradio, and kept with the request
    except (ValueError, RuntimeError):
        return ""
    return str(body.get("session_hash", "")) if isinstance(body, dict) else ""
