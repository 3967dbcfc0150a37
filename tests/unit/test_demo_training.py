"""What is kept of a training's logs."""

from __future__ import annotations

import json

from benchmarks.demo_training import POINTS, summary


def test_a_log_becomes_a_short_curve_with_its_end(tmp_path):
    steps = [{"step": step, "loss": 1000.0 - step, "seconds": 0.5 + (step == 7)} for step in range(1, 101)]
    lines = [*steps, {"step": 100, "held_out_psnr": 31.5}]
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join(map(json.dumps, lines)))
    told = summary(log)
    assert (told["steps"], told["median_seconds"], told["minutes"]) == (100, 0.5, 0.8)
    assert told["held_out"] == {"step": 100, "held_out_psnr": 31.5}
    assert len(told["curve"]) == POINTS
    assert told["curve"][0] == {"step": 4, "loss": 997.5} and told["curve"][-1]["step"] == 100
