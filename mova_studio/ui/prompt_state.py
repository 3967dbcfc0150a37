"""What one page's Prompt lab remembers; nothing of it is shared with another page or kept on disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mova_studio.jobs.beside import Beside
from mova_studio.library.origin import PromptOrigin
from mova_studio.prompting.first_frame import MadePicture
from mova_studio.prompting.model import FrameDescription
from mova_studio.prompting.workflow import Enhanced

MAX_HISTORY = 20
MAX_UNDO = 50


@dataclass(frozen=True)
class Sheet:
    """What stands in the fields of the lab, in their order."""

    original: str = ""
    style: str = ""
    camera: str = ""
    elements: str = ""
    text: str = ""
    rewritten: str = ""

    @classmethod
    def of(cls, *values: object) -> Sheet:
        """Of the fields' values as the page sent them."""
        return cls(*(str(value or "") for value in values))

    @property
    def frame(self) -> FrameDescription | None:
        """The description that stands in the fields; None where there is none."""
        described = FrameDescription(self.style.strip(), self.camera.strip(), self.elements.strip(), self.text.strip())
        return None if described.empty else described


@dataclass(frozen=True)
class Swap:
    """A person's words and their rewrite: the one that stands in Create's prompt, and the one behind the button.

    Attributes:
        behind: the text that the button brings.
        origin: what a take with the rewrite is to record.
        rewritten_shown: the rewrite stands in the prompt, and the button undoes it.
    """

    behind: str
    origin: PromptOrigin
    rewritten_shown: bool


@dataclass
class LabState:
    """Lives in its session and is changed in place, on the event loop only.

    Attributes:
        running: the rewriting or the picture under way, from Create or from the lab.
        stopped: the person wants what is under way to end.
        latest: what came of the last rewriting, until the page has taken it.
        swap: for the button over Create's prompt; None where nothing was rewritten there.
        past, future: sheets that Undo and Redo bring.
        history: rewrites of this session, oldest first.
        made: the picture that was made last.
        template: that was chosen last.
        batch: rewrites of a batch by (prompt, backend), so that one that was stopped goes on.
    """

    running: Beside[Any] | None = None
    stopped: bool = False
    latest: Enhanced | None = None
    swap: Swap | None = None
    past: list[Sheet] = field(default_factory=list)
    future: list[Sheet] = field(default_factory=list)
    history: list[Enhanced] = field(default_factory=list)
    made: MadePicture | None = None
    template: str = ""
    batch: dict[tuple[str, str], Enhanced] = field(default_factory=dict)

    def keep(self, sheet: Sheet) -> None:
        """Remember a sheet that is about to be replaced."""
        if not self.past or self.past[-1] != sheet:
            self.past = [*self.past, sheet][-MAX_UNDO:]
        self.future = []

    def undo(self, shown: Sheet) -> Sheet | None:
        """The sheet before the one that is shown; None where there is none."""
        while self.past:
            sheet = self.past.pop()
            if sheet != shown:
                self.future.append(shown)
                return sheet
        return None

    def redo(self, shown: Sheet) -> Sheet | None:
        """The sheet that was undone last; None where there is none."""
        while self.future:
            sheet = self.future.pop()
            if sheet != shown:
                self.past.append(shown)
                return sheet
        return None

    def can_undo(self, shown: Sheet) -> bool:
        """Whether `undo` would bring another sheet than the one that is shown."""
        return any(sheet != shown for sheet in self.past)

    def can_redo(self, shown: Sheet) -> bool:
        """Whether `redo` would."""
        return any(sheet != shown for sheet in self.future)

    def note(self, enhanced: Enhanced) -> None:
        """Add a rewrite to the history."""
        self.history = [*(kept for kept in self.history if kept != enhanced), enhanced][-MAX_HISTORY:]

    def stop(self) -> None:
        """End what is under way."""
        self.stopped = True
        if self.running is not None:
            self.running.cancel()
