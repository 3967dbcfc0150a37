"""Weight formats, and the linear layer that holds any of them.

optimum-quanto quantizes and multiplies 8-bit weights, bitsandbytes 4-bit ones, PyTorch's scaled product 8-bit
floats on both sides. The tensors themselves lie plainly in the layer, so that they can be memory-mapped from
safetensors, packed into one buffer and streamed like any other weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn

NF4_BLOCK = 64
FP8_MAX = 448.0
# Where a row's weights fall between two powers of two decides how well 8-bit floats hit them; the best of these
# scales nearly halves the velocity's error on the parity checkpoint (benchmarks/format_error.py).
SCALES_TRIED = tuple(2 ** (step / 8) for step in range(8))
TensorDict = dict[str, torch.Tensor]


class Format(Protocol):
    """How a matrix is kept and multiplied."""

    def layout(self, out_features: int, in_features: int) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
        """Shapes and dtypes of the tensors that stand for a [out_features, in_features] weight."""

    def quantize(self, weight: torch.Tensor) -> TensorDict:
        """The tensors that stand for `weight` [out_features, in_features]."""

    def dequantize(self, kept: Mapping[str, torch.Tensor], shape: tuple[int, int], dtype: torch.dtype) -> torch.Tensor:
        """The weight again, as nearly as the format keeps it."""

    def multiply(self, states: torch.Tensor, kept: Mapping[str, torch.Tensor], shape: tuple[int, int]) -> torch.Tensor:
        """`states` [..., in_features] times the transposed weight, [..., out_features] in the states' dtype."""


@dataclass(frozen=True)
class RowScaled:
    """One 8-bit number per weight and one float32 scale per row; products run in the states' dtype.

    Args:
        dtype: torch.int8 or torch.float8_e4m3fn.
    """

    dtype: torch.dtype

    def layout(self, out_features: int, in_features: int) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
        return {"packed": ((out_features, in_features), self.dtype), "scale": ((out_features, 1), torch.float32)}

    def quantize(self, weight: torch.Tensor) -> TensorDict:
        from optimum.quanto import AbsmaxOptimizer, qfloat8_e4m3fn, qint8, quantize_weight

        kind = qint8 if self.dtype == torch.int8 else qfloat8_e4m3fn
        weight = weight.float()
        largest = AbsmaxOptimizer()(weight, kind, 0).clamp(min=torch.finfo(torch.float32).tiny)
        best: TensorDict = {}
        least = torch.full_like(largest, torch.inf)
        for widening in SCALES_TRIED if self.dtype != torch.int8 else SCALES_TRIED[:1]:
            quantized = quantize_weight(weight, kind, axis=0, scale=largest * widening)
            tried = {"packed": quantized._data, "scale": quantized._scale}
            error = (
                (self.dequantize(tried, (weight.shape[0], weight.shape[1]), torch.float32) - weight)
                .square()
                .sum(1, keepdim=True)
            )
            better = error < least
            least = torch.where(better, error, least)
            best = {name: _chosen(better, tensor, best[name]) for name, tensor in tried.items()} if best else tried
        return best

    def dequantize(self, kept: Mapping[str, torch.Tensor], shape: tuple[int, int], dtype: torch.dtype) -> torch.Tensor:
        return (kept["packed"].float() * kept["scale"]).to(dtype)

    def multiply(self, states: torch.Tensor, kept: Mapping[str, torch.Tensor], shape: tuple[int, int]) -> torch.Tensor:
        import optimum.quanto  # noqa: F401 (registers the product)

        rows = states.reshape(-1, states.shape[-1])
        product = torch.ops.quanto.qbytes_mm(rows, kept["packed"], kept["scale"].to(states.dtype))
        return product.view(*states.shape[:-1], shape[0])


def _chosen(better: torch.Tensor, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """By rows; through bytes, because few operations know 8-bit floats."""
    rows = torch.where(better, one.view(torch.uint8), other.view(torch.uint8))
    return rows.view(one.dtype)


@dataclass(frozen=True)
class ScaledProduct(RowScaled):
    """As `RowScaled` in 8-bit floats, but the states are quantized too, a scale per token, and the product
    runs on 8-bit units."""

    dtype: torch.dtype = torch.float8_e4m3fn

    def multiply(self, states: torch.Tensor, kept: Mapping[str, torch.Tensor], shape: tuple[int, int]) -> torch.Tensor:
        rows = states.reshape(-1, states.shape[-1])
        scale = (rows.abs().amax(dim=1, keepdim=True).float() / FP8_MAX).clamp(min=torch.finfo(torch.float32).tiny)
        packed = (rows / scale).clamp(-FP8_MAX, FP8_MAX).to(self.dtype)
        row_wise = nn.functional.ScalingType.RowWise
        product = nn.functional.scaled_mm(
            packed,
            kept["packed"].t(),
            scale_a=scale,
            scale_recipe_a=row_wise,
            scale_b=kept["scale"].t().contiguous(),
            scale_recipe_b=row_wise,
            output_dtype=torch.float32 if states.dtype == torch.float32 else torch.bfloat16,
        )
        return product.to(states.dtype).view(*states.shape[:-1], shape[0])


@dataclass(frozen=True)
class Nf4:
    """Four bits per weight on the quantiles of a normal distribution, a scale for every 64 (QLoRA, section 3)."""

    def layout(self, out_features: int, in_features: int) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
        size = out_features * in_features
        return {"packed": ((size // 2, 1), torch.uint8), "scale": ((size // NF4_BLOCK,), torch.float32)}

    def quantize(self, weight: torch.Tensor) -> TensorDict:
        from bitsandbytes.functional import quantize_4bit

        # In rows of one block each: on the CPU bitsandbytes misplaces blocks that cross rows.
        packed, state = quantize_4bit(weight.reshape(-1, NF4_BLOCK).contiguous(), quant_type="nf4", blocksize=NF4_BLOCK)
        return {"packed": packed, "scale": state.absmax.float()}

    def dequantize(self, kept: Mapping[str, torch.Tensor], shape: tuple[int, int], dtype: torch.dtype) -> torch.Tensor:
        from bitsandbytes.functional import QuantState, dequantize_4bit, get_4bit_type

        code = get_4bit_type("nf4", device=kept["packed"].device, blocksize=NF4_BLOCK)
        rows = torch.Size((shape[0] * shape[1] // NF4_BLOCK, NF4_BLOCK))
        state = QuantState(kept["scale"], rows, code, NF4_BLOCK, "nf4", dtype)
        return dequantize_4bit(kept["packed"], state).view(shape)

    def multiply(self, states: torch.Tensor, kept: Mapping[str, torch.Tensor], shape: tuple[int, int]) -> torch.Tensor:
        return nn.functional.linear(states, self.dequantize(kept, shape, states.dtype))


QUANTIZED: dict[str, Format] = {
    "int8": RowScaled(torch.int8),
    "fp8": RowScaled(torch.float8_e4m3fn),
    "fp8_compute": ScaledProduct(),
    "nf4": Nf4(),
}
# Formats that keep the same tensors share their cache.
STORED_AS = {"fp8_compute": "fp8"}
NATIVE = {"fp32": torch.float32, "bf16": torch.bfloat16}


def compute_dtype(weights: str) -> torch.dtype:
    """The dtype in which a component in the format `weights` computes on a device with bfloat16 units."""
    return NATIVE.get(weights, torch.bfloat16)


class QuantizedLinear(nn.Module):
    """A linear layer whose weight is kept in a `Format`.

    Args:
        in_features, out_features: as of `nn.Linear`.
        bias: whether there is one, in `dtype`.
        weights: name of the format.
        dtype: of the states.
    """

    packed: torch.Tensor
    scale: torch.Tensor

    def __init__(self, in_features: int, out_features: int, bias: bool, weights: str, dtype: torch.dtype) -> None:
        super().__init__()
        self.in_features, self.out_features, self.weights, self.dtype = in_features, out_features, weights, dtype
        for name, (shape, kind) in QUANTIZED[weights].layout(out_features, in_features).items():
            empty = torch.empty(shape, dtype=kind, device="meta")
            self.register_parameter(name, nn.Parameter(empty, requires_grad=False))
        empty_bias = torch.empty(out_features, dtype=dtype, device="meta")
        self.bias = nn.Parameter(empty_bias, requires_grad=False) if bias else None

    @property
    def shape(self) -> tuple[int, int]:
        return self.out_features, self.in_features

    @property
    def weight(self) -> torch.Tensor:
        """The weight [out_features, in_features] as the format keeps it, in `dtype`; made anew at every reading."""
        return QUANTIZED[self.weights].dequantize(self._kept(), self.shape, self.dtype)

    def _kept(self) -> TensorDict:
        return {"packed": self.packed, "scale": self.scale}

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """`states` [..., in_features] -> [..., out_features]."""
        product = QUANTIZED[self.weights].multiply(states, self._kept(), self.shape)
        return product if self.bias is None else product.add_(self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, weights={self.weights}"


def quantize_linear(weight: torch.Tensor, weights: str) -> TensorDict:
    """The tensors that a `QuantizedLinear` keeps for `weight`, on its device."""
    return QUANTIZED[weights].quantize(weight)
