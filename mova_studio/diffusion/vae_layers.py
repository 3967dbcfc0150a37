"""The Wan 2.1 video VAE taken apart: the layers that work on a neighbourhood, which tiles can run one by one,
and the stem around the global attention, which needs the whole picture at latent resolution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import (
    CACHE_T,
    WanCausalConv3d,
    WanResample,
    WanResidualBlock,
)
from torch import nn

from mova_studio.errors import CheckpointError
from mova_studio.network.tiles import Reach


class CausalCaches:
    """What the causal convolutions remember of earlier chunks of one tile, in the order in which they run.

    Attributes:
        kept: as the VAE's own layers fill it; never longer than the convolutions that are called.
        at: one number, which convolution is next; `rewind` before every chunk.
    """

    def __init__(self, convolutions: int) -> None:
        self.kept: list[Any] = [None] * convolutions
        self.at = [0]

    def rewind(self) -> None:
        self.at[0] = 0

    def convolve(self, convolution: WanCausalConv3d, x: torch.Tensor) -> torch.Tensor:
        """A convolution that stands by itself, given the two frames before `x` and keeping the last two."""
        place = self.at[0]
        before, latest = self.kept[place], x[:, :, -CACHE_T:].clone()
        if before is not None and latest.shape[2] < CACHE_T:
            latest = torch.cat([before[:, :, -1:], latest], dim=2)
        result = convolution(x, before)
        self.kept[place] = latest
        self.at[0] += 1
        return result


@dataclass(frozen=True)
class Layer:
    """One layer of the VAE with what it needs of its neighbourhood."""

    reach: Reach
    run: Callable[[torch.Tensor, CausalCaches], torch.Tensor]


def check_structure(vae: AutoencoderKLWan) -> None:
    """Raises CheckpointError unless `vae` is built as Wan 2.1's, the one that MOVA has."""
    for name, right in (("is_residual", (False, None)), ("patch_size", (None,)), ("attn_scales", ([], None))):
        if vae.config.get(name) not in right:
            raise CheckpointError(
                f"The video VAE has {name}={vae.config[name]!r}, but MOVA's, Wan 2.1's, has {right[0]!r}; "
                "take video_vae from a published MOVA checkpoint."
            )


def new_caches(half: nn.Module) -> CausalCaches:
    """Empty caches for the encoder or the decoder, or for any run of its layers."""
    return CausalCaches(sum(isinstance(module, WanCausalConv3d) for module in half.modules()))


def decoder_stem(vae: AutoencoderKLWan, x: torch.Tensor, caches: CausalCaches) -> torch.Tensor:
    """[B, z, 1, h, w] after `post_quant_conv` -> [B, C, 1, h, w], the input of `decoder_layers`."""
    x = caches.convolve(vae.decoder.conv_in, x)
    return vae.decoder.mid_block(x, feat_cache=caches.kept, feat_idx=caches.at)


def decoder_layers(vae: AutoencoderKLWan) -> list[Layer]:
    """From the stem's output to pixels that are not clamped yet."""
    decoder = vae.decoder
    layers = []
    for block in decoder.up_blocks:
        layers += [_layer(module) for module in [*block.resnets, *(block.upsamplers or [])]]

    def head(x: torch.Tensor, caches: CausalCaches) -> torch.Tensor:
        return caches.convolve(decoder.conv_out, decoder.nonlinearity(decoder.norm_out(x)))

    return [*layers, Layer(Reach("same", _radius(decoder.conv_out)), head)]


def encoder_layers(vae: AutoencoderKLWan) -> list[Layer]:
    """From pixels to the input of `encoder_stem`."""
    encoder = vae.encoder

    def first(x: torch.Tensor, caches: CausalCaches) -> torch.Tensor:
        return caches.convolve(encoder.conv_in, x)

    return [Layer(Reach("same", _radius(encoder.conv_in)), first), *map(_layer, encoder.down_blocks)]


def encoder_stem(vae: AutoencoderKLWan, x: torch.Tensor, caches: CausalCaches) -> torch.Tensor:
    """[B, C, 1, h, w] -> [B, 2z, 1, h, w], the input of `quant_conv`."""
    encoder = vae.encoder
    x = encoder.mid_block(x, feat_cache=caches.kept, feat_idx=caches.at)
    return caches.convolve(encoder.conv_out, encoder.nonlinearity(encoder.norm_out(x)))


def _layer(module: nn.Module) -> Layer:
    if isinstance(module, WanResidualBlock):
        reach = Reach("same", _radius(module))
    elif isinstance(module, WanResample) and module.mode in ("upsample2d", "upsample3d"):
        reach = Reach("up", _radius(module))
    elif isinstance(module, WanResample) and module.mode in ("downsample2d", "downsample3d"):
        reach = Reach("down", _radius(module))
    else:
        raise CheckpointError(
            f"The video VAE has a {type(module).__name__}, whose reach is not known; "
            "take video_vae from a published MOVA checkpoint."
        )

    def run(x: torch.Tensor, caches: CausalCaches) -> torch.Tensor:
        return module(x, feat_cache=caches.kept, feat_idx=caches.at)

    return Layer(reach, run)


def _radius(module: nn.Module) -> int:
    convolutions = [each for each in module.modules() if isinstance(each, (nn.Conv2d, nn.Conv3d))]
    return sum(each.kernel_size[-1] // 2 for each in convolutions)
