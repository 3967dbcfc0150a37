"""The benchmark programs run, and record what is needed to judge a figure."""

from __future__ import annotations

import json

import pytest
import torch

from benchmarks import demo_gates, full_size, joint_step, library, measures, train_full_size
from benchmarks.floor import attentions, products
from benchmarks.record import record_result, write_result
from mova_studio.library.database import Database
from mova_studio.library.shots import ShotStore
from mova_studio.library.store import Query, TakeStore
from mova_studio.placement.published import published_sizes
from mova_studio.placement.request import Request
from mova_studio.placement.workload import Workload


def test_the_joint_step_is_timed_against_every_part():
    medians = joint_step.measure(1, torch.device("cpu"), warm_up=0)
    assert set(medians) == {"joint", "video tower", "audio tower"} | {
        f"{way} {layer}" for way in ("a2v", "v2a") for layer in range(joint_step.LAYERS)
    }
    assert all(seconds > 0 for seconds in medians.values())


def test_the_joint_step_has_two_thousand_tokens():
    frames, height, width = joint_step.GRID
    assert frames * (height // 2) * (width // 2) == 2000


def test_measuring_is_timed_beside_writing():
    seconds = measures.measure((13, 32, 48), 1)
    assert set(seconds) == {"measure", "write"} and min(seconds.values()) > 0


def test_results_say_where_they_come_from(tmp_path, capsys):
    result = record_result("trial", "cpu", ratio=1.5)
    write_result(result, tmp_path / "trial.json")
    kept = json.loads((tmp_path / "trial.json").read_text())
    assert json.loads(capsys.readouterr().out) == kept
    assert {"date", "commit", "hardware", "device", "torch", "threads"} <= set(kept)
    assert (kept["benchmark"], kept["ratio"], kept["torch"]) == ("trial", 1.5, torch.__version__)


def test_the_floor_has_all_operations_of_a_pass():
    work = Workload.of(published_sizes(), Request())
    matmuls = sum(2 * rows * into * out * times for (rows, into, out), times in products(work).items())
    calls = sum(4 * queries * keys * width * times for (queries, keys, width), times in attentions(work).items())
    assert (matmuls, calls) == (work.matmul_flops(), work.attention_flops())


def test_the_full_size_program_runs_at_tiny_size(tmp_path, monkeypatch, capsys):
    out = tmp_path / "tiny.json"
    parts = ["floor", "resident", "budget-12", "budget-12-int8", "streamed", "diffusers", "fp8"]
    arguments = ["full_size", "--size", "tiny", "--steps", "1", "--out", str(out)]
    monkeypatch.setattr("sys.argv", arguments + [word for part in parts for word in ("--only", part)])
    full_size.main()
    result = json.loads(out.read_text())
    assert set(result["parts"]) == set(parts)
    assert [part for part in parts if "error" in result["parts"][part]] == []
    assert {"resident over floor", "streamed over resident", "fp8 over resident"} <= set(result["ratios"])
    assert result["parts"]["streamed"]["plan"] == "fp32 group 0/8"
    # A second start has nothing left to do.
    before = out.read_bytes()
    full_size.main()
    assert out.read_bytes() == before


def test_the_library_is_filled_and_timed(tmp_path, monkeypatch):
    monkeypatch.setattr(library, "SHOTS", 4)
    monkeypatch.setattr(library, "FRAMES", 1)
    monkeypatch.setattr(library, "REPEATS", 2)
    library.fill(tmp_path, 8)
    database = Database(tmp_path)
    store = TakeStore(database, tmp_path, ShotStore(database))
    page = store.page()
    assert page.total == 8 and len(store.shots()) == 4 and not any(kept.missing for kept in page.takes)
    assert all(kept.take.measures and len(kept.waveform) == 160 and len(kept.tags) == 2 for kept in page.takes)
    timed = library.time_page(database, tmp_path, Query(search="雨", sort="sync"))
    assert 0 < timed["median_ms"] <= timed["worst_ms"]


def test_the_training_program_runs_at_tiny_size(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MOVA_STUDIO_CACHE", str(tmp_path / "elsewhere"))  # put back after the program set its own
    out = tmp_path / "tiny.json"
    arguments = ["train_full_size", "--size", "tiny", "--steps", "1", "--work", str(tmp_path), "--out", str(out)]
    monkeypatch.setattr("sys.argv", arguments)
    train_full_size.main()
    result = json.loads(out.read_text())
    assert result["step_seconds"] > 0
    assert result["loss"] > 0
    assert result["ram_gb"] > result["own_ram_gb"] > 0
    zeros = tmp_path / "zeros" / "video_dit" / "diffusion_pytorch_model.safetensors"
    assert zeros.stat().st_blocks * 512 < zeros.stat().st_size


def test_the_demos_gates_are_measured_arm_by_arm(tmp_path, monkeypatch):
    out = tmp_path / "gates.json"

    def measured(*arms):
        monkeypatch.setattr(
            "sys.argv", ["demo_gates", "--clips", "1", "--steps", "1", "--out", str(out), "--arms", *arms]
        )
        demo_gates.main()
        return json.loads(out.read_text())["arms"]

    first = measured("bridge off")
    assert set(first) == {"bridge off"}
    second = measured("bridge off", "offload group")
    assert second["bridge off"] == first["bridge off"], "what is in the file is not measured again"
    assert second["offload group"]["psnr"] == pytest.approx(68.13, abs=0.01), "and equal pictures are told as such"
