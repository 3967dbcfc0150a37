"""The words of the page: complete in both languages, and never markup."""

from __future__ import annotations

import dataclasses
import errno
import os
import re
import string
from pathlib import Path

import pytest

from mova_studio import atomic
from mova_studio.errors import InputError
from mova_studio.jobs.snapshot import STAGES, JobSnapshot
from mova_studio.jobs.states import JobState
from mova_studio.library.presets import preset_for
from mova_studio.library.shot import Shot, check_num_frames, check_size
from mova_studio.library.take import Take
from mova_studio.ui import catalogue
from mova_studio.ui.cards import small_card
from mova_studio.ui.catalogue import TEXTS, language_of, say
from mova_studio.ui.cost import guess_seconds, passes
from mova_studio.ui.desk import Sight
from mova_studio.ui.queue_html import queue_list
from mova_studio.ui.served import Served
from mova_studio.ui.stage import ended_stage, progress_line, running_stage, take_stage, waveform_svg
from mova_studio.ui.theme import DARK, LIGHT
from mova_studio.ui.translated import translate
from mova_studio.ui.words import countdown, describe, duration, short_model

ROOM = Path(catalogue.__file__).parent
EVIL = "<img src=x onerror=alert(1)> \"'& </p>"
SHOT = Shot(prompt=EVIL, width=96, height=64, num_frames=13)
TAKE = Take(
    path=Path("/library/2026-02-08/x.mp4"),
    shot=SHOT,
    seed=2**60,
    width=96,
    height=64,
    num_frames=13,
    frame_rate=24.0,
    audio_seconds=0.54,
    integrated_lufs=-16.04,
    true_peak_dbtp=-1.2,
    seconds={"load": 1.0, "denoise": 8.0, "decode": 2.0},
    checkpoint="0",
    untrained=True,
    program="0",
    created="2026-02-08T00:00:00+00:00",
)
SERVED = Served(Path("x.mp4"), "gradio_api/file=/x.mp4", (0.1, 0.5, 1.0))
RUNNING = JobSnapshot(
    job_id="id", state=JobState.RUNNING, shot=SHOT, seed=7, seed_given=True,
    stage="denoise", step=21, steps=50, expert="high", seconds_left=408.0,
)  # fmt: skip


def places(text: str) -> set[str]:
    return {name for _text, name, _format, _conversion in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", list(TEXTS))
def test_every_text_is_there_in_both_languages_with_the_same_places(key):
    english, chinese = TEXTS[key]
    assert english and chinese and places(english) == places(chinese)
    has_words = re.search(r"[A-Za-z]", re.sub(r"\{[^}]*\}", "", english))
    alike = re.fullmatch(r"timeline\.(?:keys\.[a-z]+|file\.[a-z]+|lufs|dbtp)", key) is not None
    if has_words and key not in ("take.lufs", "header.language") and not (alike and english == chinese):
        assert re.search(r"[\u4e00-\u9fff]", chinese), "is Chinese"
        assert not re.search(r"[\u4e00-\u9fff]", english)
    assert not re.search(r"[\u4e00-\u9fff][,;?!]", chinese), "Chinese has its own punctuation"


def test_every_text_is_used_and_every_used_text_is_there():
    code = "\n".join(file.read_text("utf-8") for file in ROOM.glob("*.py") if "catalogue" not in file.name)
    named = set(re.findall(r'"((?:[a-z_]+\.)+[a-z_.]+|generate|cancel|preview|left)"', code))
    # f"stage.{stage}" uses whatever begins like it, and f"{place}.label" whatever ends like it.
    begun = tuple(re.findall(r"""f["']([a-z_]+\.[a-z_.]*)\{""", code))
    ended = tuple(re.findall(r"""f["']\{[^}]+\}(\.[a-z_.]+)["']""", code))

    def is_built(key: str) -> bool:
        return key.startswith(begun) or key.endswith(ended)

    script = "\n".join(file.read_text("utf-8") for file in ROOM.glob("timeline*.js"))
    said = set(re.findall(r"""["'`]([a-z][a-z_.]*)["'`]""", script))
    begun_there = tuple(re.findall(r"`([a-z_]+\.[a-z_.]*)\$\{", script))

    def is_said_by_the_editor(key: str) -> bool:
        name = key.removeprefix("timeline.")
        return name != key and (name in said or name.startswith(begun_there))

    unused = {key for key in TEXTS if key not in named and f"'{key}'" not in code and not is_built(key)}
    unused = {key for key in unused if not is_said_by_the_editor(key)}
    assert unused == set()


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [(0.04, "0.0 s", "0.0 秒"), (4.26, "4.3 s", "4.3 秒"), (48, "48 s", "48 秒"), (408, "6 min 48 s", "6 分 48 秒"),
     (7500, "2 h 5 min", "2 小时 5 分")],
)  # fmt: skip
def test_durations(seconds, english, chinese):
    assert (duration("en", seconds), duration("zh", seconds)) == (english, chinese)


def test_countdown_has_no_tenths():
    assert [countdown("en", seconds) for seconds in (0, 0.3, 1.4, 9.6, 75)] == [
        "1 s",
        "1 s",
        "1 s",
        "10 s",
        "1 min 15 s",
    ]


def test_progress_in_words_and_numbers():
    assert describe("en", RUNNING) == "denoising 21/50 · high-noise expert · 6 min 48 s left"
    assert describe("zh", RUNNING) == "去噪 21/50 · 高噪声专家 · 剩余 6 分 48 秒"
    waiting = dataclasses.replace(RUNNING, state=JobState.WAITING, ahead=2)
    assert describe("en", waiting) == "waiting, 2 ahead"
    assert "goes on from step 12" in describe("en", dataclasses.replace(RUNNING, begun_step=12))
    paused = dataclasses.replace(RUNNING, state=JobState.PAUSED)
    assert describe("en", paused) == "paused at 21/50"
    assert describe("en", dataclasses.replace(paused, step=0)) == "paused before it began"
    assert describe("en", dataclasses.replace(paused, scouted=True)) == "scout: judged at 21/50"
    for stage in STAGES:
        assert describe("en", dataclasses.replace(RUNNING, stage=stage))


@pytest.mark.parametrize("fraction", [-1.0, 0.0, 0.426, 1.0, 7.0])
def test_bar_stays_within_itself(fraction):
    bar = progress_line("en", dataclasses.replace(RUNNING, fraction=fraction))
    assert 0 <= int(re.search(r'aria-valuenow="(-?\d+)"', bar)[1]) <= 100
    assert progress_line("en", None) == ""


def test_what_people_type_is_never_markup():
    failed = dataclasses.replace(RUNNING, state=JobState.FAILED, error={"message": EVIL})
    for html in (
        small_card("en", TAKE, SERVED),
        queue_list("en", Sight(line=(RUNNING,)), "id"),
        take_stage("en", TAKE, SERVED, [EVIL], play=True),
        ended_stage("en", failed),
        running_stage("en", RUNNING),
    ):
        assert "<img" not in html and EVIL not in html


def test_untrained_says_so_wherever_it_shows():
    for language in ("en", "zh"):
        words = say(language, "take.untrained")
        assert words in take_stage(language, TAKE, SERVED, [], play=False)
        assert words in small_card(language, TAKE, SERVED)
    trained = dataclasses.replace(TAKE, untrained=False)
    assert "untrained" not in take_stage("en", trained, SERVED, [], play=False)


def test_take_shows_its_exact_seed_and_its_loudness():
    html = take_stage("en", TAKE, SERVED, [], play=True)
    assert f"seed {2**60}" in html and "-16.0 LUFS · peak -1.2 dBTP" in html and " autoplay" in html
    silent = dataclasses.replace(TAKE, integrated_lufs=None, true_peak_dbtp=None)
    assert "no loudness" in take_stage("en", silent, SERVED, [], play=False)


def test_preview_is_a_silent_loop():
    html = running_stage("en", dataclasses.replace(RUNNING, preview=b"mp4", preview_step=3))
    assert "data-sound" not in html and "m-listen" not in html
    heard = running_stage("en", dataclasses.replace(RUNNING, preview=b"..mp4a..", preview_step=3))
    assert "data-sound" in heard and "muted" in heard and "m-listen" in heard
    assert "muted" in html and "loop" in html and "base64,bXA0" in html and "step 3 of 50" in html


def test_waveform_has_a_bar_for_each_peak():
    assert waveform_svg((0.0, 0.5, 1.0), "sound").count("M") == 2 * 3


def test_model_without_its_folder():
    assert short_model("/home/anna/checkpoints/MOVA-360p/") == "MOVA-360p"
    assert short_model("OpenMOSS-Team/MOVA-720p") == "MOVA-720p" and short_model("demo") == "demo"


@pytest.mark.parametrize(
    ("header", "language"),
    [("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en-US,en", "en"), ("de-DE,zh;q=0.5", "zh"), ("fr", "en"), (None, "en")],
)
def test_language_of_the_browser(header, language):
    assert language_of(header) == language


def engine_sentences() -> list[str]:
    found = []
    for make in (
        lambda: Shot(prompt=""),
        lambda: Shot(prompt="x" * 30_000),
        lambda: check_size(97, 96),
        lambda: check_num_frames(10),
        lambda: Shot(prompt="x", num_inference_steps=0),
        lambda: Shot(prompt="x", guidance_scale=float("nan")),
        lambda: Shot(prompt="x", target_lufs=3.0),
        lambda: preset_for("demo").check_limits(320, 192, 9),
        lambda: preset_for("demo").check_limits(96, 64, 53),
    ):
        with pytest.raises(InputError) as caught:
            make()
        found.append(caught.value.message)
    return found


@pytest.mark.parametrize(
    "sentence",
    [
        *engine_sentences(),
        "First frame: It was turned upright as its EXIF orientation says.",
        "first frame: It was converted from CMYK to RGB.",
        "last frame: cropped to 96:64; 12% was cut off at the sides",
        "photo.png is empty (0 bytes); choose another picture.",
        "160x96 is too large for demo: the picture may have as many pixels as 64x64.",
        "what was saved at step 14 is damaged; the run starts over",
        "what was saved at step 3 belongs to another shot or checkpoint; the run starts over",
    ],
)
def test_what_comes_from_below_is_translated(sentence):
    chinese = translate("zh", sentence)
    assert chinese != sentence and re.search(r"[\u4e00-\u9fff]", chinese)
    assert translate("en", sentence) == sentence


@pytest.mark.parametrize("fault", [*atomic._REMEDIES, errno.EIO], ids=errno.errorcode.get)
@pytest.mark.parametrize("path", ["/home/anna/take.mp4", "a (1): b.json", ".runs"])
def test_why_a_file_cannot_be_written_is_translated(path, fault):
    message = atomic.output_error(Path(path), OSError(fault, os.strerror(fault))).message
    saving = "the run cannot be saved on the way, so that a crash would start it over: "
    training = (" The run can go on from step 7 with --resume.", " Nothing was saved yet.")
    for sentence in (message, saving + message, *(message + remedy for remedy in training)):
        chinese = translate("zh", sentence)
        assert path in chinese
        for kept in (path, os.strerror(fault), "--resume"):
            chinese = chinese.replace(kept, "")
        assert not re.search(r"[A-Za-z]{3,}", chinese)


def test_unknown_sentences_stay():
    assert translate("zh", "Something new.") == "Something new."


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "dim", "accent-text", "warn", "bad"])
@pytest.mark.parametrize("ground", ["background", "panel", "raised"])
def test_contrast_of_text(theme, ink, ground):
    bright, dark = sorted((luminance(theme[ink]), luminance(theme[ground])), reverse=True)
    assert (bright + 0.05) / (dark + 0.05) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_contrast_of_the_primary_button(theme):
    assert (luminance(theme["accent"]) + 0.05) / (luminance(theme["on-accent"]) + 0.05) >= 4.5


def test_passes_of_the_network():
    assert [passes(5, 1), passes(1, 1), passes(5, 3.5), passes(4, 4), passes(0, 1)] == [2, 1, 3, 2, 1]


def test_cost_scales_from_a_take_of_the_same_checkpoint():
    alike = {"model": "demo", "width": 96, "height": 64, "num_frames": 13, "guidance_scale": 5.0,
             "bridge_guidance_scale": 1.0}  # fmt: skip
    assert guess_seconds([], num_inference_steps=50, **alike) is None
    assert guess_seconds([TAKE], num_inference_steps=50, **alike) == pytest.approx(10.0)
    assert guess_seconds([TAKE], num_inference_steps=25, **alike) == pytest.approx(6.0)
    assert guess_seconds([TAKE], num_inference_steps=50, **alike | {"width": 192}) == pytest.approx(20.0)
    assert guess_seconds([TAKE], num_inference_steps=50, **alike | {"model": "other"}) is None
