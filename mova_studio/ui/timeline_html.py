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
