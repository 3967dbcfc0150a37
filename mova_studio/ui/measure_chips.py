"""What was measured of a take, as chips that explain themselves and as rows of a list."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from mova_studio.library.take import Take
from mova_studio.media.measures import TakeMeasures
from mova_studio.ui.catalogue import say


def measure_chips(language: str, take: Take) -> Iterator[str]:
    """Offset of sound to picture, loudness, each flaw: what could not be measured is left out."""
    measures = take.measures
    if measures is not None and measures.offset_ms is not None:
        yield _chip(say(language, "measure.sync", offset=_offset(measures)), say(language, "measure.sync.tip"))
    if take.integrated_lufs is None:
        yield _chip(say(language, "take.silent"), say(language, "measure.lufs.tip"))
    else:
        yield _chip(
            say(language, "measure.lufs", lufs=f"{take.integrated_lufs:.1f}"), say(language, "measure.lufs.tip")
        )
    if measures is not None:
        for name in measures.flaws:
            yield _chip(say(language, f"measure.flaw.{name}"), say(language, f"measure.flaw.{name}.tip"), "m-bad")


def measure_rows(language: str, take: Take) -> list[tuple[str, str]]:
    """Every measure of a take in words, each with what it says and does not say; none if it was not measured."""
    measures = take.measures
    if measures is None:
        return []
    rows = []
    for key, value in (("sync", measures.offset_ms), ("align", measures.av_align)):
        words = say(language, f"info.unclear.{key}")
        if value is not None:
            words = (
                say(language, "measure.sync", offset=_offset(measures))
                if key == "sync"
                else say(language, "measure.align", align=f"{value:.2f}")
            )
        rows.append((words, say(language, f"measure.{key}.tip")))
    for name in measures.flaws:
        words = say(language, f"measure.flaw.{name}")
        found = (
            say(language, "info.samples", count=measures.clipped_samples)
            if name == "clipping"
            else ", ".join(f"{start:.1f}–{start + length:.1f} s" for start, length in getattr(measures, name))
        )
        rows.append((f"{words}: {found}", say(language, f"measure.flaw.{name}.tip")))
    if not measures.flaws:
        rows.append((say(language, "info.flawless"), ""))
    return rows


def _offset(measures: TakeMeasures) -> str:
    return f"{measures.offset_ms or 0.0:+.0f}"


def _chip(text: str, tip: str, kind: str = "") -> str:
    return f'<span class="m-chip {kind}" title="{escape(tip)}">{escape(text)}</span>'
