"""The names of tensors in adapter files: which layer each belongs to, in whichever spelling it was written.

Read are MOVA's own two formats, with and without an adapter's name inside; what peft and diffusers write; and the
spellings in which adapters for Wan 2.2 are passed around, kohya's among them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from mova_studio.network.layout import tower_name_to_disk

TOWERS = ("video_dit", "video_dit_2", "audio_dit")
BRIDGE = "dual_tower_bridge"
ADAPTABLE = (*TOWERS, BRIDGE)
# A file that names no expert fits either of them.
EITHER_EXPERT = "video"
_ATTENTIONS = tuple(f"{kind}.{leaf}" for kind in ("self_attn", "cross_attn") for leaf in "qkvo")
_BLOCK_LINEARS = (*_ATTENTIONS, "ffn.0", "ffn.2")
_OUTER_LINEARS = (
    "text_embedding.0",
    "text_embedding.2",
    "time_embedding.0",
    "time_embedding.2",
    "time_projection.1",
    "head.head",
)
_BRIDGE_PATH = re.compile(r"(?:audio_to_video|video_to_audio)_conditioners\.\d+\.inner\.[qkvo]")
_WRAPPERS = re.compile(r"(?:(?<=\.)|^)(?:_fsdp_wrapped_module|_orig_mod|module)\.")
_PREFIXES = ("base_model.model.", "diffusion_model.", "model.")
_COMPONENTS = {name: name for name in (*ADAPTABLE, EITHER_EXPERT)} | {
    "transformer": EITHER_EXPERT,
    "transformer_2": "video_dit_2",
}
_KOHYA = "lora_unet_"
_MATRIX = re.compile(
    r"(?P<stem>.+)\.(?P<part>lora_(?:A|B|down|up)|lora\.(?:down|up))(?:\.(?!weight$)\w+)?(?:\.weight)?"
)
_DOWN = ("lora_A", "lora_down", "lora.down")
Part = Literal["down", "up", "alpha"]


@dataclass(frozen=True)
class KeyMeaning:
    """What a tensor of an adapter file is.

    Attributes:
        component: one of `ADAPTABLE`, or `EITHER_EXPERT`.
        path: of the linear layer, in the published spelling ("blocks.0.self_attn.q").
        part: "down" is A [r, in], "up" is B [out, r], "alpha" the layer's own numerator of alpha / r.
    """

    component: str
    path: str
    part: Part


def read_key(key: str) -> KeyMeaning | None:
    """What `key` names; None if it is no part of an adapter for a layer of MOVA."""
    matrix = _MATRIX.fullmatch(key)
    if matrix is not None:
        part: Part = "down" if matrix["part"] in _DOWN else "up"
        stem = matrix["stem"]
    elif key.endswith(".alpha"):
        part, stem = "alpha", key.removesuffix(".alpha")
    else:
        return None
    component, path = _component(_WRAPPERS.sub("", stem))
    if component != BRIDGE:
        path = _published(path)
    return KeyMeaning(component, path, part) if _is_linear(component, path) else None


def _component(stem: str) -> tuple[str, str]:
    if stem.startswith(_KOHYA):
        return EITHER_EXPERT, _unflattened(stem.removeprefix(_KOHYA))
    for prefix in _PREFIXES:
        stem = stem.removeprefix(prefix)
    first, _, rest = stem.partition(".")
    return (_COMPONENTS[first], rest) if first in _COMPONENTS else (EITHER_EXPERT, stem)


def _published(path: str) -> str:
    """Also where a layer is named as diffusers does ("blocks.0.attn1.to_q")."""
    return tower_name_to_disk(f"{path}.weight").removesuffix(".weight")


def _unflattened(path: str) -> str:
    """kohya's names have underscores for dots: "blocks_0_self_attn_q"."""
    block = re.fullmatch(r"blocks_(\d+)_(\w+)", path)
    names = _OUTER_LINEARS if block is None else _BLOCK_LINEARS
    flat = path if block is None else block[2]
    known = next((name for name in names if name.replace(".", "_") == flat), path)
    return known if block is None else f"blocks.{block[1]}.{known}"


def _is_linear(component: str, path: str) -> bool:
    if component == BRIDGE:
        return _BRIDGE_PATH.fullmatch(path) is not None
    block = re.fullmatch(r"blocks\.\d+\.(.+)", path)
    return path in _OUTER_LINEARS if block is None else block[1] in _BLOCK_LINEARS
