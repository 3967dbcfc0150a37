"""The demo checkpoint: MOVA's exact architecture, small enough for two CPU cores.

A trained one lies in assets/demo. Where it is absent, one with random weights is built on first use, from a
fixed seed; it says of itself that it is untrained, and everything made with it is labelled as noise.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLWan
from torch import nn
from transformers import T5TokenizerFast, UMT5Config, UMT5EncoderModel

from mova_studio.atomic import output_error
from mova_studio.network.audio_vae import AutoencoderDAC
from mova_studio.network.bridge import Bridge
from mova_studio.network.checkpoint import save_checkpoint
from mova_studio.network.demo_place import demo_folder
from mova_studio.network.towers import AudioTower, build_video_tower

SEED = 20260208
_TEXT_DIM = 32
_AUDIO_LATENT = 16
_VIDEO_TOWER = {
    "in_channels": 36,
    "out_channels": 16,
    "num_attention_heads": 2,
    "attention_head_dim": 24,
    "ffn_dim": 96,
    "num_layers": 4,
    "text_dim": _TEXT_DIM,
    "freq_dim": 32,
}
_SCHEDULER = {
    "num_train_timesteps": 1000,
    "shift": 5.0,
    "sigma_max": 1.0,
    "sigma_min": 0.0,
    "extra_one_step": True,
    "num_inference_steps": 100,
}
_COMMON_WORDS = """
the a an of and to in on at with is are as it its his her he she they for by from up down into over under man
woman child boy girl dog cat bird horse ball box bell drum lamp face mouth hand eye car train door window
street room house tree rain wind sea wave fire snow night day light dark sun moon sky water stone wood metal
red blue green yellow white black orange purple small big old young slow fast loud soft quiet deep high low
says said speaks sings laughs walks runs falls bounces rolls hits strikes rings plays opens closes turns looks
voice sound music song piano guitar thunder footsteps noise hum buzz thud splash crowd whisper camera close
shot
"""


def demo_checkpoint() -> Path:
    """The demo checkpoint's folder: the trained one of assets/, or the untrained one, built if need be.

    Raises:
        OutputError: the cache folder cannot be written.
    """
    folder = demo_folder()
    if not (folder / "model_index.json").is_file():
        _build_beside(folder)
    return folder


def _build_beside(folder: Path) -> None:
    beside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        build_untrained(beside)
        try:
            beside.rename(folder)
        except OSError:
            if not (folder / "model_index.json").is_file():
                raise
    except OSError as error:
        raise output_error(folder, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def build_untrained(folder: Path) -> None:
    """Write the untrained demo checkpoint into `folder`, in the published layout, from a fixed seed."""
    tokenizer = word_tokenizer()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        text_config = UMT5Config(
            vocab_size=len(tokenizer),
            d_model=_TEXT_DIM,
            d_kv=8,
            d_ff=64,
            num_layers=2,
            num_heads=4,
            feed_forward_proj="gated-gelu",
            dropout_rate=0.0,
        )
        video_vae = AutoencoderKLWan(base_dim=8, num_res_blocks=1)
        audio_vae = AutoencoderDAC(encoder_dim=4, latent_dim=_AUDIO_LATENT, decoder_dim=64)
        _make_seen(video_vae)
        _make_heard(audio_vae)
        components: dict[str, nn.Module] = {
            "text_encoder": UMT5EncoderModel(text_config),
            "video_dit": build_video_tower(**_VIDEO_TOWER),
            "video_dit_2": build_video_tower(**_VIDEO_TOWER),
            "audio_dit": AudioTower(
                num_attention_heads=1,
                attention_head_dim=24,
                in_channels=_AUDIO_LATENT,
                out_channels=_AUDIO_LATENT,
                text_dim=_TEXT_DIM,
                freq_dim=32,
                ffn_dim=48,
                num_layers=3,
            ),
            "dual_tower_bridge": Bridge(
                visual_layers=4, audio_layers=3, visual_hidden_dim=48, audio_hidden_dim=24, head_dim=24
            ),
            "video_vae": video_vae,
            "audio_vae": audio_vae,
        }
    save_checkpoint(folder, components, tokenizer, _SCHEDULER, boundary_ratio=0.9, untrained=True)


@torch.no_grad()
def _make_seen(vae: AutoencoderKLWan) -> None:
    """Scale the decoder's last layer: a freshly drawn one gives a grey picture."""
    latents, last = torch.randn(1, 16, 4, 8, 8), vae.decoder.conv_out
    last.weight *= 0.3 / vae.decode(latents).sample.std()
    last.bias -= vae.decode(latents).sample.mean(dim=(0, 2, 3, 4))


@torch.no_grad()
def _make_heard(vae: AutoencoderDAC) -> None:
    """Scale and centre the decoder's last layer: a freshly drawn one gives near silence with an offset."""
    last: Any = vae.decoder.model[-2]
    last.bias.zero_()
    sound = vae.decode(torch.randn(1, _AUDIO_LATENT, 50)).atanh()
    last.parametrizations.weight.original0 *= 0.2 / sound.std()
    last.bias -= 0.2 * sound.mean() / sound.std()


def word_tokenizer(more: Sequence[str] = ()) -> T5TokenizerFast:
    """A tokenizer without training: common English words and the ASCII letters; what is in neither of them nor in
    `more` shares one unknown piece.

    Args:
        more: pieces to know as well, a word that follows a space with "▁" before it.
    """
    pieces: list[tuple[str, float]] = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -20.0)]
    pieces += [("▁", -3.0)] + [(chr(code), -6.0) for code in range(33, 127)]
    pieces += [(f"▁{word}", -7.0) for word in _COMMON_WORDS.split() if len(word) > 1]
    known = {piece for piece, _ in pieces}
    pieces += [(piece, -7.0) for piece in dict.fromkeys(more) if piece not in known]
    tokenizer = T5TokenizerFast(vocab=pieces, extra_ids=0)
    tokenizer.model_max_length = 512
    return tokenizer
