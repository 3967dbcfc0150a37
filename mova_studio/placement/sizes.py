"""What a checkpoint weighs and how wide it is, from its files' headers and settings; nothing is loaded."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mova_studio.errors import CheckpointError
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.layout import COMPONENTS
from mova_studio.network.weights import read_entries

FORMAT_BITS = {"fp32": 32.0, "bf16": 16.0, "fp8": 8.0, "fp8_compute": 8.0, "int8": 8.0, "nf4": 4.5}
SCALE_BYTES = 4
LAYERED = re.compile(r"^(blocks\.\d+|(audio_to_video|video_to_audio)_conditioners\.\d+|encoder\.block\.\d+)\.")


@dataclass(frozen=True)
class ComponentSize:
    """Elements of one component, by what can be done with them.

    Attributes:
        linear: of matrices inside layers, which can be quantized.
        rows: output rows of those matrices, each with a scale when quantized.
        layer_rest, layer_rest32: the other elements of layers: in the compute dtype, and float32 in any case.
        outside, outside32: elements outside layers, likewise.
    """

    linear: int
    rows: int
    layer_rest: int
    layer_rest32: int
    outside: int
    outside32: int

    @classmethod
    def of(cls, name: str, shapes: Iterable[tuple[str, tuple[int, ...]]]) -> ComponentSize:
        """Count `shapes` (name in our module, shape) of the component `name`."""
        counts = dict.fromkeys(("linear", "rows", "layer_rest", "layer_rest32", "outside", "outside32"), 0)
        for tensor, shape in shapes:
            size, float32 = math.prod(shape), COMPONENTS[name].in_float32(tensor)
            if LAYERED.match(tensor) is None:
                counts["outside32" if float32 else "outside"] += size
            elif is_quantizable(tensor, shape) and not float32:
                counts["linear"] += size
                counts["rows"] += shape[0]
            else:
                counts["layer_rest32" if float32 else "layer_rest"] += size
        return cls(**counts)

    @property
    def parameters(self) -> int:
        return self.linear + self.layer_rest + self.layer_rest32 + self.outside + self.outside32

    def layer_bytes(self, weights: str) -> int:
        """Bytes of all layers with their matrices in `weights`."""
        native = 4 if weights == "fp32" else 2
        scales = self.rows * SCALE_BYTES if weights not in ("fp32", "bf16", "nf4") else 0
        return int(self.linear * FORMAT_BITS[weights] / 8) + scales + self.layer_rest * native + self.layer_rest32 * 4

    def outside_bytes(self, weights: str) -> int:
        """Bytes of what lies outside layers, which is never quantized."""
        return self.outside * (4 if weights == "fp32" else 2) + self.outside32 * 4

    def bytes(self, weights: str) -> int:
        """All bytes."""
        return self.layer_bytes(weights) + self.outside_bytes(weights)


def is_quantizable(tensor: str, shape: tuple[int, ...]) -> bool:
    """Whether a layer's tensor is a matrix product's weight of a size that every 8-bit product takes."""
    return (
        tensor.endswith(".weight")
        and len(shape) == 2
        and "relative_attention_bias" not in tensor
        and all(side % 16 == 0 for side in shape)
    )


@dataclass(frozen=True)
class CheckpointSizes:
    """A checkpoint as the planner sees it.

    Attributes:
        components: sizes by component.
        configs: settings by component, as on disk.
        identity: of the weights; "" where they are not on this machine.
        on_disk: False where the sizes come from a table of published ones.
    """

    components: Mapping[str, ComponentSize]
    configs: Mapping[str, Mapping[str, Any]]
    identity: str
    on_disk: bool

    @property
    def num_blocks(self) -> int:
        return int(self.configs["video_dit"]["num_layers"])


def read_sizes(checkpoint: Checkpoint) -> CheckpointSizes:
    """Sizes of a checkpoint on this machine, from headers alone.

    Raises:
        CheckpointError: a file is missing or damaged.
    """
    components = {}
    for name, component in COMPONENTS.items():
        entries = read_entries(checkpoint.folder / name, component.weights).values()
        if not entries:
            raise CheckpointError(f"{checkpoint.folder / name} holds no tensors; download it again.")
        components[name] = ComponentSize.of(name, ((component.to_module(e.name), e.shape) for e in entries))
    configs = {name: checkpoint.config(name) for name in COMPONENTS}
    return CheckpointSizes(components, configs, checkpoint.identity(), on_disk=True)
