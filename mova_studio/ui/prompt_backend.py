"""Who rewrites: the choice in the lab, what it needs to know, and where its key comes from. The key is never shown."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import urlsplit

import gradio as gr

from mova_studio.errors import InputError, StudioError
from mova_studio.jobs.enhancing import COMPOSER, LOCAL, SERVER
from mova_studio.prompting.server_presets import ServerPreset, server_presets
from mova_studio.ui.access import Access
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import PageState
from mova_studio.ui.prompt_key import ENVIRONMENT, KEYRING, KeyField, key_source, server_of
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import Wording, html_box

MINE = "mine"
_LONGEST = 400


@dataclass(frozen=True)
class Choice:
    """What is chosen, by the names of `Wanted`."""

    backend: str = COMPOSER
    server_url: str | None = None
    server_model: str = ""


class BackendChoice:
    """The fields. A guest has the composer and does not see them."""

    def draw(self, words: Wording) -> None:
        """Draw them."""
        with gr.Column(visible=False, elem_classes="m-field", elem_id="lab-backend") as self.box:
            self.kind = words.make(
                gr.Dropdown,
                {"label": "backend.label"},
                choices=backend_choices("en"),
                value=COMPOSER,
                filterable=False,
                elem_id="backend",
                elem_classes="m-choice",
            )
            with gr.Row(visible=False, elem_classes="m-row") as self.server:
                self.url = words.make(
                    gr.Textbox,
                    {"label": "backend.url.label", "placeholder": "backend.url.hint"},
                    max_lines=1,
                    max_length=_LONGEST,
                    elem_id="backend-url",
                    min_width=120,
                )
                self.model = words.make(
                    gr.Textbox,
                    {"label": "backend.model.label", "placeholder": "backend.model.hint"},
                    max_lines=1,
                    max_length=_LONGEST,
                    elem_id="backend-model",
                    min_width=100,
                )
            self.local = words.make(
                gr.Textbox,
                {"label": "backend.id.label"},
                visible=False,
                placeholder="Qwen/Qwen3-VL-4B-Instruct",
                max_lines=1,
                max_length=_LONGEST,
                elem_id="backend-id",
            )
        self.about = html_box(about_html("en", COMPOSER, ""), elem_id="backend-about", elem_classes="m-place")
        self.key = KeyField()
        self.key.draw(words)

    @property
    def inputs(self) -> list[Any]:
        """What `read_choice` takes, in its order."""
        return [self.kind, self.url, self.model, self.local]

    @property
    def shown(self) -> list[Any]:
        """What changes with the choice and with the language."""
        return [self.box, self.kind, self.server, self.local, self.about, *self.key.shown]

    @property
    def changed(self) -> list[Any]:
        """The events after which another server may be meant."""
        return [self.kind.input, self.url.blur, self.url.submit]

    def wire(self, page: gr.State, access: Access) -> None:
        """Connect the key's buttons."""
        self.key.wire(page, access, [self.kind, self.url], self.told, self.about)

    async def choose(self, page: PageState, kind: Any, url: Any) -> dict[Any, Any]:
        """The fields that the choice needs, and what is to be known of it."""
        kind = str(kind or COMPOSER) if page.owner else COMPOSER
        about = await asyncio.to_thread(about_html, page.language, kind, str(url or ""))
        return await self.key.updates(page, kind, str(url or "")) | {
            self.box: gr.update(visible=page.owner),
            self.kind: gr.update(choices=backend_choices(page.language)),
            self.server: gr.update(visible=kind.startswith(SERVER)),
            self.local: gr.update(visible=kind == LOCAL),
            self.about: about,
        }

    async def told(self, page: PageState, kind: Any, url: Any) -> str:
        """What is to be known of what is chosen."""
        kind = str(kind or COMPOSER) if page.owner else COMPOSER
        return await asyncio.to_thread(about_html, page.language, kind, str(url or ""))


def backend_choices(language: str) -> list[tuple[str, str]]:
    """The list, in the page's language."""
    servers = [
        (say(language, "backend.server", title=preset.title), f"{SERVER}:{name}")
        for name, preset in server_presets().items()
    ]
    return [
        (say(language, "backend.composer"), COMPOSER),
        *servers,
        (say(language, "backend.mine"), f"{SERVER}:{MINE}"),
        (say(language, "backend.local"), LOCAL),
    ]


def read_choice(language: str, kind: Any, url: Any, model: Any, local: Any) -> Choice:
    """What stands in the fields.

    Raises:
        InputError: a local model is chosen and none is named.
    """
    kind = str(kind or COMPOSER)
    if kind == LOCAL:
        name = str(local or "").strip()
        if not name:
            raise InputError(say(language, "backend.id.missing"), field="backend")
        return Choice(f"{LOCAL}:{name}")
    if kind.startswith(SERVER):
        return Choice(kind, str(url or "").strip() or None, str(model or "").strip())
    return Choice(kind)


def about_html(language: str, kind: str, url: str) -> str:
    """What a person should know of a backend before they press the button. Slow where a keyring is asked."""
    if kind == LOCAL:
        return _hints(say(language, "backend.here"), say(language, "backend.id.about"))
    if not kind.startswith(SERVER):
        return _hints(say(language, "backend.here"), say(language, "backend.composer.limits"))
    try:
        server = server_of(kind, url)
        return "" if server is None else _hints(_sent(language, server), _key_words(language, server))
    except StudioError as error:
        return f'<p class="m-error" role="alert">{escape(translate(language, error.message))}</p>'


def _sent(language: str, server: ServerPreset) -> str:
    if server.local:
        return say(language, "backend.here")
    return say(language, "backend.sent", host=urlsplit(server.url).hostname or "")


def _key_words(language: str, server: ServerPreset) -> str:
    variable, source = server.key_variable, key_source(server)
    if variable is None:
        return say(language, "backend.key.none")
    if source == ENVIRONMENT:
        return say(language, "backend.key.environment", variable=variable)
    if source == KEYRING:
        return say(language, "backend.key.keyring")
    needed = "backend.key.missing" if server.key_needed else "backend.key.optional"
    return say(language, needed, variable=variable)


def _hints(*sentences: str) -> str:
    return "".join(f'<p class="m-hint">{escape(sentence)}</p>' for sentence in sentences)
