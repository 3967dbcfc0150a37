"""What the demo checkpoint is good at, as presets with a first frame each; they lie beside its weights."""

from __future__ import annotations

from dataclasses import dataclass

from mova_studio.library.preset_file import PresetFile, read_preset
from mova_studio.settings import trained_demo

FOLDER = "examples"
FIRST = "face"  # speech is what the model is for, and of all kinds the demo makes this one best


@dataclass(frozen=True)
class DemoExample:
    """One of them.

    Attributes:
        preset: of kind "shot".
        first_frame: a PNG file's bytes.
    """

    preset: PresetFile
    first_frame: bytes

    def said(self, language: str) -> str:
        """The prompt in "en" or "zh"."""
        assert self.preset.prompt is not None, "a preset of kind shot has one"
        return self.preset.prompt.said(language)


def demo_examples() -> dict[str, DemoExample]:
    """By their files' names without .json, the one to begin with first; none where only the untrained demo is here.

    Raises:
        InputError: a file cannot be used.
    """
    demo = trained_demo()
    found = {}
    files = (demo / FOLDER).glob("*.json") if demo else ()
    for path in sorted(files, key=lambda path: (path.stem != FIRST, path.stem)):
        picture = path.with_suffix(".png")
        if picture.is_file():
            found[path.stem] = DemoExample(read_preset(path), picture.read_bytes())
    return found
