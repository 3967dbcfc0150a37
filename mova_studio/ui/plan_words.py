"""A plan in one sentence, in three words, and as a line of cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mova_studio.ui.catalogue import say
from mova_studio.ui.words import duration

Plan = Mapping[str, Any]
ABOUT_FROM_SECONDS = 600
SHORTEST_TOLD = 0.1


def plan_sentence(language: str, plan: Plan) -> str:
    """How the network is placed and what a take will need, of a `Candidate.to_dict()`."""
    predicted = plan["predicted"]
    source = "plan.learned" if predicted["learned"] else "plan.predicted"
    return say(
        language,
        "plan.time",
        plan=_joined(language, plan),
        step=_told(language, predicted["step_seconds"]),
        total=about(language, take_seconds(plan)),
        source=say(language, source),
    )


def plan_brief(language: str, plan: Plan) -> str:
    """ "int8 · 12/40 layers resident": enough for a pill."""
    values = {"format": plan["weights"]["video_dit"], "resident": plan["resident_blocks"], "blocks": plan["num_blocks"]}
    return say(language, f"plan.brief.{plan['offload']}", **values)


def take_seconds(plan: Plan) -> float:
    """Predicted seconds of a whole take, reading weights included."""
    return plan["predicted"]["total_seconds"] + plan["predicted"]["loading_seconds"]


def about(language: str, seconds: float) -> str:
    """A predicted time, no finer than it is known: "under 0.1 s", "37 s", "31 min"."""
    if seconds < SHORTEST_TOLD:
        return say(language, "plan.under")
    if ABOUT_FROM_SECONDS <= seconds < 3600:
        return say(language, "time.about_minutes", m=round(seconds / 60))
    return duration(language, seconds)


def _told(language: str, seconds: float) -> str:
    time = about(language, seconds)
    return time if seconds < SHORTEST_TOLD else say(language, "plan.about", time=time)


def gb(value: float) -> str:
    """GiB as a card's box says them: "22.4", "0.9", and from a hundred up without a decimal."""
    return f"{value:.0f}" if value >= 99.95 else f"{value:.1f}"


def memory_words(language: str, report: Mapping[str, Any]) -> list[str]:
    """ "VRAM 22.4 of 23.0 GB" and the same for RAM, of a `plan_report`; VRAM only where there is a GPU."""
    plan, budget = report["chosen"], report["budget"]
    return [
        say(
            language,
            "cost.memory",
            kind=say(language, f"memory.{kind}"),
            needed=gb(plan["predicted"][f"{kind}_gb"]),
            budget=gb(budget[kind]),
        )
        for kind in kinds(plan)
    ]


def kinds(plan: Plan) -> tuple[str, ...]:
    """The memories that a plan uses."""
    return ("ram",) if plan["device"] == "cpu" else ("vram", "ram")


def _joined(language: str, plan: Plan) -> str:
    parts = [say(language, "plan.weights", format=plan["weights"]["video_dit"])]
    if plan["weights"]["text_encoder"] != plan["weights"]["video_dit"]:
        parts.append(say(language, "plan.text_weights", format=plan["weights"]["text_encoder"]))
    parts.append(_placement(language, plan))
    if plan["offload"] == "group" and plan["experts_in_ram"] == 1:
        parts.append(say(language, "plan.one_expert"))
    if plan["attention"] != "native":
        parts.append(say(language, "plan.attention", name=plan["attention"].lstrip("_")))
    if plan["vae_tiles"] > 1:
        parts.append(say(language, "plan.tiles", count=plan["vae_tiles"]))
    if plan["ffn_chunks"] > 1:
        parts.append(say(language, "plan.chunks", count=plan["ffn_chunks"]))
    if plan["batched_guidance"]:
        parts.append(say(language, "plan.batched"))
    if plan["cache"] != "off":
        parts.append(say(language, "plan.cache", level=plan["cache"]))
    if plan["compile"]:
        parts.append(say(language, "plan.compiled"))
    return ("，" if language == "zh" else ", ").join(parts)


def _placement(language: str, plan: Plan) -> str:
    where = "cpu" if plan["device"] == "cpu" else "gpu"
    resident, blocks = plan["resident_blocks"], plan["num_blocks"]
    how = "kept" if plan["offload"] == "group" and resident >= blocks else plan["offload"]
    return say(language, f"plan.{where}.{how}", resident=resident, blocks=blocks, streamed=blocks - resident)
