"""Timelines in other programs: equal when they come back, the same frames in every format's own reader."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import unquote

import opentimelineio as otio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentimelineio.opentime import RationalTime, TimeRange
from timelines import timelines, write_flash

from mova_studio.errors import InputError, OutputError
from mova_studio.timeline import edits
from mova_studio.timeline.clip import Clip, Source, Title, Transition
from mova_studio.timeline.exchange import exchange_text, export, import_otio
from mova_studio.timeline.file import load
from mova_studio.timeline.layout import film_frames, place, source_frame_of
from mova_studio.timeline.model import Caption, Sound, Timeline
from mova_studio.timeline.otio_read import from_otio_text
from mova_studio.timeline.otio_write import KEY, one_line, to_otio
from mova_studio.timeline.project_folder import write_folder

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
TIMECODED = (24, Fraction(24000, 1001), 25, Fraction(30000, 1001), 30, 60)
RATE = Fraction(24)
NOWHERE = Path("/nowhere")


@pytest.fixture(scope="module")
def media(tmp_path_factory) -> list[Source]:
    """Three takes of 24 frames and one second, and a take without sound."""
    folder = tmp_path_factory.mktemp("media 雨")
    made = [write_flash(folder / f"take {number}.mp4", flash=4 * number + 4) for number in range(3)]
    return [*made, write_flash(folder / "silent.mp4", sound=False)]


@pytest.fixture
def film(media) -> Timeline:
    """A bit of everything that a timeline has."""
    clips = (
        Clip("a", media[0], 2, 20, gain_db=-3.0, fade_in=100),
        Clip("b", media[1], 0, 24, transition=Transition("dissolve", 5), fit="crop"),
        Clip("c", media[2], 0, 24, speed=2.0, transition=Transition("dissolve", 4)),
        Clip("d", Title("Der Titel\nzwei", 20), 0, 20, transition=Transition("black", 7)),
        Clip("e", media[3], 3, 23, transition=Transition("dissolve", 6), match_colour=True),
        Clip("f", media[0], 0, 24, speed=0.5, gain_db=None, transition=Transition("white", 4)),
    )
    sounds = (Sound("s", media[1], 10, 4800, 40_000, role="voice"), Sound("t", media[2], 40, 0, 48_000, fade_in=9))
    captions = (Caption("k", "b", 3, 12, "Hello -->\nthere"), Caption("l", "e", 0, 24, "雨"))
    return Timeline(64, 48, RATE, name="Ein <Film> & mehr", clips=clips, sounds=sounds, captions=captions)


def shown(track: otio.schema.Track, rate: Fraction) -> list[set[tuple[str, int]]]:
    """What every frame of a film at `rate` shows by OpenTimelineIO's meaning: name and frame of the media."""
    total = round(track.duration().rescaled_to(float(rate)).value)
    found: list[set[tuple[str, int]]] = [set() for _ in range(total)]
    items = list(track)
    for index, item in enumerate(items):
        if not isinstance(item, otio.schema.Clip):
            continue
        begin, stop = (
            round(time.rescaled_to(float(rate)).value)
            for time in (item.range_in_parent().start_time, item.range_in_parent().end_time_exclusive())
        )
        before, behind = (items[at] if 0 <= at < len(items) else None for at in (index - 1, index + 1))
        head = offset(before, "in_offset", rate)
        tail = offset(behind, "out_offset", rate)
        speed = next((effect.time_scalar for effect in item.effects), 1.0)
        source = item.source_range.start_time
        for frame in range(begin - head, stop + tail):
            number = source.value + (frame - begin) / float(rate) * speed * source.rate
            found[frame].add((item.name, int(number + 0.5)))
    return found


def offset(item: Any, which: str, rate: Fraction) -> int:
    if not isinstance(item, otio.schema.Transition) or item.transition_type != "SMPTE_Dissolve":
        return 0
    return round(getattr(item, which).rescaled_to(float(rate)).value)


def ours_shown(timeline: Timeline) -> list[set[tuple[str, int]]]:
    found: list[set[tuple[str, int]]] = [set() for _ in range(film_frames(timeline))]
    for each in place(timeline):
        name = one_line(each.clip.source.text[:80] if isinstance(each.clip.source, Title) else each.clip.source.name)
        for frame in range(each.start, each.stop):
            found[frame].add((name, source_frame_of(each, frame, timeline.frame_rate)))
    return found


@given(timelines(min_clips=1))
@QUICK
def test_every_timeline_comes_back_equal(timeline):
    text, _ = exchange_text(timeline, "otio")
    back, notes = from_otio_text(text, NOWHERE)
    assert back == timeline
    assert all(note.startswith("Missing: ") for note in notes)


@given(timelines(min_clips=1, rates=(24, 30), film_rates=(24,), speeds=st.sampled_from([1.0, 2.0])))
@QUICK
def test_other_programs_show_the_same_frames(timeline):
    theirs = shown(to_otio(timeline).tracks[0], timeline.frame_rate)
    ours = ours_shown(timeline)
    assert len(theirs) == len(ours)
    for frame, (one, other) in enumerate(zip(theirs, ours, strict=True)):
        last = {(name, number - 1) for name, number in one} | one
        assert len(one) == len(other) and other <= last, frame


def test_a_file_opens_in_the_projects_own_tools(film, tmp_path):
    written = export(film, tmp_path / "film.otio")
    read = otio.adapters.read_from_file(str(written.path))
    assert read.duration().rescaled_to(24).value == film_frames(film)
    assert read.name == film.name
    for tool in ("otiostat", "otiocat"):
        command = [sys.executable, "-m", f"opentimelineio.console.{tool}"]
        said = subprocess.run([*command, str(written.path)], capture_output=True, text=True, timeout=120)
        assert said.returncode == 0, said.stderr
        assert ("parsed: True" if tool == "otiostat" else KEY) in said.stdout
    back, notes = import_otio(written.path)
    assert back == film and notes == ()


def test_tracks_media_markers_and_titles_stand_where_other_programs_look(film, media, tmp_path):
    tracks = to_otio(film).tracks
    assert [track.kind for track in tracks] == ["Video", "Audio", "Audio"]
    clips = list(tracks[0].find_clips())
    assert clips[0].media_reference.target_url == Path(media[0].path).as_uri()
    assert clips[0].media_reference.available_range.duration == RationalTime(24, 24)
    assert clips[0].source_range == TimeRange(RationalTime(2, 24), RationalTime(15, 24))
    assert clips[1].source_range.start_time == RationalTime(2, 24)
    assert (clips[1].markers[0].name, clips[1].markers[0].marked_range.start_time.value) == ("Hello -->\nthere", 3)
    assert clips[2].effects[0].time_scalar == 2.0
    assert clips[3].media_reference.parameters["text"] == "Der Titel\nzwei"
    kinds = [(each.transition_type, each.name) for each in tracks[0] if isinstance(each, otio.schema.Transition)]
    assert kinds[2] == ("Custom_Transition", "Dip to black") and kinds[0] == ("SMPTE_Dissolve", "Cross dissolve")
    assert [clip.enabled for clip in tracks[1].find_clips()] == [True, True, True, False]
    assert abs(tracks[1].duration().to_seconds() - film_frames(film) / 24) < 1e-6
    gone = dataclasses.replace(
        film, clips=(Clip("g", dataclasses.replace(media[0], path="/gone/x.mp4"), 0, 9),), captions=()
    )
    lost = export(gone, tmp_path / "gone.otio")
    assert isinstance(to_otio(gone).tracks[0].find_clips()[0].media_reference, otio.schema.MissingReference)
    assert any("/gone/x.mp4" in note for note in lost.notes)
    assert import_otio(lost.path)[0] == gone


def test_the_sound_track_lies_on_its_samples_and_ends_with_the_film(film):
    track = to_otio(film).tracks[2]
    pieces = list(track.find_clips())
    assert [round(each.range_in_parent().start_time.rescaled_to(48_000).value) for each in pieces] == [20_000, 80_000]
    assert pieces[0].source_range == TimeRange(RationalTime(4800, 48_000), RationalTime(35_200, 48_000))
    short = edits.remove(edits.remove(edits.remove(film, "f"), "e"), "d")
    assert abs(to_otio(short).tracks[2].duration().to_seconds() - film_frames(short) / 24) < 1e-6


@given(timelines(min_clips=1, rates=TIMECODED, film_rates=TIMECODED))
@QUICK
def test_an_edl_reads_back_with_its_cuts_dissolves_and_speeds(timeline):
    text, _ = exchange_text(timeline, "edl")
    read = otio.adapters.read_from_string(text, "cmx_3600", rate=float(timeline.frame_rate))
    clips = list(read.tracks[0].find_clips())
    placed = place(timeline)
    assert [round(clip.source_range.duration.value) for clip in clips] == [
        each.length - (behind.overlap if behind else 0)
        for each, behind in zip(placed, [*placed[1:], None], strict=True)
    ]
    for each, clip in zip(placed, clips, strict=True):
        source_rate = getattr(each.clip.source, "frame_rate", timeline.frame_rate)
        begin = clip.source_range.start_time.to_seconds() * float(source_rate)
        assert abs(begin - each.clip.start) <= 0.51 * max(1.0, float(source_rate / timeline.frame_rate))
    dissolves = [each.clip.transition.frames for each in placed if each.overlap]
    found = [each for each in read.tracks[0] if isinstance(each, otio.schema.Transition)]
    assert [(round(each.in_offset.value), round(each.out_offset.value)) for each in found] == [
        (0, n) for n in dissolves
    ]


def test_an_edl_says_speeds_and_reels(film, media):
    text, notes = exchange_text(film, "edl")
    read = otio.adapters.read_from_string(text, "cmx_3600", rate=24)
    speeds = [[effect.time_scalar for effect in clip.effects] for clip in read.tracks[0].find_clips()]
    assert speeds == [[], [], [2.0], [], [], [0.5]]
    lines = [line.split() for line in text.splitlines() if line[:3].isdigit()]
    reels = [line[1] for line in lines]
    assert reels[0] == reels[-1] == "TAKE0001" and len(set(reels)) == 5
    fast = next(line for line in lines if line[0] == "003" and line[3] == "D")
    assert fast[5:7] == ["00:00:00:00", "00:00:01:00"] and fast[4] == "004"
    assert any("captions" in note and "ducking" in note for note in notes) and any(
        "became cuts" in note for note in notes
    )
    assert any("track" in note for note in notes)


@given(timelines(min_clips=1, rates=TIMECODED, film_rates=TIMECODED, speeds=st.just(1.0)))
@QUICK
def test_xml_reads_back_with_its_cuts_and_dissolves(timeline):
    text, _ = exchange_text(timeline, "xml")
    read = otio.adapters.read_from_string(text, "fcp_xml")
    track = read.video_tracks()[0]
    rate = float(timeline.frame_rate)
    items = to_otio(timeline).tracks[0].find_clips()
    spliced = [item for item in items if round(item.source_range.duration.rescaled_to(rate).value)]
    clips = list(track.find_clips())
    lengths = [round(clip.source_range.duration.rescaled_to(rate).value) for clip in clips]
    assert lengths == [round(item.source_range.duration.rescaled_to(rate).value) for item in spliced]
    for item, clip in zip(spliced, clips, strict=True):
        apart = clip.source_range.start_time.to_seconds() - item.source_range.start_time.to_seconds()
        assert abs(apart) <= 0.6 / min(item.source_range.start_time.rate, rate)
    wanted = [each.clip.transition for each in place(timeline)]
    dissolves = [each.frames for each in wanted if each and each.kind == "dissolve" and each.frames > 1]
    whole = [
        round(each.in_offset.value + each.out_offset.value)
        for each in track
        if isinstance(each, otio.schema.Transition) and each.in_offset.value and each.out_offset.value
    ]
    assert whole == dissolves


def test_two_equal_clips_are_two_in_xml(media):
    twice = Timeline(64, 48, RATE, clips=(Clip("a", media[0], 3, 9), Clip("b", media[0], 3, 9)))
    read = otio.adapters.read_from_string(exchange_text(twice, "xml")[0], "fcp_xml")
    for track in read.tracks:
        assert [clip.source_range.duration.value for clip in track.find_clips()] == [6, 6]
        assert track.duration().value == 12


def test_xml_has_size_sound_titles_speeds_and_fades(film):
    text, notes = exchange_text(film, "xml")
    read = otio.adapters.read_from_string(text, "fcp_xml")
    assert read.name == film.name
    assert "<width>64</width>" in text and "<value>Der Titel / zwei</value>" in text
    assert "<effectid>timeremap</effectid>" in text and "<value>200</value>" in text
    assert [len(list(track.find_clips())) for track in read.audio_tracks()] == [3, 2]
    alignments = [line.strip() for line in text.splitlines() if "alignment" in line]
    assert alignments.count("<alignment>end-black</alignment>") == 2
    assert any("fade to black" in note for note in notes)
    fast = list(read.video_tracks()[0].find_clips())[2]
    assert fast.source_range.start_time.value == 2


def test_captions_are_files_of_their_own(film, tmp_path):
    export(film, tmp_path / "film.srt")
    assert "-->" in (tmp_path / "film.srt").read_text("utf-8") and "雨" in (tmp_path / "film.srt").read_text("utf-8")
    assert export(film, tmp_path / "film.vtt").path.read_text("utf-8").startswith("WEBVTT")
    with pytest.raises(InputError, match="no captions"):
        export(dataclasses.replace(film, captions=()), tmp_path / "none.srt")


def test_what_cannot_be_written_says_so_and_leaves_what_was_there(film, tmp_path):
    (tmp_path / "old.otio").write_text("old")
    with pytest.raises(InputError, match="add a clip first"):
        export(Timeline(64, 48, RATE), tmp_path / "old.otio")
    assert (tmp_path / "old.otio").read_text() == "old"
    with pytest.raises(InputError, match=r"end it in \.otio, \.edl, \.xml, \.srt or \.vtt"):
        export(film, tmp_path / "film.aaf")
    odd = edits.change_film(film, frame_rate=Fraction(25, 2))
    for kind in ("edl", "xml"):
        with pytest.raises(InputError, match=r"there is none for 12\.5"):
            export(odd, tmp_path / f"film.{kind}")
    with pytest.raises(OutputError, match="folder does not exist"):
        export(film, tmp_path / "no" / "film.otio")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["old.otio"]


def foreign(*items: Any, audio: tuple = (), rate: float = 24.0) -> str:
    film = otio.schema.Timeline(name="cut", global_start_time=RationalTime(86400, rate))
    film.tracks.append(otio.schema.Track("V1", children=list(items), kind="Video"))
    for number, track in enumerate(audio):
        film.tracks.append(otio.schema.Track(f"A{number}", children=list(track), kind="Audio"))
    return film.to_json_string()


def piece(
    source: Source | str, start: float, length: float, rate: float = 24.0, *, first: float = 0, **more: Any
) -> otio.schema.Clip:
    url = source if isinstance(source, str) else Path(source.path).as_uri()
    whole = TimeRange(RationalTime(first, rate), RationalTime(24, rate))
    return otio.schema.Clip(
        name="piece",
        media_reference=otio.schema.ExternalReference(target_url=url, available_range=whole),
        source_range=TimeRange(RationalTime(first + start, rate), RationalTime(length, rate)),
        **more,
    )


def gap(length: float, rate: float = 24.0) -> otio.schema.Gap:
    return otio.schema.Gap(source_range=TimeRange(RationalTime(0, rate), RationalTime(length, rate)))


def fade(before: float, behind: float, **more: Any) -> otio.schema.Transition:
    kind = more.pop("kind", "SMPTE_Dissolve")
    return otio.schema.Transition(
        transition_type=kind, in_offset=RationalTime(before, 24), out_offset=RationalTime(behind, 24), **more
    )


def test_a_cut_of_another_program_is_read_to_the_frame(media):
    text = foreign(
        piece(media[0], 2, 10, first=3600),
        fade(3, 2),
        piece(media[1], 6, 10),
        gap(12),
        piece(media[2], 0, 8, effects=[otio.schema.LinearTimeWarp(time_scalar=2.0)]),
        fade(2, 2, name="Dip to white", kind="Custom_Transition"),
        piece(media[3], 4, 6),
    )
    read, notes = from_otio_text(text, NOWHERE)
    a, b, black, fast, last = read.clips
    assert (read.frame_rate, read.width, read.height, film_frames(read)) == (24, 64, 48, 46)
    assert (a.start, a.stop) == (2, 14) and (b.start, b.stop) == (3, 16)
    assert b.transition == Transition("dissolve", 5)
    assert black.source == Title("", 12, ground="#000000")
    assert (fast.start, fast.stop, fast.speed) == (0, 16, 2.0)
    assert (last.start, last.stop, last.transition) == (4, 10, Transition("white", 4))
    assert [each.start for each in place(read)] == [0, 7, 20, 32, 40]
    assert notes == ("A gap of 12 frames became a black title.",)


def test_sound_of_another_program_is_linked_or_a_piece_of_its_own(media):
    pictures = (piece(media[0], 2, 10), piece(media[1], 0, 24))
    own = (piece(media[0], 2, 10), gap(24))
    music = (gap(6), piece(media[2], 12, 12), gap(1))
    over = (gap(7), piece(media[1], 3, 4))
    read, notes = from_otio_text(foreign(*pictures, audio=(own, music, over)), NOWHERE)
    assert [clip.gain_db for clip in read.clips] == [0.0, None]
    assert [(each.at, each.start, each.stop, each.source.path) for each in read.sounds] == [
        (6, 24_000, 48_000, media[2].path)
    ]
    assert any("One sound is heard at a time" in note for note in notes)
    assert [clip.gain_db for clip in from_otio_text(foreign(*pictures), NOWHERE)[0].clips] == [0.0, 0.0]


def test_what_cannot_be_held_is_named(media):
    text = foreign(
        fade(0, 4),
        piece("https://example.com/a.mp4", 0, 6),
        piece("file:///gone/b.mp4", 3, 6),
        piece(
            media[0],
            0,
            6,
            effects=[otio.schema.LinearTimeWarp(time_scalar=-1.0), otio.schema.Effect(effect_name="Blur")],
        ),
        piece(media[0], 20, 12),
        fade(4, 0),
    )
    film = otio.adapters.read_from_string(text, "otio_json")
    film.tracks.append(otio.schema.Track("Titles", children=[gap(3)], kind="Video"))
    read, notes = from_otio_text(film.to_json_string(), NOWHERE)
    said = "\n".join(notes)
    for words in (
        "left out: 'Titles'",
        "a black title of 6 frames",
        "Missing: /gone/b.mp4",
        "runs at 0.5 instead of -1",
        "'Blur'",
        "media ends after 4",
        "beginning of the film",
        "end of the film",
    ):
        assert words in said
    assert (read.clips[1].start, read.clips[1].stop, read.clips[1].source.path) == (3, 9, "/gone/b.mp4")


def test_a_dissolve_longer_than_the_media_is_shortened(media):
    read, _ = from_otio_text(foreign(piece(media[0], 0, 23), fade(6, 6), piece(media[1], 2, 20)), NOWHERE)
    assert read.clips[1].transition == Transition("dissolve", 3)
    assert film_frames(read) == 43


def test_mixed_rates_and_ntsc_keep_their_cuts(tmp_path):
    slow = write_flash(tmp_path / "ntsc.mp4", frame_rate=23.976)
    film = foreign(piece(slow, 0, 24, 24000 / 1001), piece(slow, 6, 12, 24000 / 1001), rate=30.0)
    read, _ = from_otio_text(film, tmp_path)
    assert read.frame_rate == 30
    assert [(each.start, each.stop) for each in place(read)] == [(0, 30), (30, 45)]
    assert [(clip.start, clip.stop) for clip in read.clips] == [(0, 24), (6, 18)]


def test_an_edit_made_elsewhere_wins_over_what_we_kept(film):
    theirs = to_otio(film)
    track = theirs.tracks[0]
    clip = track.find_clips()[0]
    clip.source_range = TimeRange(clip.source_range.start_time, RationalTime(10, 24))
    read, notes = from_otio_text(theirs.to_json_string(), NOWHERE)
    assert "changed this timeline" in notes[0]
    assert (read.clips[0].start, read.clips[0].stop) == (2, 15)
    assert (read.clips[0].clip_id, read.clips[0].gain_db, read.clips[1].fit) == ("a", -3.0, "crop")
    assert read.clips[3].source == film.clips[3].source and read.clips[5].gain_db is None
    assert [each.text for each in read.captions] == [each.text for each in film.captions]
    assert film_frames(read) == film_frames(film) - 5
    assert read.sounds[0].role == "voice"


def test_media_of_strangers_is_not_measured_without_leave(media):
    text = foreign(piece(media[0], 0, 6), piece(media[1], 0, 6))
    read, notes = from_otio_text(text, NOWHERE, lambda path: path.name == "take 0.mp4")
    assert [clip.source.width for clip in read.clips] == [64, 0]
    assert any("take 1.mp4" in note for note in notes)


WRONG = (None, -1, 1e300, 0, "x", [], {}, True)


def test_files_cut_or_bent_are_refused_and_never_break(media, tmp_path):
    film = Timeline(
        64,
        48,
        RATE,
        clips=(Clip("a", media[0], 0, 9), Clip("b", Title("t", 5), 0, 5, transition=Transition("dissolve", 2))),
    )
    values = json.loads(exchange_text(film, "otio")[0])
    values["metadata"] = {}
    text = json.dumps(values)
    for length in range(0, len(text), 7):
        with pytest.raises(InputError):
            from_otio_text(text[:length], tmp_path)
    for path in paths_in(values):
        for value in WRONG:
            try:
                from_otio_text(json.dumps(changed(values, path, value)), tmp_path)
            except InputError as error:
                assert error.message
    for wrong in ("[" * 100_000, "{}", '{"OTIO_SCHEMA": "Clip.2"}', '{"OTIO_SCHEMA": "Timeline.99"}', "NaN"):
        with pytest.raises(InputError):
            from_otio_text(wrong, tmp_path)
    (tmp_path / "x.otio").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        import_otio(tmp_path / "x.otio")
    with pytest.raises(InputError, match="check its path"):
        import_otio(tmp_path / "y.otio")


def paths_in(value: Any, at: tuple = ()) -> list[tuple]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at] * bool(at) + [path for key, each in inside for path in paths_in(each, (*at, key))]


def changed(values: dict[str, Any], path: tuple, value: Any) -> dict[str, Any]:
    copy = json.loads(json.dumps(values))
    holder = copy
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return copy


def test_a_folder_opens_elsewhere_and_here(film, media, tmp_path):
    wild = dataclasses.replace(
        film, clips=(*film.clips, Clip("w", dataclasses.replace(media[2], name="../../etc/passwd"), 0, 9))
    )
    made = write_folder(wild, tmp_path / "out")
    names = {each.relative_to(made.path).as_posix() for each in made.path.rglob("*")}
    assert {
        "timeline.otio",
        "timeline.edl",
        "timeline.xml",
        "timeline.json",
        "captions.srt",
        "captions.vtt",
        "README.txt",
    } <= names
    assert len([name for name in names if name.startswith("media/")]) == 4
    assert all(".." not in name and name.isprintable() for name in names)
    inside = load(made.path / "timeline.json")
    assert import_otio(made.path / "timeline.otio") == (inside, ())
    assert all(Path(clip.source.path).is_file() for clip in inside.clips if isinstance(clip.source, Source))
    assert str(tmp_path) not in (made.path / "timeline.json").read_text("utf-8")
    for suffix in ("edl", "xml"):
        text = (made.path / f"timeline.{suffix}").read_text("utf-8")
        assert media[0].path not in text and "/out/media/001-" in text
    made.path.rename(tmp_path / "moved")
    moved = load(tmp_path / "moved" / "timeline.json")
    assert moved == import_otio(tmp_path / "moved" / "timeline.otio")[0]
    assert [clip.clip_id for clip in moved.clips] == [clip.clip_id for clip in wild.clips]


def test_a_folder_that_moves_names_nothing_of_this_machine(film, media, tmp_path):
    made = write_folder(film, tmp_path / "out", moves=True)
    for file in made.path.iterdir():
        assert file.is_dir() or str(tmp_path) not in file.read_text("utf-8")
    made.path.rename(tmp_path / "else where")
    read, notes = import_otio(tmp_path / "else where" / "timeline.otio")
    assert read == load(tmp_path / "else where" / "timeline.json") and notes == ()
    xml = otio.adapters.read_from_file(str(tmp_path / "else where" / "timeline.xml"))
    addresses = [clip.media_reference.target_url for clip in xml.video_tracks()[0].find_clips()[:2]]
    assert all((tmp_path / "else where" / unquote(address)).is_file() for address in addresses)


def test_a_folder_is_whole_or_not_there(film, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    for name in ("full", "file"):
        with pytest.raises(InputError, match="not an empty folder"):
            write_folder(film, tmp_path / name)
    with pytest.raises(InputError, match="add a clip"):
        write_folder(Timeline(64, 48, RATE), tmp_path / "none")
    with pytest.raises(OutputError):
        write_folder(film, tmp_path / "no" / "out")
    assert write_folder(film, tmp_path / "empty").path.is_dir()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["empty", "file", "full"]
    assert (tmp_path / "full" / "mine.txt").read_text() == "mine"


FULL = """
import resource, signal, sys
from pathlib import Path
from mova_studio.errors import OutputError
from mova_studio.timeline.file import load
from mova_studio.timeline.project_folder import write_folder
film = load(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))
try:
    write_folder(film, Path(sys.argv[2]))
except OutputError as error:
    print("refused", error.message)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of the operating system")
def test_a_write_that_stops_half_way_leaves_nothing(film, tmp_path):
    """A limit on the size of files stops the lists half way, as a full disk does."""
    from mova_studio.timeline.file import save

    save(film, tmp_path / "film.json")
    (tmp_path / "out").mkdir()
    command = [sys.executable, "-c", FULL, str(tmp_path / "film.json"), str(tmp_path / "out" / "folder")]
    said = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=Path(__file__).parents[2])
    assert said.stdout.startswith("refused"), said.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_a_thousand_clips_are_written_and_read_in_seconds():
    clips = tuple(
        Clip(
            f"c{number}",
            Source(f"/takes/{number % 300}.mp4", 193, RATE, 640, 352, 386_000),
            3,
            150,
            transition=Transition("dissolve", 12) if number % 3 == 1 else None,
        )
        for number in range(1000)
    )
    long = Timeline(640, 352, RATE, clips=clips)
    begin = perf_counter()
    texts = {kind: exchange_text(long, kind)[0] for kind in ("otio", "edl", "xml")}
    assert from_otio_text(texts["otio"], NOWHERE)[0] == long
    assert perf_counter() - begin < 120
