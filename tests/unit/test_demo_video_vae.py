"""What the demo's video VAE begins clips with, and what its errors count."""

from __future__ import annotations

import json

import numpy as np
import torch
from diffusers import AutoencoderKLWan

from mova_studio.training.fitting import Schedule
from mova_studio.training.video_vae import CONFIG, Pieces, as_video, inflate, train, where_moving
from mova_studio.training.world.clips import World


@torch.no_grad()
def test_an_inflated_vae_knows_single_frames_as_before_and_repeats_them():
    torch.manual_seed(0)
    vae = AutoencoderKLWan(base_dim=8, num_res_blocks=1).eval()
    frame = torch.rand(1, 3, 1, 32, 32) * 2 - 1
    before = vae.decode(vae.encode(frame).latent_dist.mode()).sample
    inflate(vae)
    assert torch.allclose(vae.decode(vae.encode(frame).latent_dist.mode()).sample, before, atol=1e-5)
    still = frame.expand(-1, -1, 9, -1, -1)
    rebuilt = vae.decode(vae.encode(still).latent_dist.mode()).sample
    assert rebuilt.shape[2] == 9
    assert torch.allclose(rebuilt, before.expand_as(rebuilt), atol=1e-4)


def test_what_moves_is_where_something_ever_is_somewhere_else():
    frames = np.full((1, 5, 32, 32, 3), 200, np.uint8)
    for place in range(5):
        frames[0, place, 4 * place : 4 * place + 4, 8:12] = (214, 58, 48)
    moving = where_moving(as_video(frames))
    assert moving.shape == (1, 1, 1, 32, 32)
    assert (moving[0, 0, 0, :20, 8:12] == 1).all(), "the whole way, in every frame"
    assert moving.sum() == 20 * 4


def test_in_a_single_frame_nothing_moves():
    assert (where_moving(as_video(World().frames(3)[None, :1])) == 0).all()


def test_a_stage_of_crops_goes_on_from_the_stage_before(tmp_path):
    world, schedule = World(num_frames=5), Schedule(1, 1e-9, warmup=1)
    clips = train(tmp_path / "clips", world, schedule, Pieces(5, 1))
    before = tmp_path / "clips" / "state.safetensors"
    pieces = Pieces(5, 1, crop=32, moving_weight=6.0)
    went_on = train(tmp_path / "crops", world, schedule, pieces, start_from=before, inflated=True)
    for name, tensor in clips.state_dict().items():
        assert torch.allclose(went_on.state_dict()[name], tensor, atol=1e-7), name
    (logged,) = map(json.loads, (tmp_path / "crops" / "log.jsonl").read_text().splitlines())
    assert logged["moving_psnr"] < logged["held_out_psnr"]


def test_where_the_decoder_learns_alone_latents_stay_what_they_are(tmp_path):
    torch.manual_seed(1)
    vae = train(tmp_path / "decoder", World(num_frames=5), Schedule(2, 1e-3, warmup=1), Pieces(5, 1, decoder_only=True))
    torch.manual_seed(0)
    begun = AutoencoderKLWan(**CONFIG).state_dict()
    changed = {name for name, tensor in vae.state_dict().items() if not torch.equal(tensor, begun[name])}
    assert changed
    assert all(name.startswith(("decoder.", "post_quant_conv.")) for name in changed)
