"""Peak memory of the VAEs, from their configs: decoding and encoding, whole or in tiles.

Not in the figures: the weights, and the rounding of the allocator, which belongs to the margin for fragmentation.
What convolutions take as workspace is in them as `Workspace` has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any, Literal

from mova_studio.network.tiles import Tiling, cut, needed
from mova_studio.placement.vae_walk import FLOAT, Layer, Size, Structure, Walk, Workspace

SPATIAL, TEMPORAL = 8, 4
SMALLEST_TILE = 8
CUDA = Workspace()


@dataclass(frozen=True)
class VaePeak:
    """Bytes at the worst moment.

    Attributes:
        device: where the VAE computes, without its weights.
        host: where the video is put and, with tiling, the middle block's side is collected.
    """

    device: int
    host: int


def decode_peak(
    config: Mapping[str, Any],
    width: int,
    height: int,
    num_frames: int,
    element: int = FLOAT,
    tiling: Tiling | None = None,
    workspace: Workspace = CUDA,
) -> VaePeak:
    """Peak of decoding one video by `diffusion.tiling.decode`.

    Args:
        config: of the video VAE, as on disk.
        width, height: pixels.
        num_frames: 4n + 1.
        element: bytes of one number: 4, or 2, which adds the float32 temporaries of norms and of doubling.
        tiling: None decodes the whole picture at once.
        workspace: by default a careful guess for CUDA.
    """
    return _decode_peak(Structure.of(config), (height, width), num_frames, element, tiling, workspace)


def encode_peak(
    config: Mapping[str, Any],
    width: int,
    height: int,
    num_frames: int,
    element: int = FLOAT,
    tiling: Tiling | None = None,
    workspace: Workspace = CUDA,
) -> VaePeak:
    """Peak of encoding a first frame and grey by `diffusion.conditioning.image_condition`; see `decode_peak`."""
    return _encode_peak(Structure.of(config), (height, width), num_frames, element, tiling, workspace)


def fewest_tiles(
    config: Mapping[str, Any],
    width: int,
    height: int,
    num_frames: int,
    budget: int,
    element: int = FLOAT,
    workspace: Workspace = CUDA,
    direction: Literal["decode", "encode"] = "decode",
) -> Tiling | None:
    """The fewest tiles whose peak on the device is at most `budget` bytes; other arguments as for `decode_peak`.

    Returns:
        `Tiling(count=1)` where the whole picture fits; None where even tiles of about 8 latent pixels a side,
        which would compute most of the picture several times over, do not.
    """
    peak_of = _decode_peak if direction == "decode" else _encode_peak
    structure, down, across = Structure.of(config), height // SPATIAL, width // SPATIAL
    tried = (0, 0)
    for count in range(1, max(down // SMALLEST_TILE, 1) * max(across // SMALLEST_TILE, 1) + 1):
        tiling = Tiling(count=count)
        if tiling.grid(down, across) != tried:
            tried = tiling.grid(down, across)
            if peak_of(structure, (height, width), num_frames, element, tiling, workspace).device <= budget:
                return tiling
    return None


def audio_decode_peak(config: Mapping[str, Any], num_latents: int) -> int:
    """Peak bytes of the audio VAE's decode, in float32, its weights not included.

    The last up-sampling decides: its input is still held while the residual unit's second Snake has its own
    input, two temporaries and the sum's other half alive at the full rate. For short sounds it is the weight
    that weight normalisation puts together for the widest convolution.

    Args:
        config: of the audio VAE, as on disk: decoder_dim, decoder_rates, latent_dim, use_weight_norm.
        num_latents: 50 for every second.
    """
    channels, length = config.get("decoder_dim", 2048), num_latents
    weighted = int(config.get("use_weight_norm", True))
    latent = config.get("latent_dim", 128)
    worst = 2 * latent * length + channels * length + weighted * 7 * latent * channels
    for rate in config.get("decoder_rates", (8, 5, 4, 3, 2)):
        into, out = channels * length, channels // 2 * length * rate
        weight = weighted * channels * (channels // 2) * 2 * rate
        narrow = weighted * 7 * (channels // 2) ** 2
        worst = max(worst, 3 * into, 2 * into + out + weight, into + 4 * out, into + 3 * out + narrow)
        channels, length = channels // 2, length * rate
    return FLOAT * worst


@lru_cache(maxsize=4096)
def _decode_peak(
    structure: Structure, size: Size, num_frames: int, element: int, tiling: Tiling | None, workspace: Workspace
) -> VaePeak:
    stem, layers, latent = structure.decoder_stem, structure.decoder, _latent(size)
    steps, grid = _steps(num_frames), _grid(latent, tiling)
    walk = Walk(element, steps - 1, workspace)
    video = layers[-1].out * prod(size) * num_frames * element
    # The latents, and what post_quant_conv makes of them.
    given = 2 * structure.z * steps * prod(latent) * element + workspace.fixed
    sizes = _sizes(stem, latent, (1, 1), 1) + _sizes(layers, latent, grid, SPATIAL)
    # While one chunk is decoded, the pixels of the one before are still held.
    before = layers[-1].out * prod(sizes[-1]) * walk.frames_after(layers, 1) * element
    if grid == (1, 1):
        return VaePeak(given + before + walk.peak(stem + layers, sizes, 1, blocks_hold=True), video)
    whole, tile = walk.peak(stem, sizes[: len(stem)], 1), walk.peak(layers, sizes[len(stem) :], 1)
    parked = layers[0].into * steps * prod(latent) * element
    return VaePeak(given + max(whole, before + tile), video + parked)


@lru_cache(maxsize=4096)
def _encode_peak(
    structure: Structure, size: Size, num_frames: int, element: int, tiling: Tiling | None, workspace: Workspace
) -> VaePeak:
    layers, stem, latent = structure.encoder, structure.encoder_stem, _latent(size)
    steps, grid = _steps(num_frames), _grid(latent, tiling)
    walk, frames = Walk(element, steps - 1, workspace), TEMPORAL if steps > 1 else 1
    picture = layers[0].into * prod(size) * FLOAT
    moments = stem[-1].out * steps * prod(latent) * element
    sizes = _sizes(layers, size, grid, 1) + _sizes(stem, latent, (1, 1), 1)
    # All moments joined and padded, and what quant_conv makes of them.
    end = 4 * moments
    if grid == (1, 1):
        walked = walk.peak(layers + stem, sizes, frames)
        return VaePeak(picture + max(moments + walked, end) + workspace.fixed, 0)
    # The first layer runs beside the uncropped chunk of which it is given a part.
    first = frames * picture + walk.peak(layers[:1], sizes[:1], frames)
    tile, whole = walk.peak(layers, sizes[: len(layers)], frames), walk.peak(stem, sizes[len(layers) :], 1)
    device = picture + max(first, tile, moments + whole, end) + workspace.fixed
    return VaePeak(device, stem[0].into * steps * prod(latent) * element)


def _steps(num_frames: int) -> int:
    return (num_frames - 1) // TEMPORAL + 1


def _latent(size: Size) -> Size:
    return size[0] // SPATIAL, size[1] // SPATIAL


def _grid(latent: Size, tiling: Tiling | None) -> Size:
    return (1, 1) if tiling is None else tiling.grid(*latent)


def _sizes(layers: Sequence[Layer], size: Size, grid: Size, unit: int) -> list[Size]:
    """What each layer is given of a picture of `size`, along each axis by the tile that needs most there.

    Args:
        unit: by how much the layers enlarge the picture.
    """
    reaches = [layer.reach for layer in layers]
    along = []
    for length, parts in zip(size, grid, strict=True):
        shrunk = length
        for reach in reaches:
            shrunk = reach.after(shrunk)
        tiles = [(unit * start, unit * stop) for start, stop in cut(shrunk // unit, parts)]
        lengths = [[stop - start for start, stop in needed(reaches, length, tile)] for tile in tiles]
        along.append([max(at) for at in zip(*lengths, strict=True)][:-1])
    return list(zip(*along, strict=True))
