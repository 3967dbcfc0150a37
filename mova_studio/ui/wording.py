"""Components whose words follow the page's language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import gradio as gr

from mova_studio.ui.catalogue import say

_Component = TypeVar("_Component")
# Every listener of the page is for the page alone; programs call the functions of `api.py`.
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def html_box(value: str = "", **arguments: Any) -> gr.HTML:
    """HTML of our own, without Gradio's styles for prose."""
    return gr.HTML(value, apply_default_css=False, **arguments)


class Wording:
    """Makes components with their English words and remembers how to say them in the other languages."""

    def __init__(self) -> None:
        self._texts: list[tuple[Any, dict[str, str]]] = []

    def make(self, kind: Callable[..., _Component], texts: dict[str, str], **arguments: Any) -> _Component:
        """A component of `kind` whose properties in `texts` (property to catalogue key) follow the language."""
        component = kind(**{name: say("en", key) for name, key in texts.items()}, **arguments)
        self._texts.append((component, texts))
        return component

    @property
    def components(self) -> list[Any]:
        return [component for component, _texts in self._texts]

    def updates(self, language: str) -> dict[Any, Any]:
        """What changes when the page speaks `language`."""
        changes: list[tuple[Any, dict[str, Any]]] = [
            (component, {name: say(language, key) for name, key in texts.items()}) for component, texts in self._texts
        ]
        return {component: gr.update(**values) for component, values in changes}
