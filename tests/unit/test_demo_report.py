"""What the tables of the demo's gates say of the figures."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.demo_report import measured, table, tables, write_card

PROJECT = Path(__file__).parents[2]
RESULTS = PROJECT / "benchmarks" / "results"

HEADS = ["", "kind and colour", "sound", "hits in time", "onsets without a hit", "PSNR against plain"]
FIGURES = {
    "looks_right": 0.955,
    "sounds_right": 1.0,
    "hits_in_time": 0.9312,
    "unmatched_onsets": 0.0,
    "processor_seconds_per_clip": 11.26,
}


def test_a_table_has_a_row_for_each_arm_that_was_measured():
    arms = {"plain": FIGURES, "int8": FIGURES | {"psnr": 31.24}, "offload group": FIGURES | {"psnr": 68.1}}
    assert table(arms, ["plain", "bf16", "int8", "offload group"]).splitlines() == [
        f"| {' | '.join(HEADS)} | processor time per clip |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| plain | 95.5 % | 100.0 % | 93.1 % | 0.0 % | – | 11.3 s |",
        "| int8 | 95.5 % | 100.0 % | 93.1 % | 0.0 % | 31.2 dB | 11.3 s |",
        "| offload group | 95.5 % | 100.0 % | 93.1 % | 0.0 % | > 60 dB | 11.3 s |",
    ]


def test_groups_that_were_not_measured_have_no_table():
    assert set(tables({"arms": {"plain": FIGURES, "bridge off": FIGURES}})) == {"gates"}
    assert set(tables({"arms": {"plain": FIGURES, "s_B 2": FIGURES, "int8": FIGURES}})) == {"bridge", "plans"}


def test_the_card_tells_both_numbers(tmp_path):
    card = tmp_path / "README.md"
    card.write_text("# A toy\n\n- **Measured** later.\n- **Stored** as float16.\n")
    off = FIGURES | {"hits_in_time": 0.309, "unmatched_onsets": 0.878}
    write_card(card, {"arms": {"plain": FIGURES | {"clips": 200}, "bridge off": off}})
    said = card.read_text()
    assert (
        "200 prompts" in said
        and "93.1 % of the hits in time" in said
        and "with the bridge off 30.9 % and 87.8 %" in said
    )
    assert said.endswith("- **Stored** as float16.\n")


def test_docs_and_card_hold_what_was_measured():
    gates = json.loads((RESULTS / "demo_gates-cpu.json").read_text())
    settings = json.loads((RESULTS / "demo_settings-cpu.json").read_text())
    kinds = json.loads((RESULTS / "demo_kinds-cpu.json").read_text())
    for page in ("demo.md", "demo.zh.md"):
        said = (PROJECT / "docs" / page).read_text("utf-8")
        for rows in (*tables(gates).values(), *tables(settings).values(), *tables(kinds).values()):
            figures = [line.split(" | ", 1)[1] for line in rows.splitlines()[2:]]
            assert all(each in said for each in figures), page
    assert measured(gates) in (PROJECT / "assets" / "demo" / "README.md").read_text("utf-8")
