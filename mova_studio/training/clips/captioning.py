"""A clip's caption in the form of MOVA's prompts, by a prompting backend."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mova_studio.media.images import encode_png
from mova_studio.prompting.backend import Backend
from mova_studio.prompting.workflow import enhance


def caption_clip(
    backend: Backend,
    first_frame: NDArray[np.uint8],
    known: str,
    *,
    speaks: bool,
    cancelled: Callable[[], bool] = lambda: False,
) -> str:
    """Write what can be seen and heard.

    With `known` words, the backend brings them into form, looking at the first frame if it can. Without, one that can
    see describes the frame, and of the sound it is only said whether somebody speaks. One that cannot see has nothing
    to go by.

    Args:
        first_frame: uint8 RGB [H, W, 3].
        known: what is known of the whole film, or "".
        speaks: whether somebody speaks in the clip.

    Returns:
        "" where there is nothing to go by.

    Raises:
        BackendError: it is not there, or refuses.
        AnswerError: its answers are of no use.
        Cancelled: `cancelled()` said so.
    """
    png = encode_png(Image.fromarray(first_frame)) if backend.can_see else None
    if known:
        return enhance(backend, known, png, cancelled=cancelled).rewritten
    if png is None:
        return ""
    frame = backend.describe_frame(png, "", lambda text: None, cancelled)
    if frame.empty:
        return ""
    seen = [part.rstrip(". ") for part in (frame.style, frame.elements, frame.camera) if part.strip()]
    heard = "A voice speaks." if speaks else "Nobody speaks."
    return enhance(backend, f"{'. '.join(seen)}. {heard}", frame=frame, cancelled=cancelled).rewritten
