"""Video through the VAE in pieces: a few frames at a time, and if asked one tile of the picture at a time.

Tiles are exact. Every layer gets as much of its input as its result within the tile depends on, and no seam is
blended, so that a tiled result differs from a plain one by rounding alone; diffusers' own `enable_tiling` cuts the
neighbourhoods off and blends what then does not match. Only the middle block attends to the whole picture: it runs
on the whole, at latent resolution, where that is cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from diffusers import AutoencoderKLWan
from diffusers.utils.accelerate_utils import apply_forward_hook

from mova_studio.diffusion.vae_layers import (
    CausalCaches,
    Layer,
    check_structure,
    decoder_layers,
    decoder_stem,
    encoder_layers,
    encoder_stem,
    new_caches,
)
from mova_studio.errors import InputError
from mova_studio.network.tiles import Interval, Tiling, cut, needed

SPATIAL, TEMPORAL = 8, 4
Region = tuple[Interval, Interval]
OnChunk = Callable[[int, int], None]
FrameSource = Callable[[int, int], torch.Tensor]


@apply_forward_hook
@torch.no_grad()
def decode(
    vae: AutoencoderKLWan,
    latents: torch.Tensor,
    tiling: Tiling | None = None,
    on_chunk: OnChunk | None = None,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """Decode as `vae.decode` does, into memory that is not the VAE's.

    Without tiling, and where one tile covers all, the bits are those of `vae.decode`; with it the result is within
    rounding of them. `vae.use_tiling` and `vae.use_slicing` are not looked at.

    Args:
        latents: [B, z, t, h, w], not normalised, on the VAE's device; with tiling, all of the VAE's weights are
            there as well, or are brought there layer by layer, since the decoder is not called as a whole.
        tiling: None decodes the whole picture at once.
        on_chunk: called as (done, total) before every piece of work, of about 1 / total of it; may raise, which
            ends the decoding.
        device: where the video is put; with tiling also the stem's result, [B, C, t, h, w].

    Returns:
        [B, 3, 4 (t - 1) + 1, 8 h, 8 w] in -1..1, in the VAE's dtype.

    Raises:
        CheckpointError: the VAE is not built as Wan 2.1's.
    """
    check_structure(vae)
    batch, _, steps, height, width = latents.shape
    rows, columns = (1, 1) if tiling is None else tiling.grid(height, width)
    tell = _counter(on_chunk, steps if rows * columns == 1 else steps * (1 + rows * columns))
    frames, size = TEMPORAL * (steps - 1) + 1, (SPATIAL * height, SPATIAL * width)
    video = torch.empty(batch, vae.config.out_channels, frames, *size, dtype=latents.dtype, device=device)
    x = vae.post_quant_conv(latents)
    if rows * columns == 1:
        caches = new_caches(vae.decoder)
        for step in range(steps):
            tell()
            caches.rewind()
            pixels = vae.decoder(
                x[:, :, step : step + 1], feat_cache=caches.kept, feat_idx=caches.at, first_chunk=step == 0
            )
            video[:, :, _frames_of(step)] = pixels.clamp_(-1.0, 1.0)
        return video

    parked, caches = None, new_caches(vae.decoder)
    for step in range(steps):
        tell()
        caches.rewind()
        features = decoder_stem(vae, x[:, :, step : step + 1], caches)
        if parked is None:
            parked = features.new_empty(batch, features.shape[1], steps, height, width, device=device)
        parked[:, :, step] = features[:, :, 0]
    assert parked is not None
    del x, features, caches

    layers = decoder_layers(vae)
    for wanted in _tiles(size, (rows, columns), SPATIAL):
        regions, caches = _regions(layers, (height, width), wanted), new_caches(vae.decoder)
        for step in range(steps):
            tell()
            features = _crop(parked[:, :, step : step + 1], regions[0])
            pixels = _through(layers, regions, features.to(latents.device), caches)
            _crop(video[:, :, _frames_of(step)], wanted).copy_(pixels.clamp_(-1.0, 1.0))
    return video


@apply_forward_hook
@torch.no_grad()
def encode(
    vae: AutoencoderKLWan,
    source: FrameSource,
    num_frames: int,
    tiling: Tiling | None = None,
    on_chunk: OnChunk | None = None,
    park: torch.device | str = "cpu",
) -> torch.Tensor:
    """Encode as `vae.encode` does, from frames that are asked for when they are due.

    Args:
        source: (start, stop) -> [B, 3, stop - start, H, W] in -1..1, any device and dtype; asked for 0..1, 1..5,
            5..9 and so on, with tiling once for every tile.
        num_frames: 4n + 1; frames behind the last such are left out, as by `vae.encode`.
        tiling: None encodes the whole picture at once; one tile covering all is the same.
        on_chunk: as in `decode`.
        park: where, with tiling, the layers' result is collected for the stem, [B, C, t, H / 8, W / 8].

    Returns:
        [B, 2z, (num_frames - 1) / 4 + 1, H / 8, W / 8]: mean and log-variance, on the VAE's device in its dtype.

    Raises:
        CheckpointError: the VAE is not built as Wan 2.1's.
        InputError: with tiling, a height or width that is no multiple of 8.
    """
    check_structure(vae)
    steps, (height, width) = (num_frames - 1) // TEMPORAL + 1, source(0, 1).shape[-2:]
    latent_size = (height // SPATIAL, width // SPATIAL)
    rows, columns = (1, 1) if tiling is None else tiling.grid(*latent_size)
    tell = _counter(on_chunk, steps if rows * columns == 1 else steps * (1 + rows * columns))

    def pixels(step: int, region: Region) -> torch.Tensor:
        frames = _frames_of(step)
        return _crop(source(frames.start, frames.stop), region).to(vae.device, vae.dtype)

    moments, whole = [], ((0, height), (0, width))
    if rows * columns == 1:
        caches = new_caches(vae.encoder)
        for step in range(steps):
            tell()
            caches.rewind()
            moments.append(vae.encoder(pixels(step, whole), feat_cache=caches.kept, feat_idx=caches.at))
        return vae.quant_conv(torch.cat(moments, dim=2))

    if height % SPATIAL or width % SPATIAL:
        raise InputError(f"A picture of {width}x{height} cannot be tiled; make both sides multiples of {SPATIAL}.")
    parked, layers = None, encoder_layers(vae)
    for wanted in _tiles(latent_size, (rows, columns), 1):
        regions, caches = _regions(layers, (height, width), wanted), new_caches(vae.encoder)
        for step in range(steps):
            tell()
            features = _through(layers, regions, pixels(step, regions[0]), caches)
            if parked is None:
                parked = features.new_empty(*features.shape[:2], steps, *latent_size, device=park)
            _crop(parked[:, :, step : step + 1], wanted).copy_(features)
    assert parked is not None
    del features

    caches = new_caches(vae.encoder)
    for step in range(steps):
        tell()
        caches.rewind()
        moments.append(encoder_stem(vae, parked[:, :, step : step + 1].to(vae.device), caches))
    return vae.quant_conv(torch.cat(moments, dim=2))


def _frames_of(step: int) -> slice:
    """The frames of one latent frame: the first stands for one, every other for four."""
    return slice(0, 1) if step == 0 else slice(TEMPORAL * (step - 1) + 1, TEMPORAL * step + 1)


def _counter(on_chunk: OnChunk | None, total: int) -> Callable[[], None]:
    done = iter(range(total))

    def tell() -> None:
        if on_chunk is not None:
            on_chunk(next(done), total)

    return tell


def _tiles(size: tuple[int, int], grid: tuple[int, int], unit: int) -> Iterator[Region]:
    """Regions of a picture of `size`, row by row, cut at multiples of `unit`."""
    down, across = (
        [(unit * start, unit * stop) for start, stop in cut(length // unit, parts)]
        for length, parts in zip(size, grid, strict=True)
    )
    return ((rows, columns) for rows in down for columns in across)


def _regions(layers: Sequence[Layer], size: tuple[int, int], wanted: Region) -> list[Region]:
    """What of its input every layer is given, and at the end `wanted`."""
    reaches = [layer.reach for layer in layers]
    rows, columns = (needed(reaches, length, interval) for length, interval in zip(size, wanted, strict=True))
    return list(zip(rows, columns, strict=True))


def _crop(x: torch.Tensor, region: Region) -> torch.Tensor:
    (top, bottom), (left, right) = region
    return x[..., top:bottom, left:right]


def _through(layers: Sequence[Layer], regions: Sequence[Region], x: torch.Tensor, caches: CausalCaches) -> torch.Tensor:
    """One chunk of one tile through all layers, cut down after each to what the next one needs."""
    caches.rewind()
    for layer, here, then in zip(layers, regions[:-1], regions[1:], strict=True):
        x = layer.run(x, caches)
        top, left = (layer.reach.after(start) for start, _ in here)
        (first_row, end_row), (first_column, end_column) = then
        x = _crop(x, ((first_row - top, end_row - top), (first_column - left, end_column - left)))
    return x
