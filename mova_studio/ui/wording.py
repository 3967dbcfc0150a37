"""Components whose words follow the page's language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import gradio as gr

from mova_studio.ui.catalogue import say

_Component = TypeVar("_Component")
# Every listener of the page is for the page alone; programs call the functions of `api.py`.
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
# For what follows from fields: one that is changed during a look is looked at once more after it, in this order.
SETTLES: dict[str, Any] = {**QUIET, "trigger_mode": "always_last", "concurrency_limit": 1}


def html_box(value: str = "", **arguments: Any) -> gr.HTML:
    """HTML of our own, without Gradio's styles for prose."""
    return gr.HTML(value, apply_default_css=False, **arguments)


@dataclass(frozen=True)
class _Choices:
    options: dict[str, str]
    names: tuple[str, ...]


class Wording:
    """Makes components with their English words and remembers how to say them in the other languages."""

    def __init__(self) -> None:
        self._texts: list[tuple[Any, dict[str, str], _Choices]] = []

    def make(
        self,
        kind: Callable[..., _Component],
        texts: dict[str, str],
        options: dict[str, str] | None = None,
        names: Sequence[str] = (),
        **arguments: Any,
    ) -> _Component:
        """A component of `kind` whose words follow the language.

        Args:
            texts: properties, each with its key of the catalogue.
            options: values to choose from, each with its key.
            names: values to choose from after these, which are said alike in every language.
        """
        choices = _Choices(options or {}, tuple(names))
        component = kind(**_worded("en", texts, choices), **arguments)
        self._texts.append((component, texts, choices))
        return component

    @property
    def components(self) -> list[Any]:
        return [component for component, _texts, _choices in self._texts]

    def updates(self, language: str) -> dict[Any, Any]:
        """What changes when the page speaks `language`."""
        return {component: gr.update(**_worded(language, texts, choices)) for component, texts, choices in self._texts}


def _worded(language: str, texts: dict[str, str], choices: _Choices) -> dict[str, Any]:
    words: dict[str, Any] = {name: say(language, key) for name, key in texts.items()}
    if choices.options:
        worded = [(say(language, key), value) for value, key in choices.options.items()]
        words["choices"] = worded + [(name, name) for name in choices.names]
    return words
