"""What the tables of the demo's gates say of the figures."""

from __future__ import annotations

from benchmarks.demo_report import table, tables

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
        "| offload group | 95.5 % | 100.0 % | 93.1 % | 0.0 % | the same | 11.3 s |",
    ]


def test_groups_that_were_not_measured_have_no_table():
    assert set(tables({"arms": {"plain": FIGURES, "bridge off": FIGURES}})) == {"gates"}
    assert set(tables({"arms": {"plain": FIGURES, "s_B 2": FIGURES, "int8": FIGURES}})) == {"bridge", "plans"}
