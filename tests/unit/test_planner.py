"""The planner: what holds on every machine, and what a person expects on the usual ones."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from machines import gigabytes, machine, machines, requests

from mova_studio.errors import InputError, MemoryRanOut
from mova_studio.placement.failures import Failures
from mova_studio.placement.forecast import speeds_of
from mova_studio.placement.machine import GIB
from mova_studio.placement.plan import Budget
from mova_studio.placement.planner import Correction, plan, require
from mova_studio.placement.published import published_sizes
from mova_studio.placement.request import Limits, Request

MOVA = published_sizes()
MANY = settings(
    max_examples=int(os.environ.get("MOVA_RANDOM_MACHINES", "150")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
precisions = st.sampled_from(["full", "balanced", "fast"])


@MANY
@given(machines(), requests(), precisions)
def test_the_chosen_plan_fits_and_is_the_fastest_that_does(here, request_, precision):
    planned = plan(here, MOVA, request_, Limits(precision=precision))
    assert planned.considered and planned.least is not None
    speeds = [candidate.predicted.step_seconds for candidate in planned.considered]
    assert speeds == sorted(speeds)
    fitting = [candidate for candidate in planned.considered if candidate.fits]
    assert all(candidate.why_not for candidate in planned.considered if not candidate.fits)
    if planned.chosen is None:
        assert not fitting
    else:
        assert planned.chosen is fitting[0]
        assert planned.chosen.predicted.vram <= planned.budget.vram
        assert planned.chosen.predicted.ram <= planned.budget.ram


@MANY
@given(machines(), requests(), precisions, gigabytes, gigabytes)
def test_more_memory_never_makes_a_plan_slower(here, request_, precision, more_vram, more_ram):
    limits = Limits(precision=precision)
    before = plan(here, MOVA, request_, limits).chosen
    assume(before is not None)
    gpu = here.gpu and replace(
        here.gpu,
        total_vram=here.gpu.total_vram + int(more_vram * GIB),
        free_vram=here.gpu.free_vram + int(more_vram * GIB),
    )
    richer = replace(here, gpu=gpu, free_ram=here.free_ram + int(more_ram * GIB))
    after = plan(richer, MOVA, request_, limits).chosen
    assert after is not None
    # A name may stand for another card at another size.
    assume(speeds_of(here) == speeds_of(richer))
    assert after.predicted.step_seconds <= before.predicted.step_seconds
    assert after.predicted.total_seconds <= before.predicted.total_seconds


def test_between_12_and_48_gb_there_is_a_slope():
    residents = []
    for vram in (12, 14, 16, 18, 20, 24, 28, 32, 36):
        chosen = plan(machine(vram, 128), MOVA, Request(), Limits(precision="full", pins={"offload": "group"})).chosen
        assert chosen is not None
        residents.append(chosen.plan.resident_blocks)
    assert residents == sorted(residents) and len(set(residents)) >= 8


@pytest.mark.parametrize("vram", [8, 12, 16, 24, 48, 80, 141])
def test_every_usual_card_makes_a_360p_take(vram):
    chosen = plan(machine(vram, 64), MOVA, Request()).chosen
    assert chosen is not None and chosen.predicted.vram <= (vram - 1) * GIB


def test_720p_runs_in_24_gb():
    assert plan(machine(24, 64), MOVA, Request(width=1280, height=720)).chosen is not None


def test_ram_at_12_gb_is_within_the_goals():
    full = plan(machine(12, 64), MOVA, Request(), Limits(precision="full", ram_gb=46)).chosen
    assert full is not None and full.predicted.ram <= 45 * GIB
    eight = plan(machine(12, 64), MOVA, Request(), Limits(pins={"weights": "int8"}, ram_gb=29)).chosen
    assert eight is not None and eight.predicted.ram <= 28 * GIB


def test_published_step_times_are_met():
    for name, capability, vram, seconds in (
        ("NVIDIA GeForce RTX 4090", (8, 9), 48, 37.5),
        ("NVIDIA H100 80GB HBM3", (9, 0), 80, 9.0),
    ):
        chosen = plan(machine(vram, 128, name, capability), MOVA, Request(), Limits(precision="full")).chosen
        assert chosen is not None and chosen.predicted.step_seconds == pytest.approx(seconds, rel=0.05)


def test_a_cap_below_the_least_names_the_least_and_the_remedy():
    here = machine(24, 64)
    planned = plan(here, MOVA, Request(), Limits(vram_gb=3))
    assert planned.chosen is None and planned.least is not None
    with pytest.raises(MemoryRanOut, match=r"needs at least [\d.]+ GiB of VRAM.*raise the cap") as error:
        require(planned, here, Request())
    least = float(str(error.value).split("at least ")[1].split(" ")[0])
    assert plan(here, MOVA, Request(), Limits(vram_gb=least + 0.1)).chosen is not None


def test_trying_anyway_takes_the_least():
    planned = plan(machine(4, 64), MOVA, Request(), Limits(try_anyway=True))
    assert planned.chosen is planned.least
    assert any("anyway" in note for note in planned.notes)


@pytest.mark.parametrize(
    ("pins", "shown"),
    [
        ({"weights": "int8"}, lambda plan: plan.weights["video_dit"] == "int8"),
        ({"text_encoder": "nf4"}, lambda plan: plan.weights["text_encoder"] == "nf4"),
        ({"offload": "component"}, lambda plan: plan.offload == "component"),
        ({"offload": "group", "resident_blocks": 3}, lambda plan: plan.resident_blocks == 3),
        ({"vae_tiles": 4}, lambda plan: plan.vae_tiles == 4),
        ({"ffn_chunks": 8}, lambda plan: plan.ffn_chunks == 8),
        ({"batched_guidance": True}, lambda plan: plan.batched_guidance),
        ({"compile": True}, lambda plan: plan.compile),
    ],
)
def test_pins_are_obeyed(pins, shown):
    planned = plan(machine(80, 128), MOVA, Request(), Limits(pins=pins))
    assert planned.considered and all(shown(candidate.plan) for candidate in planned.considered)


@pytest.mark.parametrize(
    ("pins", "message"),
    [
        ({"weights": "int3"}, "int8"),
        ({"resident_blocks": 41}, "0 to 40"),
        ({"attention": "sage"}, "native"),
        ({"ffn_chunks": 0}, "1 or more"),
        ({"colour": "red"}, "cannot be pinned"),
        ({"resident_blocks": "many"}, "must be"),
        ({"weights": "fp8_compute"}, "8.9"),
        ({"compile": True, "offload": "group"}, "cannot stream"),
    ],
)
def test_impossible_pins_name_what_is_possible(pins, message):
    ampere = machine(24, 64, "NVIDIA GeForce RTX 3090", (8, 6))
    with pytest.raises(InputError, match=message):
        plan(ampere, MOVA, Request(), Limits(pins=pins))


@pytest.mark.parametrize("values", [{"vram_gb": -1}, {"ram_gb": float("nan")}, {"precision": "best"}])
def test_limits_refuse_what_makes_no_sense(values):
    with pytest.raises(InputError):
        Limits(**values)


def test_limits_survive_json():
    limits = Limits(vram_gb=12, precision="full", pins={"offload": "group"}, try_anyway=True)
    assert Limits.from_dict(limits.to_dict()) == limits
    with pytest.raises(InputError):
        Limits.from_dict({"speed": 1})


def test_an_unknown_card_is_said_to_be_predicted_as_the_slowest():
    planned = plan(machine(24, 64, "Graphics Device 9000"), MOVA, Request())
    assert any("slowest" in note for note in planned.notes)


def test_fewer_bits_are_faster_where_there_are_units_for_them():
    here = machine(141, 128, "NVIDIA H200", (9, 0))
    full, fast = (plan(here, MOVA, Request(), Limits(precision=p)).chosen for p in ("full", "fast"))
    assert fast.plan.weights["video_dit"] == "fp8_compute"
    assert fast.predicted.step_seconds < 0.88 * full.predicted.step_seconds


def test_eight_bit_attention_is_only_chosen_where_it_is_allowed():
    here = machine(80, 128, attention=("native", "sage"))
    assert plan(here, MOVA, Request()).chosen.plan.attention == "native"
    assert plan(here, MOVA, Request(), Limits(precision="fast")).chosen.plan.attention == "sage"


def test_what_failed_is_not_tried_again_with_no_more_memory(tmp_path):
    failures = Failures(tmp_path / "failures.json")
    here = machine(24, 64)
    first = plan(here, MOVA, Request())
    assert first.chosen is not None
    failures.remember("gpu", "abc", first.chosen.plan, Request(), first.budget, of_device=True)

    again = Failures(tmp_path / "failures.json")

    def failed(candidate, request_):
        return again.known("gpu", "abc", candidate, request_, first.budget)

    second = plan(here, MOVA, Request(), failed=failed)
    assert second.chosen is not None and second.chosen.plan.name != first.chosen.plan.name
    richer = Budget(int(first.budget.vram * 1.1), first.budget.ram, first.budget.disk)
    assert not again.known("gpu", "abc", first.chosen.plan, Request(), richer)
    more_ram = Budget(first.budget.vram, 2 * first.budget.ram, first.budget.disk)
    assert again.known("gpu", "abc", first.chosen.plan, Request(), more_ram), "it was VRAM that ran out"
    smaller = Request(num_frames=97)
    assert not again.known("gpu", "abc", first.chosen.plan, smaller, first.budget)
    assert not again.known("gpu", "another", first.chosen.plan, Request(), first.budget)


@given(st.binary(max_size=80))
def test_a_damaged_memory_of_failures_is_an_empty_one(tmp_path_factory, content):
    file = tmp_path_factory.mktemp("failures") / "failures.json"
    file.write_bytes(content)
    planned = plan(machine(24, 64), MOVA, Request())
    assert not Failures(file).known("gpu", "", planned.chosen.plan, Request(), planned.budget)


def test_passes_are_batched_only_where_the_link_is_too_slow():
    """Batching changes last bits, so that it must pay."""
    fast = plan(machine(12, 48), MOVA, Request(), Limits(precision="full")).chosen
    assert fast is not None and not fast.plan.batched_guidance and fast.plan.resident_blocks > 0
    slow_link = machine(12, 48)
    slow_link = replace(slow_link, gpu=replace(slow_link.gpu, link_bytes_per_second=1e9))
    slow = plan(slow_link, MOVA, Request(), Limits(precision="full")).chosen
    assert slow is not None and slow.plan.batched_guidance


def test_the_machines_own_runs_correct_the_forecast():
    plain = plan(machine(24, 64), MOVA, Request()).chosen
    learned = plan(machine(24, 64), MOVA, Request(), correction=Correction(step=1.5, decode=3)).chosen
    assert learned.predicted.learned and not plain.predicted.learned
    assert learned.predicted.step_seconds == pytest.approx(1.5 * plain.predicted.step_seconds)
    assert learned.predicted.decode_seconds == pytest.approx(3 * plain.predicted.decode_seconds)
    decoding = plain.predicted.total_seconds - 50 * plain.predicted.step_seconds
    assert learned.predicted.total_seconds == pytest.approx(75 * plain.predicted.step_seconds + 3 * decoding)
