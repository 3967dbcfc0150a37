"""The timeline as data: random films and random edits, files cut and bent, places to the frame and the sample."""

from __future__ import annotations

import dataclasses
import itertools
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from timelines import WORDS, film_length, sources, timelines, write_flash

from mova_studio.errors import InputError
from mova_studio.timeline import edits
from mova_studio.timeline.clip import (
    SAMPLE_RATE,
    Clip,
    Source,
    Title,
    Transition,
    clip_length,
    exact_speed,
    sample_at,
)
from mova_studio.timeline.file import from_dict, load, save, to_dict
from mova_studio.timeline.history import MAX_STEPS, History
from mova_studio.timeline.layout import film_frames, film_samples, place, place_captions, source_frame_of
from mova_studio.timeline.model import Caption, Sound, Timeline, transition_shares
from mova_studio.timeline.source import check_source, source_of

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
RATE = Fraction(24)


def take(frames: int = 24, rate: Fraction = RATE, *, sound: bool = True) -> Source:
    return Source("/takes/a.mp4", frames, rate, 64, 48, sample_at(frames, rate) if sound else 0)


def film(*clips: Clip, **more: Any) -> Timeline:
    return Timeline(64, 48, RATE, clips=clips, **more)


def clip(name: str, frames: int = 24, **more: Any) -> Clip:
    return Clip(name, take(frames), 0, frames, **more)


def dissolve(frames: int) -> Transition:
    return Transition("dissolve", frames)


def valid(timeline: Timeline) -> None:
    """What every timeline must be; making it anew runs all of its own checks."""
    assert dataclasses.replace(timeline) == timeline
    placed = place(timeline)
    assert sum(each.length - each.overlap for each in placed) == film_frames(timeline)
    assert film_frames(timeline) == film_length(timeline.clips, timeline.frame_rate)


@given(timelines())
@QUICK
def test_places_add_up_and_never_go_back(timeline):
    valid(timeline)
    placed = place(timeline)
    for before, behind in itertools.pairwise(placed):
        assert behind.start == before.stop - behind.overlap
        assert before.start <= behind.start <= before.stop <= behind.stop
    for each, (start, end) in zip(placed, transition_shares(timeline), strict=True):
        assert start + end <= each.length


@given(st.integers(0, 10**7), st.sampled_from([Fraction(24000, 1001), RATE, Fraction(25, 2), Fraction(240)]))
@QUICK
def test_samples_are_the_nearest_ones_and_never_go_back(frame, rate):
    exact = Fraction(frame) * SAMPLE_RATE / rate
    assert abs(sample_at(frame, rate) - exact) <= Fraction(1, 2)
    assert sample_at(frame, rate) < sample_at(frame + 1, rate)


@given(timelines(min_clips=1))
@QUICK
def test_every_frame_shown_lies_in_its_clip_and_time_runs_forward(timeline):
    for each in place(timeline):
        shown = [source_frame_of(each, frame, timeline.frame_rate) for frame in range(each.start, each.stop)]
        assert shown == sorted(shown)
        assert each.clip.start <= shown[0] and shown[-1] < each.clip.stop
    assert abs(film_samples(timeline) - film_frames(timeline) / timeline.frame_rate * SAMPLE_RATE) <= Fraction(1, 2)


@given(timelines())
@QUICK
def test_saved_and_read_again_it_is_equal(tmp_path_factory, timeline):
    path = tmp_path_factory.getbasetemp() / "saved.json"
    save(timeline, path)
    assert load(path) == timeline
    assert from_dict(json.loads(json.dumps(to_dict(timeline)))) == timeline


@given(timelines(min_clips=1), st.data())
@QUICK
def test_settling_leaves_what_fits_alone(timeline, data):
    """A transition that is allowed is not shortened by an edit elsewhere."""
    assert tuple(edits.settle(list(timeline.clips), timeline.frame_rate)) == timeline.clips


def test_a_dip_of_one_frame_behind_a_full_clip_survives_an_edit():
    one = film(clip("a"), clip("b", 1, transition=dissolve(1)), clip("c", transition=Transition("black", 1)))
    assert edits.change_clip(one, "a", gain_db=-3.0).clips[2].transition == Transition("black", 1)


STEPS = (
    "insert",
    "move",
    "remove",
    "duplicate",
    "trim",
    "split",
    "transition",
    "speed",
    "fades",
    "replace",
    "rate",
    "title",
)


def random_edit(timeline: Timeline, data: st.DataObject) -> Timeline:
    step = data.draw(st.sampled_from(STEPS))
    if step == "rate":
        return edits.change_film(
            timeline, frame_rate=Fraction(data.draw(st.sampled_from([24, 25, Fraction(30000, 1001)])))
        )
    if step in ("insert", "title") or not timeline.clips:
        source = Title("words", 20) if step == "title" else data.draw(sources())
        place_ = data.draw(st.integers(-1, 12))
        return edits.insert(timeline, edits.clip_of(source, transition=dissolve(9), fade_in=9000), place_)
    chosen = data.draw(st.sampled_from(timeline.clips))
    number = data.draw(st.integers(-5, 70))
    name = chosen.clip_id
    if step == "move":
        return edits.move(timeline, name, number)
    if step == "remove":
        return edits.remove(timeline, name)
    if step == "duplicate":
        return edits.duplicate(timeline, name)
    if step == "trim":
        return edits.trim(timeline, name, start=number, stop=data.draw(st.none() | st.integers(-5, 70)))
    if step == "split":
        return edits.split(timeline, name, place(timeline)[timeline.index(name)].start + number)
    if step == "transition":
        return edits.set_transition(timeline, name, data.draw(st.none() | st.just(dissolve(abs(number) + 1))))
    if step == "speed":
        return edits.change_clip(timeline, name, speed=data.draw(st.sampled_from([0.5, 0.73, 1.0, 2.0])))
    if step == "fades":
        return edits.change_clip(timeline, name, fade_in=abs(number) * 500, fade_out=8000)
    return edits.replace_source(timeline, name, data.draw(sources()))


@given(timelines(max_clips=5), st.data())
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_row_of_edits_makes_an_invalid_film_or_loses_a_clip(timeline, data):
    history = History(timeline)
    states = [timeline]
    for _ in range(data.draw(st.integers(1, 8))):
        before = history.now
        kept = {each.clip_id for each in before.clips}
        try:
            after = random_edit(before, data)
        except InputError as error:
            assert str(error).strip().endswith(".")
            assert history.now is before
            continue
        valid(after)
        lost = kept - {each.clip_id for each in after.clips}
        assert len(lost) <= 1 and (not lost or len(after.clips) == len(before.clips) - 1)
        assert {each.caption_id for each in before.captions if each.clip_id not in lost} <= {
            each.caption_id for each in after.captions
        }
        history.do(after)
        if history.now != states[-1]:
            states.append(history.now)
    for state in reversed(states[:-1]):
        assert history.undo() == state
    assert not history.can_undo and history.undo() == timeline
    for state in states[1:]:
        assert history.redo() == state
    assert not history.can_redo


def test_a_new_change_forgets_what_could_be_redone_and_old_ones_go():
    history = History(film(clip("a")))
    for number in range(MAX_STEPS + 5):
        history.do(dataclasses.replace(history.now, name=str(number)))
    undone = 0
    while history.can_undo:
        history.undo()
        undone += 1
    assert undone == MAX_STEPS
    history.do(film())
    assert not history.can_redo


@given(timelines(min_clips=1, rates=(24,), speeds=st.just(1.0)), st.data())
@QUICK
def test_a_split_film_shows_what_it_showed(timeline, data):
    index = data.draw(st.integers(0, len(timeline.clips) - 1))
    placed = place(timeline)[index]
    before, after = transition_shares(timeline)[index]
    if placed.length - before - after < 2:
        return
    frame = data.draw(st.integers(placed.start + before + (not before), placed.stop - after - (not after)))
    halves = edits.split(timeline, placed.clip.clip_id, frame)
    valid(halves)
    assert len(halves.clips) == len(timeline.clips) + 1
    assert film_frames(halves) == film_frames(timeline)
    assert pictures(halves) == pictures(timeline)
    assert words(halves) == words(timeline)
    left, right = halves.clips[index : index + 2]
    assert (left.start, left.stop, right.stop) == (placed.clip.start, right.start, placed.clip.stop)
    assert left.fade_in == min(placed.clip.fade_in, sample_at(frame - placed.start, RATE)) and right.fade_in == 0


def pictures(timeline: Timeline) -> list[set[tuple[Any, int]]]:
    """What each frame of the film shows of which source; titles all look alike."""
    shown: list[set[tuple[Any, int]]] = [set() for _ in range(film_frames(timeline))]
    for each in place(timeline):
        for frame in range(each.start, each.stop):
            titled = isinstance(each.clip.source, Title)
            number = 0 if titled else source_frame_of(each, frame, timeline.frame_rate)
            shown[frame].add((each.clip.source, number))
    return shown


def words(timeline: Timeline) -> list[list[str]]:
    shown: list[list[str]] = [[] for _ in range(film_frames(timeline))]
    for caption in place_captions(timeline):
        for frame in range(caption.start, caption.stop):
            shown[frame].append(caption.caption.text)
    return [sorted(each) for each in shown]


@given(timelines(min_clips=1, max_clips=3), st.data())
@QUICK
def test_a_split_at_any_rate_and_speed_keeps_the_length(timeline, data):
    placed = data.draw(st.sampled_from(place(timeline)))
    plain = dataclasses.replace(placed.clip, transition=None, fade_in=0, fade_out=0)
    alone = dataclasses.replace(timeline, clips=(plain,), captions=())
    frame = data.draw(st.integers(0, placed.length))
    try:
        halves = edits.split(alone, plain.clip_id, frame)
    except InputError:
        return
    each_frame = (
        exact_speed(plain.speed) * getattr(plain.source, "frame_rate", timeline.frame_rate) / timeline.frame_rate
    )
    if each_frame <= 1 and 5 <= frame <= placed.length - 5:
        assert film_frames(halves) == film_frames(alone)
    assert abs(film_frames(halves) - film_frames(alone)) <= 1


def test_a_split_of_a_source_at_another_rate_lengthens_nothing():
    source = take(48)
    film_ = Timeline(64, 48, Fraction(25), clips=(Clip("a", source, 0, 48),))
    for frame in range(2, 49):
        assert film_frames(edits.split(film_, "a", frame)) == film_frames(film_) == 50


@given(timelines(min_clips=1), st.data())
@QUICK
def test_a_trim_stays_within_its_source(timeline, data):
    chosen = data.draw(st.sampled_from(timeline.clips))
    start, stop = (data.draw(st.none() | st.integers(-100, 200)) for _ in range(2))
    trimmed = edits.trim(timeline, chosen.clip_id, start=start, stop=stop).clip(chosen.clip_id)
    assert 0 <= trimmed.start < trimmed.stop <= chosen.source.num_frames
    if start is None:
        assert trimmed.start == chosen.start
    if stop is None:
        assert trimmed.stop == chosen.stop
    if start is not None and stop is not None and 0 <= start < stop <= chosen.source.num_frames:
        assert (trimmed.start, trimmed.stop) == (start, stop)


def test_a_slip_past_the_old_end_moves_both_ends():
    slipped = edits.trim(film(Clip("a", take(60), 0, 10)), "a", start=40, stop=50).clips[0]
    assert (slipped.start, slipped.stop) == (40, 50)


@given(timelines(min_clips=1), st.data())
@QUICK
def test_a_move_only_changes_the_order(timeline, data):
    chosen = data.draw(st.sampled_from(timeline.clips))
    index = data.draw(st.integers(-3, 12))
    moved = edits.move(timeline, chosen.clip_id, index)
    assert sorted(each.clip_id for each in moved.clips) == sorted(each.clip_id for each in timeline.clips)
    assert moved.index(chosen.clip_id) == min(max(index, 0), len(timeline.clips) - 1)
    rest = [each.clip_id for each in timeline.clips if each.clip_id != chosen.clip_id]
    assert [each.clip_id for each in moved.clips if each.clip_id != chosen.clip_id] == rest
    stretches = {(each.clip_id, each.source, each.start, each.stop, each.speed) for each in timeline.clips}
    assert {(each.clip_id, each.source, each.start, each.stop, each.speed) for each in moved.clips} == stretches


def test_another_take_of_the_same_shot_keeps_trim_level_and_captions():
    caption = Caption("c", "a", 6, 12, "hello")
    before = film(Clip("a", take(24), 6, 18, gain_db=-6.0), captions=(caption,))
    after = edits.replace_source(before, "a", take(48, Fraction(48)))
    assert (after.clips[0].start, after.clips[0].stop, after.clips[0].gain_db) == (12, 36, -6.0)
    assert words(after) == words(before)
    shorter = edits.replace_source(before, "a", take(10))
    assert (shorter.clips[0].start, shorter.clips[0].stop) == (6, 10)
    with pytest.raises(InputError, match="has no picture"):
        edits.replace_source(before, "a", Source("/s.wav", 0, RATE, 0, 0, 100))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: film(clip("a", transition=dissolve(3))), "must be a cut"),
        (lambda: film(clip("a"), clip("b", 10, transition=dissolve(11))), "shows 10 frames.*take 11.*to 10 together"),
        (
            lambda: film(clip("a"), clip("b", 10, transition=dissolve(6)), clip("c", transition=dissolve(5))),
            "shows 10 frames.*6 at its start and 5 at its end",
        ),
        (lambda: film(clip("a", 1), clip("b", 1, transition=Transition("white", 4))), "shorten them to 1"),
        (lambda: film(clip("a", 24, fade_in=48_000, fade_out=1)), "sounds for 48000 samples"),
        (lambda: film(clip("a"), clip("a")), "Two clips are called 'a'"),
        (lambda: film(captions=(Caption("c", "gone", 0, 1, "x"),)), "belongs to a clip that is not here"),
        (lambda: film(sounds=(sound("a", 0), sound("b", 23))), "move it to frame 24 or later"),
        (lambda: film(sounds=(sound("a", 0, fade_in=48_001),)), "fades for longer than it sounds"),
        (lambda: Timeline(63, 48, RATE), "for example 62"),
        (lambda: Timeline(64, 9000, RATE), "for example 8192"),
        (lambda: Timeline(64, 48, Fraction(241)), "give 1 to 240"),
        (lambda: Timeline(64, 48, RATE, name="x" * 201), "201 characters; 200"),
        (lambda: Transition("wipe", 4), "use dissolve, black, white"),
        (lambda: dissolve(0), "give 1 or more, or a cut"),
        (lambda: Clip("a", take(24), 24, 25), r"it has 24 \(0 to 23\)"),
        (lambda: Clip("a", take(24), 5, 5), "give 6 to 24"),
        (lambda: Clip("a", take(24), 0, 5, speed=2.5), "speed is 2.5, but must be 0.5 to 2"),
        (lambda: Clip("a", take(24), 0, 5, speed=float("nan")), "speed is nan"),
        (lambda: Clip("../a", take(24), 0, 5), "letters and digits"),
        (lambda: Clip("a", Source("/s.wav", 0, RATE, 0, 0, 100), 0, 1), "belongs on the sound track"),
        (lambda: Sound("s", take(24, sound=False), 0, 0, 1), "has no sound"),
        (lambda: Title("x", 0), "give 1 or more"),
        (lambda: Title("x", 5, ink="red"), "like #14161a"),
        (lambda: Title("x", 5, ink="#" + "0" * 6 + "\n"), "like #14161a"),
        (lambda: Title("\ud800", 5), "cannot be stored"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_its_limit(make, said):
    with pytest.raises(InputError, match=said):
        make()


def sound(name: str, at: int, **more: Any) -> Sound:
    return Sound(name, Source("/m.wav", 0, RATE, 0, 0, 96_000), at, 0, 48_000, **more)


def test_sounds_stay_where_they_were_in_seconds():
    before = film(sounds=(sound("b", 24), sound("a", 0), sound("c", 48)))
    after = edits.change_film(before, frame_rate=Fraction(30000, 1001))
    at = {each.sound_id: each.at / float(after.frame_rate) for each in after.sounds}
    assert at["a"] == 0 and abs(at["b"] - 1) < 0.04 and abs(at["c"] - 2) < 0.07


WHOLE = film(
    clip("a", 24, fade_in=10, gain_db=None),
    Clip("b", Title("words", 20), 0, 20, transition=dissolve(4)),
    sounds=(sound("s", 3, role="voice"),),
    captions=(Caption("c", "a", 2, 5, "hello\nthere"),),
    name="雨",
)


def test_a_file_cut_at_any_byte_is_refused(tmp_path):
    save(WHOLE, tmp_path / "whole.json")
    data = (tmp_path / "whole.json").read_bytes()
    cut = tmp_path / "cut.json"
    for length in range(len(data.rstrip())):
        cut.write_bytes(data[:length])
        with pytest.raises(InputError, match=r"^cut\.json"):
            load(cut)


def paths_in(value: Any, at: tuple = ()) -> list[tuple]:
    found = [at] if at else []
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [path for key, each in inside for path in paths_in(each, (*at, key))]


def changed(values: dict[str, Any], path: tuple, value: Any) -> dict[str, Any]:
    copy = json.loads(json.dumps(values))
    holder = copy
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return copy


WRONG = ("x", "7", -1.5, 1e300, 10**400, True, [], {}, [[]], {"a": 1}, None)


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_a_value_of_another_kind_anywhere_is_refused_or_says_what_it_says(value):
    """Never another exception; and what is accepted says the same when written again."""
    values = json.loads(json.dumps(to_dict(WHOLE)))
    for path in paths_in(values):
        try:
            read = from_dict(changed(values, path, value))
        except InputError as error:
            assert len(error.message) < 600
            continue
        assert json.loads(json.dumps(to_dict(read))) == changed(values, path, value), path


def holders_in(value: Any) -> list[dict[str, Any]]:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value] * isinstance(value, dict) + [holder for each in inside for holder in holders_in(each)]


def test_fields_that_are_unknown_missing_or_of_a_newer_version_are_named():
    values = json.loads(json.dumps(to_dict(WHOLE)))
    for holder in holders_in(values):
        holder["surprise"] = 1
        with pytest.raises(InputError, match=r"surprise.*is not known"):
            from_dict(values)
        del holder["surprise"]
    for holder, name in ((values, "width"), (values["clips"][0], "stop"), (values["sounds"][0]["source"], "path")):
        kept = holder.pop(name)
        with pytest.raises(InputError, match=rf"{name}.*missing"):
            from_dict(values)
        holder[name] = kept
    with pytest.raises(InputError, match=r"format is 2.*update MOVA Studio"):
        from_dict({**values, "format": 2})
    with pytest.raises(InputError, match="not a timeline"):
        from_dict({**values, "kind": "shot"})


def test_a_moved_folder_keeps_its_media_and_a_missing_file_is_named(tmp_path):
    (tmp_path / "here").mkdir()
    source = dataclasses.replace(take(), path=str(tmp_path / "here" / "media" / "雨 a.mp4"))
    inside = film(Clip("a", source, 0, 24))
    save(inside, tmp_path / "here" / "film.json")
    assert str(tmp_path) not in (tmp_path / "here" / "film.json").read_text("utf-8")
    (tmp_path / "here").rename(tmp_path / "there")
    moved = load(tmp_path / "there" / "film.json").clips[0].source
    assert moved == dataclasses.replace(source, path=str(tmp_path / "there" / "media" / "雨 a.mp4"))
    with pytest.raises(InputError, match="does not exist; make it with: timeline new"):
        load(tmp_path / "here" / "film.json")


def test_a_file_is_measured_and_a_changed_one_noticed(tmp_path):
    path = tmp_path / "flash.mp4"
    source = write_flash(path, num_frames=20, flash=7, frame_rate=23.976)
    assert (source.num_frames, source.width, source.height) == (20, 64, 48)
    assert source.frame_rate == Fraction(24000, 1001)
    assert abs(source.num_samples - 20 * 48000 * 1001 / 24000) < 2
    check_source(source)
    write_flash(path, num_frames=9, flash=7, frame_rate=23.976)
    with pytest.raises(InputError, match="it has 9 frames, and 20 are expected"):
        check_source(source)
    path.unlink()
    with pytest.raises(InputError, match="no longer at"):
        check_source(source)
    with pytest.raises(InputError):
        source_of(Path(path))


@given(timelines(), WORDS)
@QUICK
def test_captions_are_seen_only_while_their_clip_is(timeline, text):
    spans = {each.clip.clip_id: each for each in place(timeline)}
    for caption in place_captions(timeline):
        placed = spans[caption.caption.clip_id]
        assert placed.start <= caption.start < caption.stop <= placed.stop


@given(timelines(min_clips=1))
@QUICK
def test_lengths_are_within_half_a_frame_of_exact(timeline):
    for each in timeline.clips:
        rate = timeline.frame_rate if isinstance(each.source, Title) else each.source.frame_rate
        exact = (each.stop - each.start) / rate / exact_speed(each.speed) * timeline.frame_rate
        length = clip_length(each, timeline.frame_rate)
        assert length == 1 or abs(length - exact) <= Fraction(1, 2)
