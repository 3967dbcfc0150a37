"""What follows from the fields of the Prompt lab: the diff, the check, the lengths, and what can be undone."""

from __future__ import annotations

import asyncio
from typing import Any

import gradio as gr

from mova_studio.prompting.check import advise, check
from mova_studio.ui.catalogue import say
from mova_studio.ui.desk import PageState
from mova_studio.ui.prompt_diff import diff_html
from mova_studio.ui.prompt_html import advice_html, report_html
from mova_studio.ui.prompt_lab import LabView
from mova_studio.ui.prompt_state import LabState, Sheet
from mova_studio.ui.token_meter import TokenMeter
from mova_studio.ui.wording import SETTLES

_LONGEST = 40_000


class LabJudge:
    """Looks anew whenever a field has changed, whoever changed it."""

    def __init__(self, view: LabView, meter: TokenMeter) -> None:
        self.view, self.meter = view, meter

    def wire(self, page: gr.State, lab: gr.State) -> None:
        """Connect the fields."""
        view = self.view
        gr.on(
            [field.change for field in view.fields],
            self.judge,
            [page, lab, *view.fields],
            view.judged,
            preprocess=False,
            **SETTLES,
        )

    async def judge(self, page: PageState, lab: LabState, *values: Any) -> dict[Any, Any]:
        """All of it, for what stands in the fields."""
        view, language, sheet = self.view, page.language, Sheet.of(*values)
        diff, report = await asyncio.to_thread(self._judgement, language, sheet)
        return {
            view.diff: diff,
            view.report: report,
            view.meter: await self.meter.html(language, sheet.original),
            view.rewritten_meter: await self.meter.html(language, sheet.rewritten) if sheet.rewritten.strip() else "",
            view.undo: gr.update(interactive=lab.can_undo(sheet)),
            view.redo: gr.update(interactive=lab.can_redo(sheet)),
        }

    def _judgement(self, language: str, sheet: Sheet) -> tuple[str, str]:
        original, rewritten, frame = sheet.original[:_LONGEST], sheet.rewritten[:_LONGEST], sheet.frame
        diff = diff_html(language, original, rewritten)
        if rewritten.strip() and original.strip() and rewritten != original:
            return diff, report_html(language, check(original, rewritten, frame, self.meter.count()))
        if original.strip():
            return diff, advice_html(language, advise(original, frame, self.meter.count()))
        return diff, f'<p class="m-hint">{say(language, "lab.check.empty")}</p>'
