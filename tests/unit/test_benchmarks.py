"""The benchmark programs run, and record what is needed to judge a figure."""

from __future__ import annotations

import json

import torch

from benchmarks import joint_step
from benchmarks.record import record_result, write_result


def test_the_joint_step_is_timed_against_every_part():
    medians = joint_step.measure(1, torch.device("cpu"), warm_up=0)
    assert set(medians) == {"joint", "video tower", "audio tower"} | {
        f"{way} {layer}" for way in ("a2v", "v2a") for layer in range(joint_step.LAYERS)
    }
    assert all(seconds > 0 for seconds in medians.values())


def test_the_joint_step_has_two_thousand_tokens():
    frames, height, width = joint_step.GRID
    assert frames * (height // 2) * (width // 2) == 2000


def test_results_say_where_they_come_from(tmp_path, capsys):
    result = record_result("trial", "cpu", ratio=1.5)
    write_result(result, tmp_path / "trial.json")
    kept = json.loads((tmp_path / "trial.json").read_text())
    assert json.loads(capsys.readouterr().out) == kept
    assert {"date", "commit", "hardware", "device", "torch", "threads"} <= set(kept)
    assert (kept["benchmark"], kept["ratio"], kept["torch"]) == ("trial", 1.5, torch.__version__)
