"""Predicted peaks of the VAEs against counted ones, at the released sizes on the meta device and on the CPU."""

from __future__ import annotations

import pytest
import torch
from diffusers import AutoencoderKLWan
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.live_bytes import LiveBytes
from mova_studio.diffusion.tiling import decode, encode
from mova_studio.diffusion.vae_layers import decoder_layers, encoder_layers
from mova_studio.network.audio_vae import AutoencoderDAC
from mova_studio.network.tiles import Tiling
from mova_studio.placement.vae_memory import audio_decode_peak, decode_peak, encode_peak, fewest_tiles
from mova_studio.placement.vae_walk import Structure, Workspace

RELEASED: dict = {}
DEMO = {"base_dim": 8, "num_res_blocks": 1}
# On the meta device attention is computed as its definition says; on the CPU by a kernel without the matrix.
META, CPU = Workspace(0, 0.0, fused_attention=False), Workspace(0, 0.0)
GIB = 2**30


def build(config: dict, device: str, dtype: torch.dtype) -> AutoencoderKLWan:
    with torch.device(device):
        return AutoencoderKLWan(**config).eval().requires_grad_(False).to(dtype)


def counted(vae: AutoencoderKLWan, width: int, height: int, frames: int, tiling: Tiling | None) -> tuple[int, int]:
    """Peak bytes of decoding and of encoding, the video's and the parked tensors' included."""
    with LiveBytes() as decoding:
        shape = (1, 16, (frames - 1) // 4 + 1, height // 8, width // 8)
        latents = torch.zeros(shape, dtype=vae.dtype, device=vae.device)
        decode(vae, latents, tiling, device=vae.device)
    with LiveBytes() as encoding:
        first = torch.zeros(1, 3, 1, height, width, device=vae.device)
        encode(vae, lambda a, b: first.new_zeros(1, 3, b - a, height, width), frames, tiling, park=vae.device)
    return decoding.peak, encoding.peak


def check(config: dict, device: str, dtype: torch.dtype, case: tuple, space: Workspace) -> None:
    width, height, frames, count = case
    tiling = None if count is None else Tiling(count=count)
    peaks = counted(build(config, device, dtype), width, height, frames, tiling)
    for predict, peak in zip((decode_peak, encode_peak), peaks, strict=True):
        predicted = predict(config, width, height, frames, dtype.itemsize, tiling, space)
        assert predicted.device + predicted.host == pytest.approx(peak, rel=0.1), predict.__name__


# From the third latent frame on, 9 frames, the caches are full and only the video grows.
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("count", [None, 2, 4, 9])
@pytest.mark.parametrize(("width", "height"), [(640, 352), (1280, 720)])
def test_the_released_size(width, height, count, dtype):
    check(RELEASED, "meta", dtype, (width, height, 9, count), META)


@pytest.mark.parametrize("frames", [1, 5, 33])
@pytest.mark.parametrize("count", [None, 3])
def test_other_lengths(frames, count):
    check(RELEASED, "meta", torch.float32, (640, 352, frames, count), META)


@pytest.mark.parametrize("case", [(96, 64, 9, None), (96, 64, 5, 4), (64, 160, 9, 3), (160, 96, 1, 6)])
def test_the_demo_vae_on_the_cpu(case):
    check(DEMO, "cpu", torch.float32, case, CPU)


def test_the_whole_length_differs_by_video_and_latents_alone():
    short, long = (decode_peak(RELEASED, 1280, 720, frames) for frames in (9, 193))
    assert long.host - short.host == 184 * 3 * 720 * 1280 * 4
    assert long.device - short.device == 46 * 2 * 16 * 90 * 160 * 4


@pytest.mark.parametrize("config", [RELEASED, DEMO, {"base_dim": 8, "decoder_base_dim": 16, "dim_mult": [1, 1, 2, 2]}])
def test_the_walk_has_the_reaches_of_the_network(config):
    vae, structure = build(config, "meta", torch.float32), Structure.of(config)
    assert [layer.reach for layer in structure.decoder] == [layer.reach for layer in decoder_layers(vae)]
    assert [layer.reach for layer in structure.encoder] == [layer.reach for layer in encoder_layers(vae)]


@pytest.mark.parametrize("latents", [1, 5, 50, 403])
@pytest.mark.parametrize("config", [{}, {"encoder_dim": 4, "decoder_dim": 64, "latent_dim": 16}])
def test_the_audio_vae(config, latents):
    with torch.device("meta"):
        vae = AutoencoderDAC(**config).eval().requires_grad_(False)
        with LiveBytes() as live:
            vae.decode(torch.zeros(1, config.get("latent_dim", 128), latents))
    assert audio_decode_peak(config, latents) == pytest.approx(live.peak, rel=0.1)


@settings(max_examples=25, deadline=None)
@given(
    width=st.integers(4, 80).map(lambda n: 16 * n),
    height=st.integers(4, 80).map(lambda n: 16 * n),
    element=st.sampled_from([2, 4]),
    budget=st.floats(0.1, 40).map(lambda gib: int(gib * GIB)),
)
def test_the_tiles_chosen_fit_and_fewer_do_not(width, height, element, budget):
    tiling = fewest_tiles(RELEASED, width, height, 193, budget, element)
    if tiling is None:
        assert decode_peak(RELEASED, width, height, 193, element, Tiling(side=8)).device > budget
        return
    assert decode_peak(RELEASED, width, height, 193, element, tiling).device <= budget
    assert tiling.count is not None
    if tiling.count > 1:
        assert decode_peak(RELEASED, width, height, 193, element, Tiling(count=tiling.count - 1)).device > budget


def test_a_budget_beyond_need_takes_the_whole_picture_and_one_below_any_tile_none():
    assert fewest_tiles(RELEASED, 1280, 720, 193, 80 * GIB) == Tiling(count=1)
    assert fewest_tiles(RELEASED, 1280, 720, 193, GIB // 2) is None
    assert fewest_tiles(RELEASED, 1280, 720, 193, 8 * GIB, direction="encode") is not None
