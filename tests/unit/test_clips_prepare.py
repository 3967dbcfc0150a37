"""Raw films become clips within scenes and phrases; what is no use is dropped for a reason; nothing is done twice."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from clip_films import write_film
from hypothesis import given
from hypothesis import strategies as st
from test_media_loudness import speech

from mova_studio.cli import main
from mova_studio.errors import AnswerError, Cancelled, InputError
from mova_studio.media.probe import decode_audio, decode_frames
from mova_studio.prompting.backend import ComposerBackend
from mova_studio.prompting.model import FrameDescription
from mova_studio.training.clips.cutting import cut_film
from mova_studio.training.clips.decode import Clip, read_clip
from mova_studio.training.clips.padding import pad_to
from mova_studio.training.clips.prepare import Preparation, prepare
from mova_studio.training.clips.scenes import scene_starts
from mova_studio.training.clips.scoring import Limits, OwnMeasures, bandwidth, limits_from, plugin_scorers
from mova_studio.training.clips.sources import list_clips

SMALL = {"seconds": 1.0, "width": 96, "height": 64}


def moving(count: int, seed: int, size: tuple[int, int] = (64, 48)) -> list[np.ndarray]:
    """A texture that turns sideways, another one for each seed."""
    rng = np.random.default_rng(seed)
    texture = rng.integers(0, 255, (size[1] // 4, size[0] // 4, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    texture = texture // 3 + np.uint8(160 * (seed % 2))
    return [np.roll(texture, 2 * shift, axis=1) for shift in range(count)]


def noise(seconds: float, level: float = 0.1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, level, (1, round(seconds * 48_000))).clip(-1, 1).astype(np.float32)


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    """A film of two scenes of 30 and 60 frames with a caption, one that stands still, and one without sound."""
    folder = tmp_path_factory.mktemp("raw")
    scenes = [*moving(30, 0), *moving(60, 1)]
    write_film(folder / "two.mov", [n / 24 for n in range(90)], noise(3.75), pictures=scenes)
    (folder / "two.txt").write_text('A man says, "Hello."')
    write_film(folder / "still.mov", [n / 24 for n in range(30)], noise(1.25), pictures=moving(1, 3) * 30)
    write_film(folder / "silent.mov", [n / 24 for n in range(30)], None, pictures=moving(30, 4))
    return folder


@pytest.fixture(scope="module")
def prepared(raw: Path, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    prepare(list_clips(raw), folder, Preparation(**SMALL))
    return folder


@given(
    st.integers(0, 400),
    st.lists(st.integers(0, 420), max_size=6),
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 60)), max_size=8),
    st.integers(1, 80),
)
def test_clips_lie_within_scenes_and_cut_no_phrase(num_frames, starts, phrases, length):
    spans = [(start, start + long) for start, long in phrases]
    cutting = cut_film(num_frames, starts, spans, length)
    cuts = {start for start in starts if 0 < start < num_frames}
    for start, stop in cutting.clips:
        assert start >= 0 and stop == start + length <= num_frames
        assert not any(start < cut < stop for cut in cuts)
        for begin, end in spans:
            assert not begin < start < min(end, num_frames) and not begin < stop < min(end, num_frames)
    assert all(first[1] <= second[0] for first, second in pairwise(cutting.clips))
    assert len(cutting.clips) * length + cutting.short + cutting.speech == num_frames


def test_a_clip_waits_for_the_end_of_a_phrase():
    assert cut_film(100, [0], [(0, 10), (45, 60)], 50).clips == ((10, 60),)
    assert cut_film(100, [0], [(20, 100)], 50) == cut_film(100, [], [(20, 100)], 50)
    unbroken = cut_film(100, [0], [(10, 95)], 50)
    assert unbroken.clips == () and unbroken.speech == 100


def test_scenes_begin_where_the_picture_changes_and_not_where_it_moves():
    assert scene_starts(iter([*moving(30, 0), *moving(40, 1), *moving(20, 2)])) == ([0, 30, 70], 90)
    assert scene_starts(iter([])) == ([0], 0)


@pytest.mark.parametrize(("width", "height", "shape"), [(64, 48, (64, 96)), (48, 64, (96, 64)), (200, 20, (64, 96))])
def test_pictures_are_padded_whole_to_the_size_or_to_it_on_its_side(width, height, shape):
    padded = pad_to(96, 64)(np.full((height, width, 3), 255, np.uint8))
    assert padded.shape == (*shape, 3)
    seen = padded[..., 0] > 128
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    assert len(columns) / len(rows) == pytest.approx(width / height, rel=0.1)
    assert rows[0] == shape[0] - 1 - rows[-1] or abs(rows[0] - (shape[0] - 1 - rows[-1])) == 1
    assert len(rows) == shape[0] or len(columns) == shape[1]


def test_two_scenes_become_three_clips_that_can_be_read(prepared: Path):
    listing = list_clips(prepared)
    assert len(listing.clips) == 3 and not listing.skipped
    assert {clip.caption for clip in listing.clips} == {'A man says, "Hello."'}
    assert [clip.name.rpartition("-")[2] for clip in listing.clips] == ["0000000.mp4", "0000030.mp4", "0000055.mp4"]
    for clip in listing.clips:
        read = read_clip(clip.media(), 99)
        assert read.frames.shape == (25, 64, 96, 3) and read.audio.shape == (50_000,)
        assert decode_audio(clip.file)[0].shape[0] == 1
    dark, light = (decode_frames(listing.clips[place].file).mean() for place in (0, 1))
    assert light - dark > 50


def test_clips_are_cut_around_what_is_said(tmp_path: Path):
    sound = noise(5, 3e-3)
    sound[0, 24_000 : 24_000 + 72_000] += speech(1.5)[0].astype(np.float32)  # from 0.5 to 2 s
    folder = tmp_path / "raw"
    folder.mkdir()
    write_film(folder / "talk.mov", [n / 24 for n in range(120)], sound, pictures=moving(120, 0))
    report = prepare(list_clips(folder), tmp_path / "out", Preparation(**SMALL, limits=Limits(loudness_lufs=-90)))
    starts = [int(clip.name[-11:-4]) / 24 for clip in list_clips(tmp_path / "out").clips]
    assert starts[0] == pytest.approx(2.0, abs=0.15) and len(starts) == 2
    assert report.dropped["within a phrase"] == pytest.approx(2.0, abs=0.15)
    report = prepare(list_clips(folder), tmp_path / "out", Preparation(**SMALL | {"seconds": 2.4}))
    assert report.dropped["no whole clip left in the scene"] == pytest.approx(6 / 24, abs=0.001)
    (record,) = (json.loads(file.read_text("utf-8")) for file in (tmp_path / "out" / ".prepare").iterdir())
    assert [(clip["start"], clip["speaks"]) for clip in record["clips"]] == [(0, True), (57, False)]


def test_the_report_says_what_was_dropped_and_why(prepared: Path):
    report = json.loads((prepared / "report.json").read_text("utf-8"))
    assert report["seconds"] == pytest.approx((90 + 30 + 30) / 24, abs=0.001)
    assert report["kept_seconds"] == pytest.approx(75 / 24, abs=0.001) and report["share"] == 0.5
    assert report["dropped"] == {
        "the film cannot be used": 1.25,
        "freeze": pytest.approx(25 / 24, abs=0.001),
        "no whole clip left in the scene": pytest.approx(20 / 24, abs=0.001),
    }
    assert {fault["name"].split()[0]: fault["reason"] for fault in report["faults"]} == {
        "silent.mov": f"{report['faults'][0]['reason']}",
        "still.mov": "The picture stands still for 100% of it; freeze_share must be at most 0.5.",
    }
    assert report["faults"][0]["reason"].endswith("has no sound.")
    words = (prepared / "report.txt").read_text("utf-8")
    assert (
        words.startswith("3 clips, 3.1 of 6.2 s (50.00%) survived.") and "still.mov 0.00-1.04 s: The picture" in words
    )


def test_a_second_run_does_nothing_and_a_lost_clip_is_made_again(raw: Path, tmp_path: Path):
    listing = list_clips(raw)
    prepare(listing, tmp_path, Preparation(**SMALL))
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "clips").iterdir()}
    told: list[dict] = []
    report = prepare(listing, tmp_path, Preparation(**SMALL), on_event=told.append)
    assert before == {file: file.stat().st_mtime_ns for file in (tmp_path / "clips").iterdir()}
    assert [event["kind"] for event in told] == ["skipped", "film", "film", "film"] and report.clips == 3
    lost = sorted(before)[0]
    lost.unlink()
    assert prepare(listing, tmp_path, Preparation(**SMALL)).clips == 3 and lost.is_file()
    other = prepare(listing, tmp_path, Preparation(**SMALL | {"seconds": 2.0}))
    assert other.clips == 1 == len(list((tmp_path / "clips").iterdir()))


def test_a_run_that_is_stopped_goes_on(raw: Path, tmp_path: Path):
    told: list[dict] = []
    with pytest.raises(Cancelled):
        prepare(
            list_clips(raw),
            tmp_path,
            Preparation(**SMALL),
            on_event=told.append,
            cancelled=lambda: sum(event["kind"] == "clip" for event in told) >= 2,
        )
    kept = {file: file.stat().st_mtime_ns for file in (tmp_path / "clips").iterdir()}
    assert len(kept) == 1  # of two clips that were judged, one stands still
    assert not (tmp_path / "metadata.json").exists()
    assert prepare(list_clips(raw), tmp_path, Preparation(**SMALL)).clips == 3
    assert all(file.stat().st_mtime_ns == time for file, time in kept.items())


class Looker(ComposerBackend):
    """A backend that can see: it says how light the first frame is."""

    name = "local:looker"
    can_see = True

    def describe_frame(self, png, prompt, on_text, cancelled):
        import io

        from PIL import Image

        light = np.asarray(Image.open(io.BytesIO(png))).mean() > 128
        return FrameDescription("a photograph", "", "a light wall" if light else "a dark wall", "")


class Mute(Looker):
    name = "local:mute"

    def rewrite(self, prompt, frame, feedback, on_text, cancelled):
        raise AnswerError("The answer is empty.")


def test_captions_are_written_kept_and_never_put_over_a_persons_own(raw: Path, tmp_path: Path):
    listing = list_clips(raw)
    bare = type(listing)(
        tuple(type(clip)(**vars(clip) | {"caption": ""}) for clip in listing.clips if clip.name == "two.mov"), ()
    )
    assert prepare(bare, tmp_path, Preparation(**SMALL)).uncaptioned == 3
    blind = prepare(bare, tmp_path, Preparation(**SMALL), backend=ComposerBackend())
    assert blind.uncaptioned == 3 and all("cannot see" in note for note in blind.notes)
    rows = json.loads((tmp_path / "metadata.json").read_text("utf-8"))
    rows[1]["caption"] = "Mine."
    (tmp_path / "metadata.json").write_text(json.dumps(rows))
    assert prepare(bare, tmp_path, Preparation(**SMALL), backend=Mute()).uncaptioned == 2
    report = prepare(bare, tmp_path, Preparation(**SMALL), backend=Looker())
    first, second, third = (row["caption"] for row in json.loads((tmp_path / "metadata.json").read_text("utf-8")))
    assert "dark wall" in first and second == "Mine." and "light wall" in third and "Nobody speaks" in first
    assert report.uncaptioned == 0 and report.notes == ()
    told = prepare(listing, tmp_path, Preparation(**SMALL), backend=ComposerBackend())
    captions = [clip.caption for clip in list_clips(tmp_path).clips]
    assert captions[1] == "Mine." and '"Hello."' in captions[0] and told.clips == 3


@pytest.mark.parametrize(
    ("kind", "frames", "audio"),
    [
        ("black", [np.zeros((48, 64, 3), np.uint8)] * 24, noise(1)),
        ("silence", moving(24, 0), noise(1) * 0),
        ("quiet", moving(24, 0), noise(1, 2e-3)),
        ("clipping", moving(24, 0), np.sign(noise(1))),
        ("narrow sound", moving(24, 0), np.sin(np.arange(48_000) * 0.05)[None] * np.hanning(48_000) * 0.3),
        ("blurred", [np.full((48, 64, 3), 9 * n, np.uint8) for n in range(24)], noise(1)),
    ],
)
def test_each_flaw_has_its_name(kind, frames, audio):
    clip = Clip(np.stack(frames), audio[0].astype(np.float32))
    score = OwnMeasures(Limits(freeze_share=1.0)).score(clip)
    assert kind in {fault.kind for fault in score.faults}, score.figures
    assert all(fault.reason.endswith(".") for fault in score.faults)
    good = OwnMeasures(Limits()).score(Clip(np.stack(moving(24, 0)), noise(1)[0]))
    assert good.faults == ()


def test_sound_that_comes_late_is_out_of_sync():
    rng = np.random.default_rng(5)
    hits = np.cumsum(rng.uniform(0.3, 0.6, 12))
    frames, sound = [], np.zeros(6 * 48_000, np.float32)
    for number in range(6 * 24):
        picture = np.zeros((64, 64, 3), np.uint8)
        height = abs(np.sin(np.pi * np.interp(number / 24, [0, *hits], np.arange(13))))
        top = 44 - int(40 * height)
        picture[top : top + 16, 24:40] = 255
        frames.append(picture)
    for hit in hits[hits < 5.5]:
        at = round((hit + 0.3) * 48_000)
        sound[at : at + 2400] += (rng.normal(0, 0.5, 2400) * np.exp(-np.arange(2400) / 500)).astype(np.float32)
    figures = OwnMeasures(Limits()).score(Clip(np.stack(frames), sound.clip(-1, 1)))
    assert figures.figures["offset_ms"] == pytest.approx(300, abs=60)
    assert "out of sync" in {fault.kind for fault in figures.faults}
    loose = OwnMeasures(Limits(offset_ms=400)).score(Clip(np.stack(frames), sound.clip(-1, 1)))
    assert "out of sync" not in {fault.kind for fault in loose.faults}


def test_telephone_sound_is_narrower_than_the_limit_lets_pass_and_more():
    from scipy.signal import butter, sosfilt

    phone = sosfilt(butter(20, 3000, fs=48_000, output="sos"), noise(1)[0])
    assert bandwidth(phone.astype(np.float32)) < 6000 < 20_000 < bandwidth(noise(1)[0])
    assert bandwidth(np.zeros(48_000, np.float32)) is None


def test_limits_and_lengths_that_cannot_be_are_refused():
    assert limits_from(["offset_ms=100", "freeze_share = 0.2"]) == Limits(offset_ms=100, freeze_share=0.2)
    for texts in (["offset=1"], ["offset_ms"], ["offset_ms=soon"], ["offset_ms=nan"]):
        with pytest.raises(InputError, match="is no limit; give NAME=NUMBER with one of freeze_share"):
            limits_from(texts)
    assert Preparation().num_frames == 193 and Preparation(seconds=1.0).num_frames == 25
    for wrong in ({"seconds": 0.0}, {"seconds": float("nan")}, {"width": 1270}):
        with pytest.raises(InputError):
            Preparation(**wrong)


def test_a_scorer_of_another_package_has_its_say(raw: Path, tmp_path: Path, monkeypatch):
    package = tmp_path / "packages"
    about = package / "heavy-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: heavy\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[mova_studio.clip_scorers]\nstrict = heavy_scorer:Strict\n")
    (package / "heavy_scorer.py").write_text(
        "from mova_studio.training.clips.scoring import Fault, Score\n"
        "class Strict:\n"
        "    name = 'strict-1'\n"
        "    def score(self, clip):\n"
        "        light = float(clip.frames.mean())\n"
        "        faults = (Fault('too light', f'Its light is {light:.0f}.'),) if light > 100 else ()\n"
        "        return Score({'light': light}, faults)\n"
    )
    monkeypatch.syspath_prepend(str(package))
    with pytest.raises(InputError, match="no scorer 'other'; installed packages offer: strict"):
        plugin_scorers(["other"])
    report = prepare(list_clips(raw), tmp_path / "out", Preparation(**SMALL, scorers=plugin_scorers(["strict"])))
    assert report.clips == 1 and report.dropped["too light"] == pytest.approx(50 / 24, abs=0.001)


def test_the_command_line_prepares(raw: Path, tmp_path: Path, capsys):
    arguments = ["train", "prepare", str(raw), "--out", str(tmp_path / "out"), "--seconds", "1", "--size", "96x64"]
    assert main([*arguments, "--caption", "composer", "--json", "--events"]) == 0
    told = capsys.readouterr()
    answer = json.loads(told.out)
    assert (answer["clips"], answer["share"], answer["uncaptioned"]) == (3, 0.5, 0)
    assert {json.loads(line)["event"] for line in told.err.splitlines()} == {"skipped", "clip", "film"}
    assert main(arguments) == 0
    assert capsys.readouterr().out.startswith("3 clips, 3.1 of 6.2 s (50.00%) survived.\n")
    for wrong, words in [
        (["--out", str(raw / "inside")], "lies inside of"),
        (["--limit", "x=1"], "is no limit"),
        (["--scorer", "nobody"], "There is no scorer"),
        (["--caption", "wizard"], "must be composer"),
    ]:
        assert main([*arguments, *wrong, "--json"]) == 2
        assert words in json.loads(capsys.readouterr().out)["error"]["message"]
