"""What is kept of a training's logs."""

from __future__ import annotations

import json
import sys

from benchmarks.demo_training import POINTS, main, summary


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


def test_stages_of_another_machine_stay_in_the_file(tmp_path, monkeypatch):
    out = tmp_path / "result.json"
    out.write_text(json.dumps({"stages": {"network": {"steps": 9}, "frames": {"steps": 5}}}))
    run = tmp_path / "run"
    (run / "network").mkdir(parents=True)
    (run / "network" / "log.jsonl").write_text(json.dumps({"step": 1, "loss": 2.0, "seconds": 0.5}))
    monkeypatch.setattr(sys, "argv", ["demo_training", str(run), "--out", str(out)])
    main()
    stages = json.loads(out.read_text())["stages"]
    assert list(stages) == ["frames", "network"] and stages["frames"] == {"steps": 5}
    assert stages["network"]["curve"] == [{"step": 1, "loss": 2.0}]
