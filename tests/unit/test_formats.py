"""Weight formats: how near they keep a weight, and that a layer in any of them behaves as a linear layer."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mova_studio.placement.formats import QUANTIZED, QuantizedLinear, quantize_linear

# Of the product with normal weights; tests/parity/test_format_error.py has those on the parity checkpoint.
LIMITS = {"int8": 1e-2, "fp8": 3e-2, "fp8_compute": 5e-2, "nf4": 1.2e-1}


def layer_of(weight: torch.Tensor, bias: torch.Tensor | None, weights: str, dtype=torch.float32) -> QuantizedLinear:
    layer = QuantizedLinear(weight.shape[1], weight.shape[0], bias is not None, weights, dtype)
    for name, tensor in quantize_linear(weight, weights).items():
        empty = layer._parameters[name]
        assert (tensor.shape, tensor.dtype) == (empty.shape, empty.dtype)
        layer._parameters[name] = nn.Parameter(tensor, requires_grad=False)
    if bias is not None:
        layer.bias = nn.Parameter(bias.to(dtype), requires_grad=False)
    return layer


def error(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found.float() - expected).norm() / expected.norm())


@pytest.mark.parametrize("weights", list(QUANTIZED))
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_product_is_near_the_plain_one(weights, dtype):
    torch.manual_seed(0)
    weight, bias, states = torch.randn(64, 128) * 0.02, torch.randn(64), torch.randn(3, 5, 128)
    found = layer_of(weight, bias, weights, dtype)(states.to(dtype))
    assert (found.shape, found.dtype) == ((3, 5, 64), dtype)
    extra = 1e-2 if dtype == torch.bfloat16 else 0.0
    assert error(found, nn.functional.linear(states, weight, bias)) < LIMITS[weights] + extra


@pytest.mark.parametrize("weights", list(QUANTIZED))
def test_the_weight_can_be_read_back(weights):
    torch.manual_seed(0)
    weight = torch.randn(32, 64)
    assert error(layer_of(weight, None, weights).weight, weight) < LIMITS[weights]


@pytest.mark.parametrize("weights", ["int8", "fp8", "fp8_compute"])
def test_rows_have_scales_of_their_own(weights):
    """A row a thousand times smaller than its neighbour is kept as well as it."""
    torch.manual_seed(0)
    weight = torch.randn(32, 64)
    weight[1] *= 1e-3
    assert error(layer_of(weight, None, weights).weight[1], weight[1]) < LIMITS[weights]


@pytest.mark.parametrize("weights", list(QUANTIZED))
def test_zero_rows_and_zero_states_stay_finite(weights):
    weight = torch.zeros(32, 64)
    weight[0] = 1.0
    found = layer_of(weight, None, weights)(torch.zeros(2, 64))
    assert torch.equal(found, torch.zeros(2, 32))


def test_outliers_among_states_do_not_drown_other_tokens():
    torch.manual_seed(0)
    weight, states = torch.randn(32, 64), torch.randn(4, 64)
    states[2] *= 1e4
    found = layer_of(weight, None, "fp8_compute")(states)
    expected = states @ weight.T
    for token in range(4):
        assert error(found[token], expected[token]) < LIMITS["fp8_compute"]


@pytest.mark.parametrize("weights", list(QUANTIZED))
def test_eight_bits_are_half_of_sixteen(weights):
    kept = sum(tensor.nbytes for tensor in quantize_linear(torch.randn(256, 512), weights).values())
    assert kept < (0.3 if weights == "nf4" else 0.52) * 256 * 512 * 2
