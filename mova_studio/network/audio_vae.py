"""The DAC audio VAE: 48 kHz mono sound <-> 50 latents a second (hop 960)."""

from __future__ import annotations

import math

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from diffusers.models.modeling_utils import ModelMixin
from torch import nn
from torch.nn.utils.parametrizations import weight_norm


class Snake(nn.Module):
    """x + sin(alpha x)^2 / alpha, a periodic activation (Ziyin et al. 2020); alpha is [1, C, 1]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1, channels, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.sin(self.alpha * x).square() / (self.alpha + 1e-9)


class ResidualUnit(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            Snake(channels),
            nn.Conv1d(channels, channels, kernel_size=7, dilation=dilation, padding=3 * dilation),
            Snake(channels),
            nn.Conv1d(channels, channels, kernel_size=1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.block(x)


def _residual_units(channels: int) -> list[ResidualUnit]:
    return [ResidualUnit(channels, dilation) for dilation in (1, 3, 9)]


class EncoderBlock(nn.Module):
    """Three residual units, then a strided convolution that doubles the channels."""

    def __init__(self, channels: int, rate: int) -> None:
        super().__init__()
        down = nn.Conv1d(channels, 2 * channels, kernel_size=2 * rate, stride=rate, padding=math.ceil(rate / 2))
        self.block = nn.Sequential(*_residual_units(channels), Snake(channels), down)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.block(x)


class DecoderBlock(nn.Module):
    """A transposed convolution that halves the channels, then three residual units."""

    def __init__(self, channels: int, rate: int) -> None:
        super().__init__()
        up = nn.ConvTranspose1d(
            channels,
            channels // 2,
            kernel_size=2 * rate,
            stride=rate,
            padding=math.ceil(rate / 2),
            output_padding=rate % 2,
        )
        self.block = nn.Sequential(Snake(channels), up, *_residual_units(channels // 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.block(x)


class Encoder(nn.Module):
    def __init__(self, channels: int, rates: tuple[int, ...], latent_dim: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv1d(1, channels, kernel_size=7, padding=3)]
        for rate in rates:
            layers.append(EncoderBlock(channels, rate))
            channels *= 2
        layers += [Snake(channels), nn.Conv1d(channels, latent_dim, kernel_size=3, padding=1)]
        self.block = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.block(x)


class Decoder(nn.Module):
    def __init__(self, latent_dim: int, channels: int, rates: tuple[int, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv1d(latent_dim, channels, kernel_size=7, padding=3)]
        for rate in rates:
            layers.append(DecoderBlock(channels, rate))
            channels //= 2
        layers += [Snake(channels), nn.Conv1d(channels, 1, kernel_size=7, padding=3), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x)


class AudioPosterior(DiagonalGaussianDistribution):
    """diffusers' diagonal Gaussian over [B, C, L]; log-variance clamped to [-30, 20]."""

    def kl(self) -> torch.Tensor:
        """KL divergence to the standard normal, averaged over the latents of each sample, [B]."""
        return 0.5 * (self.mean.square() + self.var - 1.0 - self.logvar).mean(dim=(1, 2))


class AutoencoderDAC(ModelMixin, ConfigMixin):
    """The continuous DAC autoencoder (Kumar et al. 2023, with a Gaussian bottleneck for codebooks).

    Args:
        encoder_dim: channels after the first convolution (128 in the release).
        encoder_rates: strides of the encoder (2, 3, 4, 5, 8); their product is the hop.
        latent_dim: channels of the latents (128).
        decoder_dim: channels before the first up-sampling (2048).
        decoder_rates: strides of the decoder (8, 5, 4, 3, 2).
        sample_rate: Hz (48000).
        use_weight_norm: keep magnitude and direction of the convolutions apart, as published and as
            training wants; False holds plain weights.
    """

    @register_to_config
    def __init__(
        self,
        encoder_dim: int = 128,
        encoder_rates: tuple[int, ...] = (2, 3, 4, 5, 8),
        latent_dim: int = 128,
        decoder_dim: int = 2048,
        decoder_rates: tuple[int, ...] = (8, 5, 4, 3, 2),
        sample_rate: int = 48000,
        use_weight_norm: bool = True,
    ) -> None:
        super().__init__()
        self.encoder = Encoder(encoder_dim, tuple(encoder_rates), latent_dim)
        self.quant_conv = nn.Conv1d(latent_dim, 2 * latent_dim, kernel_size=1)
        self.post_quant_conv = nn.Conv1d(latent_dim, latent_dim, kernel_size=1)
        self.decoder = Decoder(latent_dim, decoder_dim, tuple(decoder_rates))
        if use_weight_norm:
            for half in (self.encoder, self.decoder):
                for module in half.modules():
                    if isinstance(module, (nn.Conv1d, nn.ConvTranspose1d)):
                        weight_norm(module)

    @property
    def hop_length(self) -> int:
        """Samples per latent (960)."""
        return math.prod(self.config.encoder_rates)

    def pad(self, waveform: torch.Tensor) -> torch.Tensor:
        """Zeros on the right of `waveform` [B, 1, S], up to a whole number of latents."""
        return nn.functional.pad(waveform, (0, -waveform.shape[-1] % self.hop_length))

    def encode(self, waveform: torch.Tensor) -> AudioPosterior:
        """`waveform` [B, 1, S] in -1..1 -> posterior over [B, latent_dim, S // hop]; see `pad`."""
        return AudioPosterior(self.quant_conv(self.encoder(waveform)))

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """`latents` [B, latent_dim, L] -> waveform [B, 1, L * hop] in -1..1."""
        return self.decoder(self.post_quant_conv(latents))

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """Reconstruct `waveform` from the posterior's mode, cut to its own length."""
        return self.decode(self.encode(self.pad(waveform)).mode())[..., : waveform.shape[-1]]
