"""What the owner changes in the Gallery, and the sentence that says it was done."""

from __future__ import annotations

from mova_studio.errors import InputError
from mova_studio.ui.catalogue import say
from mova_studio.ui.gallery_data import GalleryData
from mova_studio.ui.gallery_html import said

CHANGES = frozenset({"star", "tags", "trash", "restore", "forget", "look", "empty"})


class GalleryActs:
    """Changes to takes by the names that the page's buttons have."""

    def __init__(self, data: GalleryData) -> None:
        self.data, self.store = data, data.store

    def do(self, language: str, act: str, take_id: str, value: str) -> str:
        """Do one of `CHANGES`; returns what to say of it as HTML, "" where the page shows it by itself.

        Raises:
            InputError: there is no such take, or the value is none.
            OutputError: the library cannot be written.
        """
        if act == "star":
            self.store.set_stars(take_id, read_stars(value))
            return ""
        if act == "tags":
            self.store.set_tags(take_id, value.replace("，", ",").split(","))
            tags = ", ".join(self.store.get(take_id).tags) or say(language, "info.none")
            return said(language, "m-note", say(language, "gallery.tagged", tags=tags))
        if act == "empty":
            self.data.empty_trash()
            return said(language, "m-note", say(language, "gallery.emptied"))
        if act == "look":
            rebuilt = self.store.rebuild()
            words = say(language, "gallery.looked", found=rebuilt.found_again, added=rebuilt.added)
            if self.store.get(take_id).missing:
                words += say(language, "gallery.looked.still")
            return said(language, "m-note", words)
        kept = self.store.get(take_id)
        key = {"trash": "gallery.trashed", "restore": "gallery.restored", "forget": "gallery.forgotten"}[act]
        if act == "trash":
            self.data.trash(take_id)
        elif act == "restore":
            self.store.restore([take_id])
        else:
            self.store.forget(take_id)
        words = say(language, key, seed=kept.take.seed)
        return said(language, "m-note", words, undo=take_id if act == "trash" else "")


def read_stars(value: object) -> int:
    """Stars as a number.

    Raises:
        InputError: it is none of 0 to 5.
    """
    text = str(value).strip()
    if text not in {"0", "1", "2", "3", "4", "5"}:
        raise InputError(f"{text[:20]!r} stars cannot be given; give 0 to 5.", field="stars")
    return int(text)
