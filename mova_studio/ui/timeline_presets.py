"""The export presets as the page lists them, with what this machine's ffmpeg can encode."""

from __future__ import annotations

import threading
from typing import Any

from mova_studio.errors import InputError
from mova_studio.timeline.encoders import chosen
from mova_studio.timeline.export_preset import ExportPreset, export_presets
from mova_studio.ui.catalogue import say

FIRST = ("web", "vertical", "square")


class PresetList:
    """Lists the presets at once; what cannot be encoded here is found out in a thread, and known a little later."""

    def __init__(self) -> None:
        shipped = export_presets()
        order = [*(name for name in FIRST if name in shipped), *(name for name in shipped if name not in FIRST)]
        self._presets = {name: shipped[name] for name in order}
        self._used: dict[str, str] = {}
        self._thread: threading.Thread | None = None

    def listing(self, language: str) -> list[dict[str, Any]]:
        """id, name, about, available, why (not, or with which encoder instead), suffix and size of each."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._try, name="encoders tried", daemon=True)
            self._thread.start()
        return [self._entry(language, name, preset) for name, preset in self._presets.items()]

    def _entry(self, language: str, name: str, preset: ExportPreset) -> dict[str, Any]:
        wanted = preset.video.encoder if preset.video else ""
        used = self._used.get(wanted, wanted)
        why = ""
        if wanted and not used:
            why = say(language, "timeline.preset.none", encoder=wanted)
        elif used != wanted:
            why = say(language, "timeline.preset.instead", encoder=wanted, used=used)
        words = (preset.name.zh, preset.about.zh) if language == "zh" else (preset.name.en, preset.about.en)
        return {
            "id": name,
            "name": words[0],
            "about": words[1],
            "available": bool(used) or not wanted,
            "why": why,
            "suffix": preset.suffix or ".zip",
            "size": list(preset.video.size) if preset.video and preset.video.size else None,
            "picture": preset.video is not None,
        }

    def _try(self) -> None:
        for name in dict.fromkeys(preset.video.encoder for preset in self._presets.values() if preset.video):
            try:
                self._used[name] = chosen(name)
            except InputError:
                self._used[name] = ""
