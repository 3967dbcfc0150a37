"""The Timeline as a person uses it: order, trim, blade, cross-fade, captions, undo, play, export, download."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from driving import RunningStudio, new_context, open_studio, start_studio
from playwright.sync_api import Browser, BrowserContext, CDPSession, Locator, Page, expect

from mova_studio.library.database import Database
from mova_studio.library.provenance import describe_take, read_take
from mova_studio.library.shot import Shot
from mova_studio.library.shots import ShotStore
from mova_studio.library.store import TakeStore
from mova_studio.media.mp4 import write_mp4

pytestmark = pytest.mark.browser
RATE, WIDTH, HEIGHT = 24, 96, 64
LENGTHS = {11: 49, 12: 73, 13: 49}
PROMPTS = {
    11: "A pier at night",
    12: 'A baker opens the door. She says: "Fresh bread, come in!"',
    13: "<img src=x onerror=alert(1)> 雨",
}
STORE = "movaTimeline.editor.store"
NAMES = f"{STORE}.state.clips.map((clip) => clip.take)"
CLIPS = f"{STORE}.state.clips.map((clip) => [clip.start, clip.stop])"
FRAMES = f"{STORE}.state.frames"
PEAK = "parseFloat(document.querySelector('.t-peak').textContent.replace('\u2212', '-'))"
SCREENS = "[...document.querySelectorAll('.t-screen video')]"
FRAME = f"Math.floor({STORE}.playhead)"
SETTLED = f"() => {STORE}.waiting === 0"
DROP = """([name, text]) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([text], name));
  const target = document.querySelector(".t-editor");
  for (const kind of ["dragover", "drop"])
    target.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
}"""
MOVES = 60
BUSY = ("TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration")


def fill(library: Path) -> None:
    """Three takes with a moving square and a tone of their own."""
    database = Database(library)
    store = TakeStore(database, library, ShotStore(database))
    for seed, frames in LENGTHS.items():
        shot = Shot(prompt=PROMPTS[seed], width=WIDTH, height=HEIGHT, num_frames=frames)
        pictures = np.full((frames, HEIGHT, WIDTH, 3), 40 + 15 * (seed - 10), np.uint8)
        for frame in range(frames):
            pictures[frame, 20:40, frame : frame + 20] = 220
        sound = 0.3 * np.sin(np.arange(round(frames / RATE * 48000)) * seed / 300)
        record = describe_take(
            shot,
            seed,
            take_id=f"take{seed}",
            checkpoint="demo",
            untrained=False,
            plan={},
            seconds={"denoise": 1.0},
            program="0.1",
            created=f"2026-11-0{seed - 10}T10:00:00+00:00",
            notes=(),
        )
        path = store.new_path(shot, seed)
        sound = sound.astype(np.float32)
        write_mp4(path, pictures, frame_rate=float(RATE), audio=sound, target_lufs=None, provenance=record)
        take = read_take(path)
        assert take is not None
        store.add(take, f"take{seed}")
    database.close()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    """A studio with three takes."""
    folder = tmp_path_factory.mktemp("timeline")
    fill(folder / "library")
    yield from start_studio(folder)


@pytest.fixture
def timeline(context: BrowserContext, filled: RunningStudio) -> Page:
    """The open Timeline with a new, empty film."""
    page = open_timeline(context, filled)
    page.click(".t-film-name")
    page.click(".t-filmform [data-key='films.new']")
    page.wait_for_function(f"{STORE}.state.clips.length === 0")
    page.keyboard.press("Escape")
    return page


def open_timeline(context: BrowserContext, studio: RunningStudio) -> Page:
    page = open_studio(context, studio)
    page.click("#views [data-tab-id=timeline] >> visible=true")
    page.wait_for_selector(".t-take")
    page.wait_for_function(f"!!{STORE}.state.id")
    return page


def put(page: Page, *seeds: int) -> None:
    """Takes on the track, by the keyboard."""
    for seed in seeds:
        count = page.evaluate(f"{STORE}.state.clips.length")
        page.locator(f".t-take[data-id=take{seed}]").focus()
        page.keyboard.press("Enter")
        page.wait_for_function(f"{STORE}.state.clips.length === {count + 1}")


def settle(page: Page) -> None:
    """Until every change has been answered."""
    page.wait_for_function(SETTLED)


def drag(page: Page, what: Locator, to_x: float, *, at: tuple[float, float] | None = None) -> None:
    """Press on something, carry it to another place of the window from left to right, let go."""
    box = what.bounding_box()
    assert box is not None
    x, y = box["x"] + (at[0] if at else box["width"] / 2), box["y"] + (at[1] if at else box["height"] / 2)
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(x + (to_x - x) * step / 8, y)
    page.evaluate("() => new Promise(requestAnimationFrame)")
    page.mouse.up()
    settle(page)


def edge(page: Page, index: int, side: str) -> float:
    box = page.locator(".t-clip").nth(index).bounding_box()
    assert box is not None
    return box["x"] + (box["width"] if side == "right" else 0)


def test_order_trim_blade_dissolve_and_undo(timeline: Page, screenshots: Path) -> None:
    page = timeline
    expect(page.locator(".t-teach")).to_contain_text("Your film begins here")
    expect(page.locator("[data-key=undo]")).to_be_disabled()
    expect(page.locator(".t-export-go")).to_be_disabled()
    page.screenshot(path=screenshots / "timeline-empty.png")
    put(page, 11, 12)
    target = page.locator(".t-pictures").bounding_box()
    assert target is not None
    card = page.locator(".t-take[data-id=take13]").bounding_box()
    assert card is not None
    page.mouse.move(card["x"] + 30, card["y"] + 20)
    page.mouse.down()
    page.mouse.move(target["x"] + 40, target["y"] + 30, steps=6)
    page.evaluate("() => new Promise(requestAnimationFrame)")
    page.mouse.up()
    page.wait_for_function(f"{NAMES}.join() === 'take13,take11,take12'")
    assert page.locator("#timeline-stage img").count() == 0, "a name is text"

    drag(page, page.locator(".t-clip").nth(0), edge(page, 2, "right"), at=(40, 40))
    assert page.evaluate(NAMES) == ["take11", "take12", "take13"]
    page.keyboard.press("Alt+ArrowLeft")
    settle(page)
    assert page.evaluate(NAMES) == ["take11", "take13", "take12"]
    page.keyboard.press("Control+z")
    settle(page)
    assert page.evaluate(NAMES) == ["take11", "take12", "take13"]

    # The right edge of the first clip to the left by a third, the picture at it in the viewer meanwhile.
    pixels = page.evaluate("movaTimeline.editor.tracks.pixels")
    page.locator(".t-clip").nth(0).click(position={"x": 40, "y": 60})
    drag(page, page.locator(".t-clip").nth(0).locator("[data-trim=stop]"), edge(page, 0, "right") - 13 * pixels)
    (_, stop), frames = page.evaluate(CLIPS)[0], page.evaluate(FRAMES)
    assert 33 <= stop <= 39
    assert frames == stop + 73 + 49
    page.locator(".t-clip").nth(0).locator("[data-trim=start]").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_function(f"{CLIPS}[0][0] === 11")
    page.wait_for_function("document.activeElement.getAttribute('aria-valuenow') === '11'")

    # The blade: by B at the playhead, and by a click.
    page.locator(".t-clip").nth(1).click(position={"x": 40, "y": 60})
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("b")
    page.wait_for_function(f"{STORE}.state.clips.length === 4")
    assert page.evaluate(CLIPS)[1:3] == [[0, 10], [10, 73]]
    page.click("[data-key=blade]")
    page.locator(".t-clip").nth(3).click(position={"x": 60, "y": 60})
    page.wait_for_function(f"{STORE}.state.clips.length === 5")
    page.keyboard.press("Escape")
    expect(page.locator("[data-key=blade]")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Delete")
    page.wait_for_function(f"{STORE}.state.clips.length === 4")

    before = page.evaluate(FRAMES)
    page.locator(".t-cut").nth(1).click()
    page.check(".t-cutform input[value=dissolve]")
    page.wait_for_selector(".t-cut[data-kind=dissolve]")
    page.fill(".t-cutform input[type=number]", "500")
    page.keyboard.press("Enter")
    page.wait_for_selector(".t-cutform .m-error >> text=500")
    page.fill(".t-cutform input[type=number]", "4")
    page.keyboard.press("Enter")
    page.wait_for_function(f"{FRAMES} === {before - 4}")
    page.screenshot(path=screenshots / "timeline-dissolve.png")
    page.keyboard.press("Escape")
    made = page.evaluate(CLIPS)
    for _ in range(4):
        page.keyboard.press("Control+z")
    settle(page)
    assert page.evaluate(FRAMES) != before - 4
    for _ in range(4):
        page.keyboard.press("Control+y")
    settle(page)
    assert page.evaluate(CLIPS) == made
    expect(page.locator("[data-key=redo]")).to_be_disabled()
    page.reload()
    page.click("#views [data-tab-id=timeline] >> visible=true")
    page.wait_for_selector(".t-cut[data-kind=dissolve]")
    assert page.evaluate(CLIPS) == made


def test_plays_with_sound_in_and_out_and_captions(timeline: Page, tmp_path: Path, screenshots: Path) -> None:
    page = timeline
    put(page, 12, 11)
    page.locator(".t-ruler").click(position={"x": 30, "y": 10})
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    page.wait_for_function(f"{STORE}.playhead > 20 && {PEAK} > -40")
    page.wait_for_function(f"{SCREENS}.some((video) => !video.paused && !video.muted && video.volume > 0)")
    # Over the cut, at which the next file waits already.
    page.wait_for_function(f"{STORE}.playhead > 85")
    page.screenshot(path=screenshots / "timeline-playing.png")
    page.keyboard.press("k")
    page.wait_for_selector(".t-run[aria-pressed=false]")
    here = page.evaluate(FRAME)
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"{FRAME} === {here - 1}")
    page.keyboard.press("l")
    page.wait_for_function(f"{STORE}.playhead >= {73 + 49 - 1}")
    page.wait_for_selector(".t-run[aria-pressed=false]")

    page.keyboard.press("j")
    page.wait_for_function(f"{STORE}.playhead < 90")
    page.keyboard.press("k")

    page.locator(".t-clip").nth(0).click(position={"x": 40, "y": 60})
    page.keyboard.press("Home")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("i")
    page.wait_for_function(f"{CLIPS}[0][0] === 5")
    page.fill("#t-field-out", "0:01:00")
    page.keyboard.press("Enter")
    page.wait_for_function(f"{CLIPS}[0][1] === 25")
    page.fill("#t-field-in", "soon")
    page.keyboard.press("Enter")
    page.wait_for_selector(".t-inspector .m-error >> text=soon is no time")
    page.keyboard.press("Control+z")
    page.wait_for_function(f"{CLIPS}[0][1] === 73")

    # What was typed stays beside what is wrong with it; the level comes back when the sound does.
    page.fill("#t-field-speed", "3")
    page.keyboard.press("Enter")
    page.wait_for_selector(".t-pair:has(#t-field-speed) + .m-error >> text=0.5 to 2")
    expect(page.locator("#t-field-speed")).to_have_value("3")
    page.focus("#t-field-level")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"{STORE}.state.clips[0].gain_db === -0.5")
    expect(page.locator("#t-field-speed")).to_have_value("1")
    page.check("#t-field-mute")
    page.wait_for_function(f"{STORE}.state.clips[0].gain_db === null")
    page.uncheck("#t-field-mute")
    page.wait_for_function(f"{STORE}.state.clips[0].gain_db === -0.5")

    # A take of the bin is heard while the pointer is on it, and its waveform seeks.
    card = page.locator(".t-take[data-id=take13]")
    card.locator(".t-poster").hover()
    heard = "document.querySelector('.t-take[data-id=take13] video')"
    page.wait_for_function(f"{heard}.currentTime > 0.1 && !{heard}.paused && !{heard}.muted")
    assert page.evaluate(f"{heard}.clientHeight === {heard}.parentElement.clientHeight"), "the picture is shown whole"
    wave_box = card.locator(".m-wave").bounding_box()
    assert wave_box is not None
    card.locator(".m-wave").click(position={"x": wave_box["width"] * 0.8, "y": 8})
    page.wait_for_function(f"{heard}.currentTime > 1.5")
    page.locator(".t-viewer header").hover(position={"x": 5, "y": 5})
    page.wait_for_function(f"!{heard}.hasAttribute('src')")

    page.click("[data-key='make.captions']")
    page.wait_for_selector(".t-caption >> text=Fresh bread, come in!")
    page.click(".t-caption")
    page.fill(".t-typed", "Fresh bread!")
    page.keyboard.press("Enter")
    page.wait_for_selector(".t-caption >> text=/^Fresh bread!$/")
    settle(page)
    at = page.evaluate(f"{STORE}.state.captions[0].at")
    page.keyboard.press("Home")
    for _ in range(at):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".t-subtitles")).to_have_text("Fresh bread!")
    drag(page, page.locator(".t-caption [data-trim=stop]"), edge(page, 0, "left") + 30)
    page.wait_for_function(f"{STORE}.state.captions[0].length < 40")

    with wave.open(str(tmp_path / "tune.wav"), "wb") as file:
        file.setparams((1, 2, 48000, 0, "NONE", ""))
        file.writeframes((8000 * np.sin(np.arange(96000) / 20)).astype("<i2").tobytes())
    page.set_input_files(".t-toolbar input[type=file]", tmp_path / "tune.wav")
    page.wait_for_selector(".t-sound >> text=ducked under speech")
    page.screenshot(path=screenshots / "timeline-captions.png")


def test_export_download_and_files(timeline: Page, filled: RunningStudio, tmp_path: Path, screenshots: Path) -> None:
    page = timeline
    put(page, 11, 13)
    page.click("[data-key='add.caption']")
    page.keyboard.press("Enter")  # a second press while the first is on its way
    settle(page)
    expect(page.locator(".t-caption")).to_have_count(1)
    page.keyboard.press("Enter")
    put(page, 12, 12)  # long enough for the encoder to tell its pace, however busy the machine is
    page.click(".t-export-go")
    page.fill("#t-export-size", "large")
    page.click(".t-export-go")
    page.wait_for_selector(".t-foot .m-error >> text=large")
    page.fill("#t-export-size", "3840x2160")
    page.click(".t-export-go")
    page.wait_for_selector(".t-progress >> text=/^[1-9]\\d* % · \\d+ s left$/")
    page.click("[data-key='export.cancel']")
    page.wait_for_selector(".t-done >> text=Cancelled")
    assert not list((filled.library / "timelines" / "films").iterdir())
    for frames in (171, 98):
        page.click("[data-key='undo']")
        page.wait_for_function(f"{FRAMES} === {frames}")
    page.fill("#t-export-size", f"{WIDTH}x{HEIGHT}")
    page.select_option("#t-export-captions", "files")
    page.click(".t-export-go")
    page.wait_for_selector(".t-done a")
    page.screenshot(path=screenshots / "timeline-export.png")
    assert "98 frames · 4.1 s · \u221214.0 LUFS" in page.inner_text(".t-done")
    with page.expect_download() as started:
        page.click(".t-done a.m-button")
    film = tmp_path / "film.mp4"
    started.value.save_as(film)
    with av.open(str(film)) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        assert (picture.width, picture.height) == (WIDTH, HEIGHT)
        assert sum(1 for _ in container.decode(picture)) == 98
        assert sound.rate == 48000
        assert abs(container.duration / 1e6 - 98 / RATE) < 0.06
    with page.expect_download() as started:
        page.click(".t-done a >> text=VTT")
    assert "New caption" in Path(started.value.path()).read_text("utf-8")
    with page.expect_download() as started:
        page.click("[data-key='file.otio']")
    started.value.save_as(tmp_path / "film.otio")

    first = page.evaluate(f"{STORE}.state.id")
    page.set_input_files(".t-toolbar input[type=file]", tmp_path / "film.otio")
    page.wait_for_function(f"{STORE}.state.id !== '{first}' && {NAMES}.join() === 'take11,take13'")
    page.evaluate(DROP, ["broken.otio", "{ no"])
    page.wait_for_selector(".t-said .m-error >> text=broken.otio: it is no OpenTimelineIO")

    # The file of a take has gone: its clip says so, and so does the export.
    (file,) = filled.library.rglob("*-13.mp4")
    file.rename(tmp_path / "away.mp4")
    try:
        page.evaluate(f"{STORE}.open('')")
        page.wait_for_selector(".t-clip.t-missing >> nth=0 >> text=file gone")
        page.click(".t-export-go")
        page.wait_for_selector(".t-foot .m-error >> text=their files have gone")
        page.screenshot(path=screenshots / "timeline-missing.png")
    finally:
        (tmp_path / "away.mp4").rename(file)


def test_in_chinese_and_in_a_small_window(browser: Browser, filled: RunningStudio, screenshots: Path) -> None:
    context = new_context(browser, viewport={"width": 1024, "height": 700}, locale="zh-CN", color_scheme="light")
    page = open_timeline(context, filled)
    page.wait_for_selector(".t-toolbar[aria-label=工具]")
    if not page.locator(".t-clip").count():
        put(page, 11)
    overflow = "document.documentElement.scrollWidth - innerWidth"
    assert page.evaluate(overflow) <= 0
    tracks = page.locator(".t-table").bounding_box()
    assert tracks is not None
    assert tracks["y"] + tracks["height"] <= 700, "all tracks are in view"
    expect(page.locator(".t-inspector")).to_be_hidden()
    page.click(".t-drawer-button")
    expect(page.locator(".t-inspector")).to_be_visible()
    page.locator(".t-clip").nth(0).click(position={"x": 20, "y": 60})
    page.wait_for_selector("#t-field-in")
    expect(page.locator(".t-inspector")).to_contain_text("入点")
    page.screenshot(path=screenshots / "timeline-zh-small.png")
    page.keyboard.press("Tab")
    page.click("#language")
    page.wait_for_selector(".t-toolbar[aria-label=Tools]")
    assert page.locator(".t-clip").count() >= 1, "another language keeps the film"
    context.close()


def test_a_drag_among_a_hundred_clips_keeps_up(timeline: Page, screenshots: Path) -> None:
    page = timeline
    put(page, 11)
    clip = page.evaluate(f"{STORE}.state.clips[0].id")
    ops = [{"op": "trim", "args": {"clip": clip, "stop": 30}}, *[{"op": "duplicate", "args": {"clip": clip}}] * 99]
    page.evaluate(f"(ops) => {STORE}.do('several', {{ ops }})", ops)
    page.wait_for_function("document.querySelectorAll('.t-clip').length === 100")
    page.wait_for_function("document.querySelector('.t-clip canvas').width > 1")
    page.screenshot(path=screenshots / "timeline-hundred.png")
    page.click("[data-key='zoom.in']")
    page.click("[data-key='zoom.in']")
    page.evaluate("movaTimeline.editor.tracks.scroll.scrollLeft = 0")
    moved = page.locator(".t-clip").nth(2).get_attribute("data-id")
    box = page.locator(".t-clip").nth(2).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + 60
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 10, y)
    # Processor time of the page's thread, which other programs on a busy machine do not lengthen.
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = busy(session)
    for step in range(MOVES):
        page.mouse.move(x + 10 + 15 * step, y)
        page.evaluate("() => new Promise(requestAnimationFrame)")
    spent = {name: 1000 * (seconds - before[name]) / MOVES for name, seconds in busy(session).items()}
    assert page.locator(".t-clip.t-lifted").count() == 1
    page.mouse.up()
    settle(page)
    place = page.evaluate(f"{STORE}.state.clips.findIndex((each) => each.id === '{moved}')")
    assert place > 5, "it went past others on its way"
    assert spent["TaskDuration"] < 50, spent


def busy(session: CDPSession) -> dict[str, float]:
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return {name: metrics[name] for name in BUSY}
