"""A small quick film of a timeline, for its preview: every frame of it, soon there, and quick to seek in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mova_studio.library.preset_file import Words
from mova_studio.timeline.export_preset import FORMAT, Audio, ExportPreset, Video
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.render import Progress, Rendered, render

HEIGHT = 360
KEY_FRAMES = 12
_PRESET = ExportPreset(
    format=FORMAT,
    name=Words(en="Preview", zh="预览"),
    about=Words(en="For the page.", zh="供页面使用。"),
    container="mp4",
    video=Video(encoder="h264", quality=23, speed="superfast"),
    audio=Audio(codec="aac", target_lufs=None),
)


def proxy_size(timeline: Timeline) -> tuple[int, int]:
    """The timeline's shape, at most 360 pixels high; both sides even."""
    scale = min(1.0, HEIGHT / timeline.height)
    return max(round(timeline.width * scale / 2) * 2, 16), max(round(timeline.height * scale / 2) * 2, 16)


def render_proxy(
    timeline: Timeline,
    out: Path,
    *,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Rendered:
    """Make the preview's film, an mp4 with the sound at its own level and a key frame every 12 frames.

    Raises:
        InputError, OutputError, Cancelled: as `render`.
    """
    size = proxy_size(timeline)
    return render(
        timeline, _PRESET, out, size=size, key_frames=KEY_FRAMES, on_progress=on_progress, cancelled=cancelled
    )
