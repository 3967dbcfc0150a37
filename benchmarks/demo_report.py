"""The tables and the picture of docs/demo.md, from what `benchmarks.demo_gates` measured.

    python -m benchmarks.demo_report [--results benchmarks/results/demo_gates-cpu.json]
        [--picture docs/pictures/demo_guidance.svg] [--card assets/demo/README.md]

Prints the tables as Markdown, and writes the gates into the checkpoint's card. The picture needs matplotlib, which
nothing else here does.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from mova_studio.library.presets import preset_for

RESULTS = Path(__file__).parent / "results" / "demo_gates-cpu.json"
COLUMNS = {
    "looks_right": "kind and colour",
    "sounds_right": "sound",
    "hits_in_time": "hits in time",
    "unmatched_onsets": "onsets without a hit",
}
_MOST = 60.0  # dB, above which no pixel differs by more than rounding


def table(arms: dict[str, dict[str, Any]], names: list[str]) -> str:
    """Those of `names` that were measured, a row each, as Markdown.

    Args:
        arms: of the result file.
    """
    measured = [name for name in names if name in arms]
    with_psnr = any("psnr" in arms[name] for name in measured)
    timed = any("processor_seconds_per_clip" in arms[name] for name in measured)
    heads = ["", *COLUMNS.values()]
    heads += ["PSNR against plain"] * with_psnr + ["processor time per clip"] * timed
    rows = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    for name in measured:
        figures = arms[name]
        row = [name, *(f"{100 * figures[column]:.1f} %" for column in COLUMNS)]
        if with_psnr:
            row.append(_decibels(figures.get("psnr")))
        if timed:
            row.append(f"{figures['processor_seconds_per_clip']:.1f} s")
        rows.append(row)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _decibels(psnr: float | None) -> str:
    if psnr is None:
        return "–"
    return f"> {_MOST:.0f} dB" if psnr > _MOST else f"{psnr:.1f} dB"


def tables(result: dict[str, Any]) -> dict[str, str]:
    """Every table of the docs, by the group of arms that it shows."""
    from benchmarks.demo_gates import GROUPS

    arms = result["arms"]
    shown = {
        "gates": [*GROUPS["gates"]],
        "bridge": ["plain", *GROUPS["bridge"]],
        "guidance": ["plain", *GROUPS["guidance"]],
        "plans": ["plain", *GROUPS["plans"]],
    }
    told = {group: table(arms, names) for group, names in shown.items() if set(names) & (set(arms) - {"plain"})}
    kinds = arms.get("plain", {}).get("kinds")
    return told | ({"kinds": table(kinds, list(kinds))} if kinds else {})


def measured(result: dict[str, Any]) -> str:
    """The gates as a line of the checkpoint's card."""
    plain, off = result["arms"]["plain"], result["arms"]["bridge off"]
    share = {name: f"{100 * plain[name]:.1f} %" for name in COLUMNS}
    return (
        f"- **Measured** on {plain['clips']} prompts and first frames that it never saw (docs/demo.md): kind and colour"
        f" right in {share['looks_right']}, sound in {share['sounds_right']}; {share['hits_in_time']} of the hits in"
        f" time and {share['unmatched_onsets']} of the onsets without a hit, with the bridge off"
        f" {100 * off['hits_in_time']:.1f} % and {100 * off['unmatched_onsets']:.1f} %."
    )


def write_card(card: Path, result: dict[str, Any]) -> None:
    """Put the gates into the card's line about them."""
    lines = card.read_text("utf-8").splitlines()
    told = [measured(result) if line.startswith("- **Measured**") else line for line in lines]
    card.write_text("\n".join(told) + "\n", "utf-8")


def draw(result: dict[str, Any], target: Path) -> None:
    """The effect of both guidance scales, as a picture."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    arms, preset = result["arms"], preset_for("demo")
    plain = (preset.bridge_guidance_scale, preset.guidance_scale)
    mpl.rcParams.update({"svg.hashsalt": "mova-studio", "font.family": "sans-serif", "font.size": 9})
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True)
    for axis, symbol, of_plain in zip(axes, ("s_B", "s_T"), plain, strict=True):
        points = {float(name.split()[1]): arms[name] for name in arms if name.startswith(f"{symbol} ")}
        points[of_plain] = arms["plain"]
        scales = sorted(points)
        for column, label in COLUMNS.items():
            axis.plot(scales, [100 * points[scale][column] for scale in scales], marker="o", label=label)
        axis.set_xlabel(f"${symbol}$, the {'bridge' if symbol == 's_B' else 'text'} guidance scale")
        axis.set_ylim(0, 102)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("%")
    axes[1].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(target, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--card", type=Path)
    options = parser.parse_args()
    result = json.loads(options.results.read_text("utf-8"))
    for group, rows in tables(result).items():
        print(f"{group}\n\n{rows}\n")
    if options.card is not None:
        write_card(options.card, result)
    if options.picture is not None:
        draw(result, options.picture)


if __name__ == "__main__":
    main()
