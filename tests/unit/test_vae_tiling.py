"""The video VAE in pieces: the plain path is diffusers' own to the bit, tiles agree but for rounding."""

from __future__ import annotations

import pytest
import torch
from diffusers import AutoencoderKLWan
from hypothesis import given, settings
from hypothesis import strategies as st

from mova_studio.diffusion.conditioning import decode_video, encode_video, image_condition
from mova_studio.diffusion.tiling import decode, encode
from mova_studio.errors import Cancelled, CheckpointError, InputError
from mova_studio.network.tiles import Reach, Tiling, cut, needed

LIMIT = 1e-4


def build(**config) -> AutoencoderKLWan:
    """Random weights, set so that every layer matters: what a neighbour lacks shows far above the limit."""
    torch.manual_seed(0)
    vae = AutoencoderKLWan(**{"base_dim": 4, "num_res_blocks": 1, **config}).eval().requires_grad_(False)
    for name, weight in vae.named_parameters():
        if weight.dim() > 3 and "attn" not in name:
            torch.nn.init.normal_(weight, std=(2.0 / weight[0].numel()) ** 0.5)
    vae.decoder.conv_out.weight *= 0.02
    return vae


@pytest.fixture(scope="module")
def vae() -> AutoencoderKLWan:
    return build()


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def encode_whole(vae: AutoencoderKLWan, video: torch.Tensor, tiling: Tiling | None = None) -> torch.Tensor:
    return encode(vae, lambda start, stop: video[:, :, start:stop], video.shape[2], tiling)


def apart(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).abs().max() / other.abs().max().clamp(min=1.0))


sizes = st.tuples(st.integers(1, 6), st.integers(1, 6)).map(lambda size: (16 * size[0], 16 * size[1]))
tilings = st.one_of(st.integers(1, 9).map(lambda n: Tiling(count=n)), st.integers(2, 9).map(lambda n: Tiling(side=n)))


@settings(max_examples=10, deadline=None)
@given(size=sizes, frames=st.sampled_from([1, 5, 9, 17]), tiling=tilings)
def test_tiles_agree_with_the_whole(vae, size, frames, tiling):
    height, width = size
    latents = noise(1, 16, (frames - 1) // 4 + 1, height // 8, width // 8)
    whole = vae.decode(latents).sample
    assert whole.abs().max() <= 1 and whole.std() > 0.02
    assert apart(decode(vae, latents, tiling), whole) < LIMIT
    video = noise(1, 3, frames, height, width).clamp(-1, 1)
    assert apart(encode_whole(vae, video, tiling), vae.encode(video).latent_dist.parameters) < LIMIT


@pytest.mark.parametrize("config", [{}, {"num_res_blocks": 2}, {"base_dim": 8, "dim_mult": [1, 2, 2, 2]}])
def test_other_depths_are_understood(config):
    vae, latents, video = build(**config), noise(2, 16, 3, 12, 10), noise(2, 3, 9, 96, 80)
    tiling = Tiling(side=4)
    assert apart(decode(vae, latents, tiling), vae.decode(latents).sample) < LIMIT
    assert apart(encode_whole(vae, video, tiling), vae.encode(video).latent_dist.parameters) < LIMIT


def test_a_shorter_reach_would_show(vae, monkeypatch):
    latents, video, tiling = noise(1, 16, 3, 12, 12), noise(1, 3, 9, 96, 96), Tiling(count=4)
    whole, moments = vae.decode(latents).sample, vae.encode(video).latent_dist.parameters
    honest = Reach.needs
    monkeypatch.setattr(Reach, "needs", lambda self, wanted, size: honest(Reach(self.scale, 1), wanted, size))
    assert apart(decode(vae, latents, tiling), whole) > 10 * LIMIT
    assert apart(encode_whole(vae, video, tiling), moments) > 10 * LIMIT


@pytest.mark.parametrize("tiling", [None, Tiling(count=1), Tiling(side=12)])
@pytest.mark.parametrize("frames", [1, 5, 13])
def test_one_tile_gives_the_bits_of_diffusers(vae, frames, tiling):
    latents, video = noise(1, 16, (frames - 1) // 4 + 1, 6, 12), noise(1, 3, frames, 48, 96)
    assert torch.equal(decode(vae, latents, tiling), vae.decode(latents).sample)
    assert torch.equal(encode_whole(vae, video, tiling), vae.encode(video).latent_dist.parameters)


def test_half_precision_stays_within_its_own_resolution():
    vae, latents = build().to(torch.bfloat16), noise(1, 16, 2, 8, 8).bfloat16()
    video = decode(vae, latents, Tiling(count=4))
    assert video.dtype == torch.bfloat16
    assert (video - vae.decode(latents).sample).abs().max() < 0.05


def test_the_condition_is_the_same_in_tiles_and_grey_between_its_frames(vae):
    first, last = noise(1, 3, 48, 64).clamp(-1, 1), noise(1, 3, 48, 64).clamp(-1, 1)
    video = torch.zeros(1, 3, 9, 48, 64)
    video[:, :, 0], video[:, :, -1] = first, last
    condition = image_condition(vae, first, last, 9)
    assert torch.equal(condition[:, 4:], encode_video(vae, video))
    assert apart(image_condition(vae, first, last, 9, Tiling(count=4)), condition) < LIMIT


def test_the_video_is_decoded_onto_the_cpu_in_the_dtype_of_the_vae(vae):
    video = decode_video(vae, noise(2, 16, 2, 4, 6), Tiling(count=2))
    assert (video.shape, video.dtype, video.device.type) == ((2, 3, 5, 32, 48), torch.float32, "cpu")


@pytest.mark.parametrize(("tiling", "pieces"), [(None, 3), (Tiling(count=4), 3 + 4 * 3)])
def test_every_piece_is_announced_and_can_be_the_last(vae, tiling, pieces):
    latents, video, told = noise(1, 16, 3, 6, 6), noise(1, 3, 9, 48, 48), []
    decode(vae, latents, tiling, lambda done, total: told.append((done, total)))
    assert told == [(done, pieces) for done in range(pieces)]
    told.clear()
    encode_video(vae, video, tiling, lambda done, total: told.append((done, total)))
    assert told == [(done, pieces) for done in range(pieces)]

    def stop(done: int, total: int) -> None:
        told.append((done, total))
        if done == pieces - 2:
            raise Cancelled

    for run in (lambda: decode(vae, latents, tiling, stop), lambda: encode_video(vae, video, tiling, stop)):
        told.clear()
        with pytest.raises(Cancelled):
            run()
        assert len(told) == pieces - 1
    # Nothing is left in the VAE by a run that was stopped.
    assert torch.equal(decode(vae, latents), vae.decode(latents).sample)


@pytest.mark.parametrize("config", [{"patch_size": 2, "in_channels": 12, "out_channels": 12}, {"is_residual": True}])
def test_another_vae_is_refused_by_name(config):
    vae = build(**config)
    with pytest.raises(CheckpointError, match=next(iter(config))):
        decode(vae, noise(1, 16, 1, 4, 4))
    with pytest.raises(CheckpointError, match=next(iter(config))):
        encode_whole(vae, noise(1, 3, 1, 32, 32))


def test_a_size_between_latents_is_refused_in_tiles(vae):
    with pytest.raises(InputError, match="44x32"):
        encode_whole(vae, noise(1, 3, 1, 32, 44), Tiling(count=2))


@pytest.mark.parametrize("fields", [{}, {"side": 4, "count": 4}, {"side": 0}, {"count": -1}])
def test_a_tiling_says_one_thing(fields):
    with pytest.raises(InputError, match="exactly one"):
        Tiling(**fields)


@given(height=st.integers(1, 120), width=st.integers(1, 120), amount=st.integers(1, 60))
def test_grids_keep_to_their_limit(height, width, amount):
    rows, columns = Tiling(count=amount).grid(height, width)
    assert 1 <= rows * columns <= amount and rows <= height and columns <= width
    rows, columns = Tiling(side=amount).grid(height, width)
    tiles = [stop - start for size, parts in ((height, rows), (width, columns)) for start, stop in cut(size, parts)]
    assert max(tiles) <= amount
    assert (rows - 1) * amount < height and (columns - 1) * amount < width


def test_tiles_are_about_square():
    assert Tiling(count=4).grid(90, 160) == (2, 2)
    assert Tiling(count=8).grid(90, 160) == (2, 4)
    assert Tiling(count=2).grid(160, 90) == (2, 1)
    assert Tiling(side=48).grid(90, 160) == (2, 4)


@given(size=st.integers(1, 40), scales=st.lists(st.sampled_from(["same", "up"]), max_size=5), data=st.data())
def test_what_is_needed_ends_at_the_border(size, scales, data):
    reaches = [Reach(scale, 1) for scale in scales]
    length = size * 2 ** scales.count("up")
    start = data.draw(st.integers(0, length - 1))
    stop = data.draw(st.integers(start + 1, length))
    intervals = needed(reaches, size, (start, stop))
    assert intervals[-1] == (start, stop) and 0 <= intervals[0][0] < intervals[0][1] <= size
    assert needed(reaches, size, (0, length))[0] == (0, size)
