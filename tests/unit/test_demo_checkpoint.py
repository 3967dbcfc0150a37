"""Where the demo's training begins: latents of one scale, sound and picture unchanged, a checkpoint that loads."""

from __future__ import annotations

import pytest
import torch
from diffusers import AutoencoderKLWan
from transformers import UMT5Config, UMT5EncoderModel

from mova_studio.diffusion.conditioning import encode_video
from mova_studio.network.audio_vae import AutoencoderDAC
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.layout import COMPONENTS
from mova_studio.training.demo_checkpoint import begin, level_audio, level_video
from mova_studio.training.demo_text import CONFIG, demo_tokenizer
from mova_studio.training.video_vae import as_video
from mova_studio.training.world.clips import World

WORLD, CLIPS = World(width=32, height=32), range(4)


@pytest.fixture(scope="module")
def vaes():
    torch.manual_seed(1)
    return AutoencoderKLWan(base_dim=8, num_res_blocks=1).eval(), AutoencoderDAC(4, latent_dim=16, decoder_dim=64)


@torch.no_grad()
def test_latents_get_one_scale_and_nothing_is_heard_of_it(vaes):
    _, vae = vaes
    vae.quant_conv.weight *= 7
    vae.quant_conv.bias += 3
    sound = vae.pad(torch.from_numpy(WORLD.clip(9).audio)[None, None])
    before, scattered = vae.decode(vae.encode(sound).mode()), vae.encode(sound)
    drawn = vae.decode(scattered.mean + scattered.std)
    level_audio(vae, WORLD, CLIPS)
    latents = torch.cat([vae.encode(vae.pad(torch.from_numpy(WORLD.clip(n).audio)[None, None])).mean for n in CLIPS], 2)
    assert latents.mean(dim=(0, 2)).abs().max() < 1e-3
    assert (latents.std(dim=(0, 2)) - 1).abs().max() < 1e-3
    posterior = vae.encode(sound)
    assert torch.allclose(vae.decode(posterior.mode()), before, atol=2e-5)
    assert torch.allclose(vae.decode(posterior.mean + posterior.std), drawn, atol=2e-5)


@torch.no_grad()
def test_the_checkpoint_that_training_begins_with(vaes, tmp_path):
    video_vae, audio_vae = vaes
    level_video(video_vae, WORLD, CLIPS)
    tokenizer = demo_tokenizer()
    text_encoder = UMT5EncoderModel(UMT5Config(vocab_size=len(tokenizer), **CONFIG))
    begin(tmp_path / "demo", video_vae, audio_vae, text_encoder, tokenizer)
    checkpoint = Checkpoint(tmp_path / "demo")
    assert checkpoint.check() == []
    checkpoint.check_fit()
    assert checkpoint.untrained
    high, low = (checkpoint.load(name).state_dict() for name in ("video_dit", "video_dit_2"))
    assert all(torch.equal(high[name], low[name]) for name in high)
    network = sum(
        p.numel()
        for name in COMPONENTS
        if "dit" in name or "bridge" in name
        for p in checkpoint.load(name).parameters()
    )
    # 25 MB in float16 with 4.6 million weights of VAEs and text encoder.
    assert network < 7.95e6
    latents = torch.cat([encode_video(checkpoint.load("video_vae"), as_video(WORLD.frames(n)[None])) for n in CLIPS])
    assert latents.mean(dim=(0, 2, 3, 4)).abs().max() < 1e-3
    assert (latents.std(dim=(0, 2, 3, 4)) - 1).abs().max() < 1e-3
