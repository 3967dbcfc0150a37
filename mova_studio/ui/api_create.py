"""More functions for programs, see `api.py`: presets, and settings out of a file. Guests may call both."""

# Without postponed annotations: Gradio reads the parts of a return type from the type itself.
import asyncio
import base64

import gradio as gr

from mova_studio.errors import StudioError
from mova_studio.jobs.studio import Studio
from mova_studio.library.own_presets import OwnPresets
from mova_studio.library.preset_file import shipped_presets
from mova_studio.library.presets import preset_for
from mova_studio.library.restore import restore_from
from mova_studio.ui.reading import uploaded
from mova_studio.ui.words import short_model


class CreateApi:
    """The named endpoints of what stands over the form."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def register(self) -> None:
        """Add the endpoints to the Blocks under construction."""
        gr.api(self.presets, api_name="presets")
        gr.api(self.restore, api_name="restore")

    async def presets(self) -> list[dict]:
        """Every preset: those of the program, and those of this library, unusable ones included.

        Returns:
            A list of key, own (of this library), kind ("shot" or "render"), name, prompt (of a shot, else null),
            settings by the argument names of `generate`, and fault (why it cannot be used, else "").
        """
        return await asyncio.to_thread(self._presets)

    def _presets(self) -> list[dict]:
        shipped = [{"key": f"shipped/{key}", "own": False, "fault": ""} | preset.model_dump(exclude={"format"})
                   for key, preset in shipped_presets().items()]  # fmt: skip
        for own in OwnPresets(self.studio.root).presets():
            told: dict = {"kind": None, "name": None, "prompt": None, "settings": {}}
            if own.preset is not None:
                told = own.preset.model_dump(exclude={"format"})
            shipped.append({"key": own.key, "own": True, "fault": own.fault} | told)
        return shipped

    async def restore(self, file: gr.FileData) -> dict:
        """The settings in a take (mp4), a still of a take (PNG) or JSON: the program's own, or {"prompt": ...}.

        Args:
            file: an uploaded file of at most 64 MiB.

        Returns:
            settings by the argument names of `generate`, moved to what the checkpoint in use can make; seed, or null;
            model as the file names it; frames as base64 PNG, null for one that there was not; notes.
        """
        try:
            path = uploaded(dict(file), "file", "en")
            if path is None:
                raise gr.Error("There is no file.", print_exception=False)
            restored = await asyncio.to_thread(restore_from, path)
        except StudioError as error:
            raise gr.Error(error.message, print_exception=False) from error
        asked = dict(restored.settings)
        if restored.prompts:
            asked["prompt"] = restored.prompts["en"]
        if restored.adapters is not None:
            asked["adapters"] = [use.to_dict() for use in restored.adapters]
        settings, notes = preset_for(self.studio.model).fit(asked)
        frames = {name: png and base64.b64encode(png).decode() for name, png in restored.frames.items()}
        return {
            "settings": settings,
            "seed": restored.seed,
            "model": short_model(restored.model),
            "frames": frames,
            "notes": [*restored.notes, *notes],
        }
