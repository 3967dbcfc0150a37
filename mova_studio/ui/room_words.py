"""What a download needs and what its disk has, before it is started; the network is not asked."""

from __future__ import annotations

from html import escape
from pathlib import Path

from mova_studio.jobs.checkpoints import Checkpoints
from mova_studio.network.hub import PUBLISHED
from mova_studio.network.hub_download import Room, download_folder, free_bytes
from mova_studio.ui.catalogue import say
from mova_studio.ui.model_cards import size_words


def room_html(language: str, checkpoints: Checkpoints, hub_id: str, to: str) -> str:
    """The line beside the Download button; "" while no folder can be told from what was typed."""
    folder = Path(to).expanduser() if to else download_folder(hub_id)
    if folder is None or not folder.is_absolute():
        return ""
    entries = checkpoints.entries()
    known = next((each for each in entries if each.hub_id == hub_id and str(each.to or "") == to), None)
    total = known.bytes_total if known and known.bytes_total else None
    if total is None and hub_id in PUBLISHED:
        total = PUBLISHED[hub_id].bytes
    free, where = size_words(free_bytes(folder)), str(folder)
    if total is None:
        words, kind = say(language, "models.room.unknown", free=free, folder=where), "m-hint"
    else:
        missing = max(0, total - (known.bytes_here if known else 0))
        room = Room(missing, free_bytes(folder), folder)
        key = "models.room.none" if not missing else "models.room" if room.enough else "models.room.short"
        values = {"needed": size_words(missing), "free": free} if missing else {}
        words, kind = say(language, key, folder=where, **values), "m-hint" if room.enough else "m-error"
    return f'<p class="{kind}">{escape(words)}</p>'
