"""What the demo's video VAE begins clips with, and what its errors count."""

from __future__ import annotations

import numpy as np
import torch
from diffusers import AutoencoderKLWan

from mova_studio.training.video_vae import MOVING_WEIGHT, as_video, inflate, where_moving
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


def test_errors_count_more_where_something_ever_moves():
    frames = np.full((1, 5, 32, 32, 3), 200, np.uint8)
    for place in range(5):
        frames[0, place, 4 * place : 4 * place + 4, 8:12] = (214, 58, 48)
    weight = where_moving(as_video(frames))
    assert weight.shape == (1, 1, 1, 32, 32)
    assert (weight[0, 0, 0, :20, 8:12] == MOVING_WEIGHT).all(), "the whole way, in every frame"
    assert weight.sum() == 32 * 32 + 20 * 4 * (MOVING_WEIGHT - 1)


def test_in_a_single_frame_every_place_counts_the_same():
    assert (where_moving(as_video(World().frames(3)[None, :1])) == 1).all()
