"""A server's key, from the page into the system's keyring. It is never shown, kept on the page, or sent back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import gradio as gr

from mova_studio.errors import InputError, StudioError
from mova_studio.jobs.enhancing import SERVER
from mova_studio.prompting.keys import MAX_CHARACTERS, find_key, keep_key
from mova_studio.prompting.server_presets import ServerPreset, find_server, server_presets
from mova_studio.ui.access import Access
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import PageState
from mova_studio.ui.prompt_html import said_html
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import QUIET, Wording, html_box

ENVIRONMENT, KEYRING, ABSENT = "environment", "keyring", "absent"


class KeyField:
    """Drawn under the choice of a server. Only the owner sees it, and only the owner's calls are taken."""

    def draw(self, words: Wording) -> None:
        """Draw it, hidden."""
        with gr.Row(visible=False, elem_classes="m-row m-keyrow") as self.row:
            self.key = words.make(
                gr.Textbox,
                {"label": "key.label", "placeholder": "key.hint"},
                type="password",
                max_lines=1,
                max_length=MAX_CHARACTERS,
                elem_id="backend-key",
                min_width=120,
                html_attributes=gr.InputHTMLAttributes(autocomplete="new-password", spellcheck=False),
            )
            self.keep = words.make(
                gr.Button, {"value": "key.keep"}, size="sm", scale=0, min_width=60, elem_id="key-keep"
            )
        self.forget = words.make(
            gr.Button,
            {"value": "key.forget"},
            visible=False,
            size="sm",
            scale=0,
            min_width=0,
            elem_id="key-forget",
            elem_classes="m-linkbutton",
        )
        self.said = html_box(visible=False, elem_id="key-said", elem_classes="m-place")

    @property
    def shown(self) -> list[Any]:
        """What changes with the server and with the key."""
        return [self.row, self.key, self.forget, self.said]

    def wire(self, page: gr.State, access: Access, server: list[Any], about: Callable[..., Any], told: gr.HTML) -> None:
        """Connect the buttons.

        Args:
            server: the fields of its name and address.
            about: says in `told`, for those fields, whether a key is known.
        """
        kept, forgotten = access.owner_only(self.kept), access.owner_only(self.forgotten)
        arguments: dict[str, Any] = {"preprocess": False, **QUIET}
        keeping = gr.on([self.keep.click, self.key.submit], kept, [page, *server, self.key], self.shown, **arguments)
        forgetting = self.forget.click(forgotten, [page, *server], self.shown, **arguments)
        for changed in (keeping, forgetting):
            changed.then(about, [page, *server], told, **arguments)

    async def kept(self, page: PageState, kind: Any, url: Any, key: Any, request: gr.Request) -> dict[Any, Any]:
        """Hand what was typed to the keyring."""
        typed, language = str(key or "").strip(), page.language
        if not typed:
            return self._told(said_html(say(language, "key.empty"), "m-error"))
        return await self._changed(page, kind, url, typed, "key.kept")

    async def forgotten(self, page: PageState, kind: Any, url: Any, request: gr.Request) -> dict[Any, Any]:
        """Take the server's key out of the keyring."""
        return await self._changed(page, kind, url, "", "key.forgotten")

    async def _changed(self, page: PageState, kind: Any, url: Any, key: str, said: str) -> dict[Any, Any]:
        language, where = page.language, (str(kind or ""), str(url or ""))
        try:
            server = await asyncio.to_thread(server_of, *where)
            if server is None or server.key_variable is None:
                raise InputError(say(language, "key.none"), field="key")
            await asyncio.to_thread(keep_key, server.keyring_name, key)
        except StudioError as error:
            return self._told(said_html(translate(language, error.message), "m-error"))
        told = self._told(said_html(say(language, said, server=server.title)))
        return await self.updates(page, *where) | told

    async def updates(self, page: PageState, kind: str, url: str) -> dict[Any, Any]:
        """The parts that a server's key calls for."""
        source = await asyncio.to_thread(_source, kind, url) if page.owner else ""
        return {
            self.row: gr.update(visible=source in (ABSENT, KEYRING)),
            self.forget: gr.update(visible=source == KEYRING),
        }

    def _told(self, said: str) -> dict[Any, Any]:
        return {self.key: gr.update(value=""), self.said: gr.update(value=said, visible=True)}


def server_of(kind: str, url: str) -> ServerPreset | None:
    """The server that is chosen; None where none is, or its address is not known yet.

    Raises:
        InputError: the address is none, or not one of this server.
    """
    name, address = kind.partition(":")[2], url.strip() or None
    if not kind.startswith(SERVER) or (name not in server_presets() and address is None):
        return None
    return find_server(name, address)


def key_source(server: ServerPreset) -> str:
    """Where a server's key comes from; "" where it takes none. Asks the keyring: slow.

    Raises:
        InputError: the key holds what no key can.
    """
    if server.key_variable is None:
        return ""
    if find_key("", server.key_variable) is not None:
        return ENVIRONMENT
    return KEYRING if find_key(server.keyring_name, None) is not None else ABSENT


def _source(kind: str, url: str) -> str:
    try:
        server = server_of(kind, url)
        return "" if server is None else key_source(server)
    except StudioError:
        return ""
