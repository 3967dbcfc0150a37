"""The System view without a browser: plans in words, bars of memory, limits as fields, and who may see it."""

from __future__ import annotations

import asyncio
import copy
import re
import time
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from mova_studio.errors import InputError, MemoryRanOut
from mova_studio.jobs.snapshot import JobSnapshot
from mova_studio.jobs.states import JobState
from mova_studio.jobs.studio import Studio
from mova_studio.library.presets import preset_for
from mova_studio.library.shot import Shot
from mova_studio.library.take import Take
from mova_studio.placement.machine import GIB, Gpu, Machine
from mova_studio.ui.access import Access, Account
from mova_studio.ui.advice import Advice, Advisor, shot_of
from mova_studio.ui.cost import cost_html, mean_passes
from mova_studio.ui.desk import PageState
from mova_studio.ui.form import draw_form
from mova_studio.ui.form_events import FormEvents, shown_settings
from mova_studio.ui.header import Header
from mova_studio.ui.imagine_view import imagined_html, imagined_machine, imagined_shot
from mova_studio.ui.limits_form import FIELDS, limits_of, values_of
from mova_studio.ui.machine_html import machine_facts, machine_html
from mova_studio.ui.memory_bars import Bar, bar_words, bars_html, percent
from mova_studio.ui.plan_html import last_run_html, others_html, plan_html
from mova_studio.ui.plan_words import about, plan_brief, plan_sentence
from mova_studio.ui.stage import ended_stage, progress_line
from mova_studio.ui.system_view import AT_ONCE_SECONDS, SystemView
from mova_studio.ui.translated import translate
from mova_studio.ui.wording import Wording

STAGES = ("text", "frames", "denoise", "decode")
PLAN = {
    "name": "bf16 group 14/40",
    "device": "cuda",
    "weights": {"video_dit": "bf16", "text_encoder": "bf16"},
    "offload": "group",
    "resident_blocks": 14,
    "num_blocks": 40,
    "experts_in_ram": 2,
    "attention": "native",
    "cache": "off",
    "vae_tiles": 1,
    "ffn_chunks": 1,
    "batched_guidance": False,
    "compile": False,
    "predicted": {
        "vram_gb": 22.36,
        "ram_gb": 43.6,
        "step_seconds": 37.28,
        "total_seconds": 1867.0,
        "loading_seconds": 9.0,
        "learned": False,
        "stages": {name: {"vram_gb": 22.36 if name == "denoise" else 4.0, "ram_gb": 43.6} for name in STAGES},
    },
    "fits": True,
    "why_not": "",
}
MACHINE = Machine(gpu=None, total_ram=32 * GIB, free_ram=30 * GIB, free_disk=99 * GIB, cores=8, torch="2.13.0+cpu")
CARD = Gpu("NVIDIA GeForce RTX 4090", "nvidia", 24 * GIB, 23 * GIB, (8, 9))
REPORT = {
    "machine": {"imaginary": False, "warnings": ()},
    "checkpoint": {"identity": "x", "on_disk": True},
    "budget": {"vram": 23.0, "ram": 63.0, "disk": 70.0},
    "chosen": PLAN,
    "considered": [PLAN],
    "notes": [],
}


def plan(**changes):
    return copy.deepcopy(PLAN) | changes


def test_a_plan_in_one_sentence():
    assert plan_sentence("en", PLAN) == (
        "bf16 weights, 14 of 40 layers stay on the card and 26 stream from RAM; "
        "about 37 s a step, 31 min a take (predicted)"
    )
    assert plan_sentence("zh", PLAN).startswith("bf16 权重，40 层中 14 层留在显卡上，26 层从内存流式传入；每步约 37 秒")
    assert plan_brief("en", PLAN) == "bf16 · 14/40 layers resident"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"offload": "none", "device": "cpu"}, "all in RAM, computed by the processor"),
        ({"offload": "component", "device": "cpu"}, "each part read into RAM for its stage"),
        ({"device": "cpu"}, "14 of 40 layers kept ready and 26 streamed"),
        ({"device": "cpu", "resident_blocks": 40}, "all 40 layers of the expert in use kept ready"),
        ({"offload": "none"}, "everything stays on the card"),
        ({"offload": "component"}, "one expert at a time"),
        ({"resident_blocks": 40}, "all 40 layers of the expert in use stay on the card"),
        ({"experts_in_ram": 1}, "the other expert waits on disk"),
        ({"attention": "_flash_3"}, "attention by flash_3"),
        ({"vae_tiles": 4}, "decoded in 4 tiles"),
        ({"ffn_chunks": 2}, "in 2 pieces"),
        ({"batched_guidance": True}, "guidance passes together"),
        ({"cache": "light"}, "step cache light"),
        ({"compile": True}, "layers compiled"),
        ({"weights": {"video_dit": "int8", "text_encoder": "nf4"}}, "int8 weights, nf4 for the text encoder"),
        ({"predicted": PLAN["predicted"] | {"learned": True}}, "predicted from this machine's own runs"),
        ({"predicted": PLAN["predicted"] | {"step_seconds": 0.002}}, "; under 0.1 s a step"),
    ],
)
def test_every_choice_of_a_plan_is_said(changes, said):
    assert said in plan_sentence("en", plan(**changes))
    assert re.search(r"[\u4e00-\u9fff]", plan_sentence("zh", plan(**changes)))


def test_predicted_times_are_no_finer_than_known():
    told = [about("en", seconds) for seconds in (0.002, 4.26, 37.3, 299, 1876, 7500)]
    assert told == ["under 0.1 s", "4.3 s", "37 s", "4 min 59 s", "31 min", "2 h 5 min"]


def test_difference_in_percent():
    assert [percent(10, value) for value in (10.0, 10.04, 10.3, 8.8)] == ["±0 %", "±0 %", "+3 %", "−12 %"]
    assert percent(0, 3) == "±0 %"


def test_bar_in_words():
    assert bar_words("en", Bar("denoise", 22.36, 23.0)) == "predicted 22.4 of 23.0 GB"
    assert bar_words("en", Bar("denoise", 24.5, 23.0)) == "predicted 24.5 of 23.0 GB · 1.5 GB too much"
    assert bar_words("en", Bar("denoise", 20.0, None, 21.0)) == "predicted 20.0 GB · actual 21.0 GB, +5 %"


def test_bars_are_named_and_stay_within_themselves():
    measured = {"denoise": {"vram_gb": 21.0, "ram_gb": 90.0}}
    html = bars_html("en", PLAN, {"vram": 20.0, "ram": 63.0}, measured)
    assert html.count('role="meter"') == 2 * len(STAGES)
    assert 'aria-label="Memory by stage, VRAM, Denoising: predicted 22.4 of 20.0 GB' in html
    assert all(0 <= float(share) <= 100 for share in re.findall(r"(?:width|left): ([\d.]+)%", html))
    for low, now, high in re.findall(r'valuemin="(\S+)" aria-valuemax="(\S+)" aria-valuenow="(\S+)"', html):
        assert float(low) <= float(high) <= float(now)
    assert "VRAM" not in bars_html("en", plan(device="cpu"), REPORT["budget"])


def test_plan_panel_says_plan_shortage_and_origin_of_sizes():
    assert "14 of 40 layers" in plan_html("en", "Title", "demo", Advice(REPORT))
    short = Advice(REPORT | {"chosen": None}, "It needs at least 9.0 GiB of RAM.")
    html = plan_html("en", "Title", "demo", short)
    assert "No plan fits. It needs at least 9.0 GB of RAM." in html and "meter" not in html
    unknown = Advice(REPORT | {"checkpoint": {"identity": "", "on_disk": False}})
    assert "Sizes as published" in plan_html("en", "Title", "demo", unknown)


def test_other_plans_say_why_not():
    slow = plan(name="bf16 none", fits=False, why_not="denoise needs 38.7 GiB of VRAM and 23.0 GiB can be used")
    html = others_html("en", REPORT | {"considered": [slow, PLAN]})
    assert "denoise needs 38.7 GB of VRAM and 23.0 GB can be used" in html
    assert html.count("<tr") == 3 and html.count("chosen") == 1
    anyway = others_html("en", REPORT | {"considered": [slow], "chosen": slow})
    assert "chosen · denoise needs 38.7 GB of VRAM" in anyway
    assert "去噪阶段需要 38.7 GB 显存" in others_html("zh", REPORT | {"considered": [slow, PLAN]})


def done_run() -> JobSnapshot:
    shot = Shot(prompt="x", width=96, height=64, num_frames=13)
    take = Take(
        path=Path("x.mp4"), shot=shot, seed=1, width=96, height=64, num_frames=13, frame_rate=24.0,
        audio_seconds=0.5, integrated_lufs=None, true_peak_dbtp=None, seconds={}, checkpoint="0", untrained=True,
        program="0", created="2026-02-08T00:00:00+00:00",
    )  # fmt: skip
    memory = {name: {"vram_gb": 4.0, "ram_gb": 40.0} for name in ("load", *STAGES)}
    return JobSnapshot(job_id="id", state=JobState.DONE, seed=1, plan=PLAN, memory=memory, take=take)


def test_last_run_shows_predicted_against_actual():
    assert "After the first take" in last_run_html("en", None)
    html = last_run_html("en", done_run())
    assert "96 × 64, 13 frames" in html and "predicted 43.6 GB · actual 40.0 GB, −8 %" in html
    assert html.count('class="m-actual"') == 2 * len(STAGES) + 1


def test_machine_without_a_gpu_is_complete():
    facts = dict(machine_facts("en", MACHINE))
    assert facts["GPU"] == "none; the processor makes the takes" and facts["RAM"] == "30.0 of 32.0 GB free"
    assert not {"VRAM", "Driver", "Compute capability"} & set(facts)
    assert "m-note" not in machine_html("en", MACHINE, 0)


def test_machine_with_a_gpu_tells_its_warnings():
    warning = "torch 2.1 was built for CUDA 13, which needs NVIDIA driver 580 or newer; the driver is 570. Update it."
    known = {"gpu": CARD, "driver": "570.1", "cuda": "12.8", "warnings": (warning,)}
    machine = Machine(**{**MACHINE.__dict__, **known})
    facts = dict(machine_facts("en", machine))
    assert facts["VRAM"] == "23.0 of 24.0 GB free" and facts["Compute capability"] == "8.9"
    assert (facts["Driver"], facts["CUDA of the driver"]) == ("570.1", "12.8")
    assert warning in unescape(machine_html("en", machine, 0)) and "请更新驱动" in machine_html("zh", machine, 0)
    assert "Loaded model" in machine_html("en", machine, 2 * GIB)


def fields(**changes):
    return values_of({}) | changes


def test_limits_and_fields_are_each_others_inverse():
    assert set(fields()) == set(FIELDS)
    assert limits_of(fields(), "en") == {
        "vram_gb": None, "ram_gb": None, "precision": "balanced", "pins": {}, "try_anyway": False
    }  # fmt: skip
    changes = {"vram_gb": 11.5, "precision": "fast", "offload": "group", "resident_blocks": 3, "try_anyway": True}
    limits = limits_of(fields(batched_guidance="false", **changes), "en")
    assert limits["pins"] == {"offload": "group", "resident_blocks": 3, "batched_guidance": False}
    assert limits_of(values_of(limits), "en") == limits
    assert values_of({"pins": 3}) == values_of({"precision": "best"}) == fields(), "a damaged file is no limit"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ram_gb": -1}, "ram_gb"),
        ({"precision": "best"}, "precision"),
        ({"vae_tiles": 2.5}, "pins"),
        ({"resident_blocks": "many"}, "pins"),
    ],
)
def test_wrong_limits_name_their_field(changes, field):
    with pytest.raises(InputError) as caught:
        limits_of(fields(**changes), "en")
    assert caught.value.field == field


@pytest.fixture
def studio(tmp_path, monkeypatch):
    monkeypatch.setenv("MOVA_STUDIO_CACHE", str(tmp_path / "cache"))
    made = Studio(tmp_path / "library")
    yield made
    made.close()


def test_the_page_settings_become_a_shot_that_can_be_made():
    shot = shot_of({"width": 101.0, "height": 63.0, "num_frames": 11.0, "guidance_start": None}, "demo")
    assert (shot.width, shot.height, shot.num_frames) == (96, 64, 13)
    with pytest.raises(InputError):
        shot_of({"num_inference_steps": 0}, "demo")


def test_advice_is_remembered_until_something_changes(studio):
    advisor = Advisor(studio)
    shot = shot_of({}, "demo")
    assert not advisor.ready
    first = advisor.advise(shot)
    assert advisor.ready and first.chosen is not None and not first.shortage
    assert advisor.advise(shot) is first
    studio.set_limits({"ram_gb": 1.2})
    short = advisor.advise(shot)
    assert short.chosen is None and re.search(r"at least [\d.]+ GiB of RAM.*raise the cap", short.shortage)
    assert "No plan fits" in cost_html("en", None, short, "")
    with pytest.raises(InputError, match="resident_blocks"):
        advisor.advise(shot, {"pins": {"offload": "group", "resident_blocks": 99}})
    assert advisor.advise_quietly({"num_inference_steps": 0}) is None
    advisor.forget()
    assert advisor.advise(shot) is not short


def test_a_card_before_it_is_bought(studio):
    machine = imagined_machine(MACHINE, "RTX 4090", None, 64, "")
    shot = imagined_shot("published", "full", "demo", {})
    assert (shot.model, shot.width, shot.height, shot.num_frames) == ("OpenMOSS-Team/MOVA-360p", 640, 352, 193)
    advice = Advisor(studio).advise(shot, {}, machine)
    html = imagined_html("en", shot, advice)
    assert "RTX 4090 24 GB · 64 GB RAM" in html and "Sizes as published" in html
    assert re.search(r"about \d+ s a step, .+ a take", html)
    assert imagined_shot("current", "form", "demo", {"width": 96, "height": 64}).width == 96
    with pytest.raises(InputError, match="capability"):
        imagined_machine(MACHINE, "Voodoo 2", None, None, "")


def test_cost_line_prefers_own_takes_and_always_tells_memory():
    assert cost_html("en", None, None, "no idea yet") == "<p>no idea yet</p>"
    assert cost_html("en", None, Advice(REPORT), "") == (
        "<p><span>about 31 min, predicted</span> · <span>VRAM 22.4 of 23.0 GB</span> · "
        "<span>RAM 43.6 of 63.0 GB</span></p>"
    )
    own = cost_html("en", 6.0, Advice(REPORT), "")
    assert "about 6.0 s, judged by your takes so far" in own and "VRAM 22.4 of 23.0 GB" in own


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"num_frames": 4001.0}, "4001 frames are too many for demo"),
        ({"width": 2000.0}, "is too large for demo"),
        ({"num_inference_steps": 0.0}, "0 steps cannot be run"),
    ],
)
def test_cost_line_says_that_settings_cannot_be_run(studio, change, told):
    header, page = Header(), PageState()
    with gr.Blocks():
        header.draw(Wording(), "demo")
        form = draw_form(Wording(), preset_for("demo"))
    events = FormEvents(studio, form, header, Advisor(studio))
    for planned in (False, True):
        page.cost_of, page.plan = shown_settings(PageState(), "demo"), "a plan"
        assert "m-error" not in asyncio.run(events.cost_line(page, planned=planned)) and page.plan
        page.cost_of = page.cost_of | change
        line = unescape(asyncio.run(events.cost_line(page, planned=planned)))
        assert line.startswith('<p class="m-error" role="alert">These settings cannot be run. ') and told in line
        assert page.plan == "", "the plan in the header was another one's"


def test_steps_outside_the_guided_part_take_one_pass():
    assert mean_passes(5, 1, 0, 1) == 2 and mean_passes(5, 1, 0.25, 0.75) == 1.5 and mean_passes(5, 1, 0.5, 0.5) == 1


def test_reused_settings_bring_step_cache_and_guidance_interval_back():
    preset = preset_for("demo")
    with gr.Blocks():
        form = draw_form(Wording(), preset)
    shot = Shot(prompt="A bell.", step_cache="light", guidance_start=0.2, guidance_stop=0.8)
    updates = form.shot_values(shot, 5, preset)
    back = {name: updates[form.fields[name]]["value"] for name in ("step_cache", "guidance_start", "guidance_stop")}
    assert back == {"step_cache": "light", "guidance_start": 0.2, "guidance_stop": 0.8}


def test_running_job_tells_its_plan_and_what_happened_to_it():
    note = "VRAM ran out at step 7 of 50 with the plan bf16 none; it goes on from there with int8 none"
    running = JobSnapshot(
        job_id="id", state=JobState.RUNNING, seed=7, stage="denoise", step=7, steps=50, plan=PLAN, notes=(note,)
    )
    html = progress_line("en", running)
    assert "plan bf16 group 14/40" in html and f'title="{plan_sentence("en", PLAN)}"' in html and note in html
    assert "显存在第 7/50 步耗尽" in progress_line("zh", running)
    failed = JobSnapshot(job_id="id", state=JobState.FAILED, seed=7, notes=(note,), error={"message": "RAM ran out."})
    assert note in ended_stage("en", failed)


def test_what_planning_says_is_translated():
    error = MemoryRanOut(
        "96x64 with 13 frames needs at least 1.9 GiB of RAM here (plan bf16 component): frames needs 0.9 GiB of RAM "
        "and 0.2 GiB can be used. Close other programs, raise the cap, take a smaller size or fewer frames, or choose "
        "to try anyway."
    )
    assert translate("zh", error.message).startswith(
        "96x64、13 帧至少需要 1.9 GB 内存（方案 bf16 component）：首尾帧阶段"
    )
    assert "GiB" not in translate("en", error.message)


def test_a_late_plan_leaves_alone_what_is_typed_meanwhile(studio):
    view, page = SystemView(studio, Access(None, None), Advisor(studio)), PageState()
    with gr.Blocks():
        view.draw(Wording())
    fields = set(view.limits.inputs)

    async def opened():
        answers = view.show(page, None)
        first = await anext(answers)
        # The page has shown them, and the planner takes longer than a moment.
        view.advisor.advise = slow(view.advisor.advise)
        return [first, *[answer async for answer in answers]]

    def slow(advise):
        return lambda *given: time.sleep(2 * AT_ONCE_SECONDS) or advise(*given)

    first, last = asyncio.run(opened())
    assert fields <= set(first) and view.plan in first
    assert not fields & set(last) and "RAM" in last[view.plan]


def test_guests_are_refused_the_whole_view(studio):
    access = Access(Account("anna", "owner-password"), Account("bob", "guest-password"))
    view = SystemView(studio, access, Advisor(studio))
    guest, page = gr.Request(request=SimpleNamespace(), username="bob"), PageState()

    async def call(handler, *arguments):
        answer = handler(*arguments)
        return await (anext(answer) if hasattr(answer, "__anext__") else answer)

    for handler in (view.open, view.show, view.refresh, view.reset, view.unload):
        with pytest.raises(gr.Error, match="Only the owner"):
            asyncio.run(call(handler, page, guest))
    with pytest.raises(gr.Error, match="Only the owner"):
        asyncio.run(call(view.apply, guest, page, *values_of({"ram_gb": 1}).values()))
    with pytest.raises(gr.Error, match="Only the owner"):
        asyncio.run(call(view.imagine.ask, page, "RTX 4090", None, 64, "", "published", "full", guest))
    assert studio.limits == {}
