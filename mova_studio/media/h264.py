"""RGB frames to H.264 packets in BT.709."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from fractions import Fraction

import av
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from mova_studio.errors import Cancelled, InputError

# x264's macroblock tree reads memory that it never wrote where the width is no multiple of 128, so that the
# same frames give another file each time (seen at 160x96 and 320x176 with x264 165). Without it they give the same.
_TAKE = {"preset": "medium", "crf": "18", "profile": "high", "x264-params": "mbtree=0"}
_KEY_FRAME_SECONDS = 2  # keeps scrubbing quick


def encode_picture(
    container: OutputContainer,
    frames: Iterable[NDArray[np.uint8]],
    rate: Fraction,
    report: Callable[[float], None],
    cancelled: Callable[[], bool],
) -> list[av.Packet]:
    """Add a video stream to `container` and encode `frames` for it, without writing anything yet.

    Args:
        frames: uint8 RGB [H, W, 3] each, all alike, both sides even.
        rate: frames per second.
        report: called with the share done, 0 to 1; before the end only if `frames` knows its length.
        cancelled: asked before every frame.

    Returns:
        one packet per frame, in decoding order.

    Raises:
        InputError: no frame, or one of a wrong or a different shape.
        Cancelled: `cancelled()` said so.
    """
    total = operator.length_hint(frames)
    stream: VideoStream | None = None
    packets: list[av.Packet] = []
    # One converter for all frames: making its tables anew for each would cost more than the conversion.
    converter = VideoReformatter()
    shape: tuple[int, ...] = ()
    for index, pixels in enumerate(frames):
        if cancelled():
            raise Cancelled()
        if stream is None:
            shape = _checked_shape(pixels)
            stream = picture_stream(container, rate, shape[0], shape[1], _TAKE)
        if pixels.shape != shape or pixels.dtype != np.uint8:
            raise InputError(
                f"Frame {index} is {pixels.dtype} {pixels.shape} where uint8 {shape} was expected; "
                "all frames of a file must be alike.",
                field="size",
            )
        packets += stream.encode(to_yuv(converter, pixels, index, rate))
        if total:
            report((index + 1) / max(total, index + 1))
    if stream is None:
        raise InputError("There is no frame to write; a file needs at least one.", field="num_frames")
    packets += stream.encode(None)
    report(1.0)
    return packets


def picture_stream(
    container: OutputContainer, rate: Fraction, height: int, width: int, options: dict[str, str]
) -> VideoStream:
    """A new H.264 stream, yuv420p, tagged BT.709 limited range."""
    stream = container.add_stream("libx264", rate=rate, options=dict(options))
    stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
    context = stream.codec_context
    context.time_base = 1 / rate
    context.gop_size = max(1, round(_KEY_FRAME_SECONDS * rate))
    context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
    context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
    return stream


def to_yuv(
    converter: VideoReformatter, pixels: NDArray[np.uint8], index: int, rate: Fraction, scale: int = 1
) -> av.VideoFrame:
    """Frame number `index`, uint8 RGB [h, w, 3], as BT.709 yuv420p of `scale` times its sides."""
    frame = converter.reformat(
        av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24"),
        width=pixels.shape[1] * scale,
        height=pixels.shape[0] * scale,
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation="BICUBIC" if scale == 1 else "BILINEAR",
        threads=1,  # at these sizes, waking the others takes longer than they save
    )
    frame.pts, frame.time_base = index, 1 / rate
    return frame


def _checked_shape(pixels: NDArray[np.uint8]) -> tuple[int, ...]:
    shape = np.shape(pixels)
    if len(shape) != 3 or shape[2] != 3 or shape[0] % 2 or shape[1] % 2 or 0 in shape:
        raise InputError(f"Frames of shape {shape} cannot be written; give [H, W, 3] with even H and W.", field="size")
    return shape
