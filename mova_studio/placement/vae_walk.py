"""What is alive while a chunk of video goes through the layers of the Wan VAE, counted from its config.

Each rule follows the operations of one class of diffusers' autoencoder_kl_wan.py: a layer's input, its temporaries at
their worst, and what causal convolutions keep of earlier frames.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mova_studio.network.tiles import Reach

CACHED_FRAMES = 2
FLOAT = 4
Size = tuple[int, int]


@dataclass(frozen=True)
class Workspace:
    """What convolutions and attention take beside their tensors: it depends on the device, not on the network.

    Attributes:
        fixed: bytes, whatever the size.
        copies: how many times a convolution's padded input and output lie there once more. cuDNN's tensor-core
            algorithms compute channels-last and turn other tensors within their workspace: 1. An operation count
            on the CPU or the meta device: 0. torch 2.9 in bfloat16 with a cuDNN before 9.15 needs several times
            as much (pytorch/pytorch issue 166643), which no formula here covers.
        fused_attention: the middle block's attention never holds its matrix, as in PyTorch's memory-efficient
            kernel on CUDA and its flash kernel on the CPU; otherwise two of (h w)^2 float32 numbers are alive.
    """

    fixed: int = 2**29
    copies: float = 1.0
    fused_attention: bool = True


@dataclass(frozen=True)
class Layer:
    """One step of the walk.

    Attributes:
        kind: which rule.
        into, out: channels.
        in_time: an "up" or "down" that changes the number of frames as well.
        normed: a "convolution" with a norm and an activation before it.
        opens: the first of a block whose caller holds the block's input until its end.
    """

    kind: Literal["convolution", "residual", "attention", "up", "down"]
    into: int
    out: int
    in_time: bool = False
    normed: bool = False
    opens: bool = False

    @property
    def reach(self) -> Reach:
        if self.kind == "up" or self.kind == "down":
            return Reach(self.kind, 1)
        return Reach("same", 2 if self.kind == "residual" else 1)


@dataclass(frozen=True)
class Structure:
    """Both halves of the VAE: the layers that tiles run one by one, and the stem around the attention."""

    z: int
    decoder_stem: tuple[Layer, ...]
    decoder: tuple[Layer, ...]
    encoder: tuple[Layer, ...]
    encoder_stem: tuple[Layer, ...]

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Structure:
        """From the config as on disk; what it leaves out is as AutoencoderKLWan has it."""
        base, z, blocks = config.get("base_dim", 96), config.get("z_dim", 16), config.get("num_res_blocks", 2)
        multiples = list(config.get("dim_mult", (1, 2, 4, 4)))
        in_time = list(config.get("temperal_downsample", (False, True, True)))
        last = len(multiples) - 1

        encoder, channels = [Layer("convolution", config.get("in_channels", 3), base)], base
        for index, multiple in enumerate(multiples):
            for _ in range(blocks):
                encoder.append(Layer("residual", channels, base * multiple))
                channels = base * multiple
            if index < last:
                encoder.append(Layer("down", channels, channels, in_time[index]))
        encoder_stem = (*_middle(channels), Layer("convolution", channels, 2 * z, normed=True))

        base = config.get("decoder_base_dim") or base
        channels = base * multiples[-1]
        decoder_stem = (Layer("convolution", z, channels), *_middle(channels))
        decoder: list[Layer] = []
        for index, multiple in enumerate(reversed(multiples)):
            for block in range(blocks + 1):
                decoder.append(Layer("residual", channels, base * multiple, opens=block == 0))
                channels = base * multiple
            if index < last:
                decoder.append(Layer("up", channels, channels // 2, in_time[last - 1 - index]))
                channels //= 2
        decoder.append(Layer("convolution", channels, config.get("out_channels", 3), normed=True, opens=True))
        return cls(z, decoder_stem, tuple(decoder), tuple(encoder), encoder_stem)


def _middle(channels: int) -> tuple[Layer, Layer, Layer]:
    residual = Layer("residual", channels, channels)
    return residual, Layer("attention", channels, channels), residual


@dataclass(frozen=True)
class Walk:
    """A chunk's way through layers.

    Attributes:
        element: bytes of one number.
        chunk: how many chunks went before. The first, 0, is of one frame throughout; from 2 on the caches are full
            and chunks are alike.
        space: what the device adds.
    """

    element: int
    chunk: int
    space: Workspace

    @property
    def before(self) -> int:
        """Frames that the caches hold when the chunk begins."""
        return min(self.chunk, CACHED_FRAMES)

    def frames_after(self, layers: Sequence[Layer], frames: int) -> int:
        for layer in layers:
            if layer.in_time and self.chunk:
                frames = 2 * frames if layer.kind == "up" else frames // 2
        return frames

    def peak(self, layers: Sequence[Layer], sizes: Sequence[Size], frames: int, blocks_hold: bool = False) -> int:
        """Bytes alive at the worst moment, caches included.

        Args:
            sizes: (rows, columns) that each layer is given.
            frames: of the first layer's input, in the chunk.
            blocks_hold: count what `Layer.opens` says.
        """
        worst = outer = 0
        cached = sum(self._cache(layer, size, self.chunk) for layer, size in zip(layers, sizes, strict=True))
        stored = layers[0].into * frames * sizes[0][0] * sizes[0][1] * self.element
        for layer, size in zip(layers, sizes, strict=True):
            if layer.opens:
                outer = 0
            within = getattr(self, f"_{layer.kind}")(layer, size, frames, stored)
            worst = max(worst, cached + within + (outer if blocks_hold else 0))
            cached += self._cache(layer, size, self.chunk + 1) - self._cache(layer, size, self.chunk)
            if layer.opens:
                outer = stored
            frames = self.frames_after([layer], frames)
            stored = layer.out * frames * layer.reach.after(size[0]) * layer.reach.after(size[1]) * self.element
        return worst

    def _cache(self, layer: Layer, size: Size, chunks: int) -> int:
        """What a layer keeps after so many chunks."""
        area, kept = size[0] * size[1] * self.element, min(chunks, CACHED_FRAMES)
        if layer.kind == "residual":
            return kept * (layer.into + layer.out) * area
        if layer.kind == "convolution":
            return kept * layer.into * area
        if layer.kind == "up" and layer.in_time and chunks > 1:
            return CACHED_FRAMES * layer.into * area
        if layer.kind == "down" and layer.in_time and chunks:
            return layer.out * area // 4
        return 0

    def _norm(self, tensor: int, channels: int) -> int:
        """Temporaries of an RMS norm beside its input: three, or in 16 bits two in float32 and the root."""
        if self.element == FLOAT:
            return 3 * tensor
        return (2 * channels + 1) * FLOAT * tensor // (channels * self.element)

    def _causal(self, size: Size, frames: int, into: int, out: int) -> int:
        """A 3x3x3 convolution beside its input: what it keeps, joins to the frames before, pads, and gives."""
        rows, columns = size
        area = rows * columns * self.element
        kept = min(frames + self.before, CACHED_FRAMES) * into * area
        joined = (frames + self.before) * into * area if self.before else 0
        padded = (frames + CACHED_FRAMES) * into * (rows + 2) * (columns + 2) * self.element
        return kept + max(joined + padded, self._convolved(padded, frames * out * area))

    def _convolved(self, into: int, out: int) -> int:
        return int((into + out) * (1 + self.space.copies))

    def _convolution(self, layer: Layer, size: Size, frames: int, stored: int) -> int:
        tensor = frames * layer.into * size[0] * size[1] * self.element
        causal = self._causal(size, frames, layer.into, layer.out)
        return stored + (max(self._norm(tensor, layer.into), tensor + causal) if layer.normed else causal)

    def _residual(self, layer: Layer, size: Size, frames: int, stored: int) -> int:
        area = frames * size[0] * size[1] * self.element
        into, out = layer.into * area, layer.out * area
        shortcut = 0 if layer.into == layer.out else out
        # Until the caches are full, what the first convolution keeps is more than what it had kept.
        grown = into // frames if self.before < CACHED_FRAMES else 0
        return stored + max(
            self._convolved(into, shortcut) if shortcut else 0,
            shortcut + self._norm(into, layer.into),
            shortcut + into + self._causal(size, frames, layer.into, layer.out),
            shortcut + grown + out + self._norm(out, layer.out),
            shortcut + grown + out + self._causal(size, frames, layer.out, layer.out),
        )

    def _attention(self, layer: Layer, size: Size, frames: int, stored: int) -> int:
        area = size[0] * size[1]
        tensor = frames * layer.into * area * self.element
        matrices = 0 if self.space.fused_attention else 2 * frames * area * area * FLOAT
        # Normed, and three for query, key and value twice over while they are laid out anew.
        return stored + max(self._norm(tensor, layer.into), 7 * tensor, 5 * tensor + matrices)

    def _up(self, layer: Layer, size: Size, frames: int, stored: int) -> int:
        frame = layer.into * size[0] * size[1] * self.element
        in_time, after = 0, frames
        if layer.in_time and self.chunk:
            padded, after = frames + CACHED_FRAMES, 2 * frames
            joined = padded if self.chunk > 1 else 0
            convolved = self._convolved(padded * frame, after * frame)
            in_time = CACHED_FRAMES * frame + max((joined + padded) * frame, convolved, 2 * after * frame)
        laid_out, doubled = (after * frame if after > 1 else 0), 4 * after * frame
        if self.element < FLOAT:
            in_float = FLOAT * doubled // self.element
            doubling = in_float + max(in_float // 4, doubled)
        else:
            doubling = doubled
        out = 4 * after * frame * layer.out // layer.into
        return stored + max(in_time, 2 * laid_out, laid_out + max(doubling, self._convolved(doubled, out)))

    def _down(self, layer: Layer, size: Size, frames: int, stored: int) -> int:
        (rows, columns), channel = size, frames * layer.into * self.element
        laid_out = channel * rows * columns if frames > 1 else 0
        padded, out = channel * (rows + 1) * (columns + 1), channel * (rows // 2) * (columns // 2)
        in_time = 0
        if layer.in_time and self.chunk:
            joined = out * (frames + 1) // frames
            in_time = out + out // frames + joined + self._convolved(joined, out // 2)
        return stored + max(laid_out + self._convolved(padded, out), in_time)
