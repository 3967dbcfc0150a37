"""Memory that runs out in mid-run: the same take comes out all the same, from the step where it was."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from mova_studio.errors import MemoryRanOut
from mova_studio.jobs.engine import Engine
from mova_studio.jobs.runner import make_take
from mova_studio.library.shot import Shot
from mova_studio.media.probe import decode_audio, decode_frames
from mova_studio.media.provenance import read_provenance
from mova_studio.network.demo import build_untrained
from mova_studio.placement.request import Limits
from mova_studio.placement.shortage import what_ran_out

STEPS = 5


@pytest.fixture
def shot(tmp_path, monkeypatch) -> Shot:
    monkeypatch.setenv("MOVA_STUDIO_CACHE", str(tmp_path / "cache"))
    build_untrained(tmp_path / "demo")
    return Shot(
        prompt="a bell", model=str(tmp_path / "demo"), width=64, height=48, num_frames=9, num_inference_steps=STEPS
    )


class Shortage:
    """Raises `error` once at a place in a run, from where the run itself asks whether to go on.

    Attributes:
        events: all that the run reported.
    """

    def __init__(self, stage: str, step: int, error: BaseException, times: int = 1) -> None:
        self.stage, self.step, self.error, self.times = stage, step, error, times
        self.events: list[dict] = []
        self.steps_run: list[int] = []

    def report(self, event: dict) -> None:
        self.events.append(event)
        if event["kind"] == "preview":
            self.steps_run.append(event["step"])

    def cancelled(self) -> bool:
        here = next((event for event in reversed(self.events) if event["kind"] == "progress"), None)
        if self.times and here and here["stage"] == self.stage and here["step"] == self.step:
            self.times -= 1
            raise self.error
        return False


def pictures_and_sound(path) -> tuple[np.ndarray, np.ndarray]:
    return decode_frames(path), decode_audio(path)[0]


@pytest.mark.parametrize(
    ("stage", "step", "error", "kind"),
    [
        ("text", 0, torch.OutOfMemoryError("CUDA out of memory."), "VRAM"),
        ("denoise", 0, MemoryError(), "RAM"),
        ("denoise", 3, torch.OutOfMemoryError("CUDA out of memory."), "VRAM"),
        ("denoise", 3, RuntimeError("CUDA error: out of memory"), "VRAM"),
        ("denoise", 2, MemoryRanOut("Pinned memory ran out: refused."), "pinned memory"),
        ("decode", STEPS, torch.OutOfMemoryError("CUDA out of memory."), "VRAM"),
    ],
)
def test_the_same_take_comes_out_under_the_next_plan(shot, tmp_path, stage, step, error, kind):
    limits = Limits(pins={"weights": "fp32"})
    plain = make_take(Engine(), shot, 3, tmp_path / "plain.mp4", lambda event: None, limits=limits)
    shortage = Shortage(stage, step, error)
    take = make_take(Engine(), shot, 3, tmp_path / "short.mp4", shortage.report, shortage.cancelled, limits)

    for found, expected in zip(pictures_and_sound(take.path), pictures_and_sound(plain.path), strict=True):
        assert np.array_equal(found, expected)
    assert shortage.steps_run == list(range(1, STEPS + 1)), "no step was run twice"
    (note,) = [note for note in take.notes if "ran out" in note]
    assert note.startswith(f"{kind} ran out at step {step if stage != 'text' else 0} of {STEPS}")
    record = read_provenance(take.path).record["plan"]
    assert record["changes"] == [note] and record["name"] in note
    plans = [event["plan"]["name"] for event in shortage.events if event["kind"] == "plan"]
    assert len(plans) == 2 and plans[0] != plans[1] == record["name"]


def test_the_machine_remembers(shot, tmp_path):
    shortage = Shortage("denoise", 1, torch.OutOfMemoryError("CUDA out of memory."))
    limits = Limits(pins={"weights": "fp32"})
    make_take(Engine(), shot, 3, tmp_path / "a.mp4", shortage.report, shortage.cancelled, limits)
    failed = next(event["plan"]["name"] for event in shortage.events if event["kind"] == "plan")
    (kept,) = json.loads((tmp_path / "cache" / "out_of_memory.json").read_text())
    assert kept["plan"] == failed
    events: list[dict] = []
    tight = Limits(pins={"weights": "fp32"}, ram_gb=kept["budget"] / 2**30 + 1)
    make_take(Engine(), shot, 3, tmp_path / "b.mp4", events.append, limits=tight)
    assert next(event["plan"]["name"] for event in events if event["kind"] == "plan") != failed


def test_when_every_plan_fails_it_is_said_and_what_was_there_stays(shot, tmp_path):
    (tmp_path / "take.mp4").write_bytes(b"precious")
    shortage = Shortage("denoise", 1, torch.OutOfMemoryError("CUDA out of memory."), times=100)
    with pytest.raises(MemoryRanOut, match=r"VRAM ran out at step 1 of 5 with the plan"):
        make_take(Engine(), shot, 3, tmp_path / "take.mp4", shortage.report, shortage.cancelled)
    assert (tmp_path / "take.mp4").read_bytes() == b"precious"


def test_trying_anyway_ends_when_everything_was_tried(shot, tmp_path):
    shortage = Shortage("denoise", 1, torch.OutOfMemoryError("CUDA out of memory."), times=100)
    limits = Limits(ram_gb=1.1, try_anyway=True)
    with pytest.raises(MemoryRanOut, match="ran out at step 1"):
        make_take(Engine(), shot, 3, tmp_path / "take.mp4", shortage.report, shortage.cancelled, limits)
    plans = [event["plan"]["name"] for event in shortage.events if event["kind"] == "plan"]
    assert len(plans) == len(set(plans))


def test_a_cap_below_the_least_is_refused_before_anything_is_read(shot, tmp_path):
    events: list[dict] = []
    with pytest.raises(MemoryRanOut, match=r"needs at least [\d.]+ GiB of RAM.*raise the cap"):
        make_take(Engine(), shot, 3, tmp_path / "a.mp4", events.append, limits=Limits(ram_gb=1.1))
    assert not [event for event in events if event["kind"] == "progress" and event["stage"] != "load"]
    make_take(Engine(), shot, 3, tmp_path / "a.mp4", events.append, limits=Limits(ram_gb=1.1, try_anyway=True))


def test_other_errors_are_not_taken_for_shortages(shot, tmp_path):
    shortage = Shortage("denoise", 1, RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes"):
        make_take(Engine(), shot, 3, tmp_path / "a.mp4", shortage.report, shortage.cancelled)


def test_what_torch_and_the_system_say_is_understood():
    with pytest.raises(RuntimeError) as error:
        torch.empty(2**50)
    assert what_ran_out(error.value) == "RAM"
    with pytest.raises(MemoryError) as error:
        bytearray(2**60)
    assert what_ran_out(error.value) == "RAM"
    assert what_ran_out(OSError(12, "Cannot allocate memory")) == "RAM"
    assert what_ran_out(ValueError("out of memory")) is None
    assert what_ran_out(FileNotFoundError(2, "No such file")) is None
