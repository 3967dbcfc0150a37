"""The frame of the Timeline's editor, with the words that its script says."""

from __future__ import annotations

import json
from html import escape

from mova_studio.library.restore import MAX_FILE
from mova_studio.ui.catalogue import say
from mova_studio.ui.catalogue_timeline import TIMELINE_TEXTS


def skeleton(language: str) -> str:
    """An empty editor with its words and the bytes of the largest file that the page takes; `timeline.js` fills it."""
    words = {key.removeprefix("timeline."): say(language, key) for key in TIMELINE_TEXTS}
    data = escape(json.dumps(words, ensure_ascii=False), quote=True)
    return (
        f'<div class="t-root" data-language="{escape(language)}" data-upload-limit="{MAX_FILE}" '
        f'data-words="{data}"></div>'
    )


def sent(language: str, name: str) -> str:
    """That a take was put on a timeline, with a way there; `studio.js` opens the view that a button names."""
    link = escape(say(language, "timeline.show"))
    return (
        f'<p class="m-note" role="status">{escape(say(language, "timeline.sent", name=name))} · '
        f'<button type="button" class="m-link" data-view="timeline">{link}</button></p>'
    )
