"""Sizes of the published checkpoints, for plans before any download.

Settings as publicly described (MOVA's README and paper, Wan 2.2, UMT5-XXL, DAC); the counts follow from them,
and tests/unit/test_placement_sizes.py counts the modules that they build.
"""

from __future__ import annotations

from typing import Any

from mova_studio.placement.sizes import CheckpointSizes, ComponentSize

_TOWER = {"text_dim": 4096, "freq_dim": 256, "eps": 1e-6, "seperated_timestep": False}
_VIDEO = _TOWER | {
    "dim": 5120,
    "ffn_dim": 13824,
    "num_heads": 40,
    "num_layers": 40,
    "in_dim": 36,
    "out_dim": 16,
    "patch_size": [1, 2, 2],
}

CONFIGS: dict[str, dict[str, Any]] = {
    "text_encoder": {
        "vocab_size": 256384,
        "d_model": 4096,
        "d_kv": 64,
        "d_ff": 10240,
        "num_layers": 24,
        "num_heads": 64,
        "feed_forward_proj": "gated-gelu",
    },
    "video_dit": _VIDEO,
    "video_dit_2": _VIDEO,
    "audio_dit": _TOWER
    | {
        "dim": 1536,
        "ffn_dim": 8960,
        "num_heads": 12,
        "num_layers": 30,
        "in_dim": 128,
        "out_dim": 128,
        "patch_size": [1],
        "vae_type": "dac",
    },
    "dual_tower_bridge": {
        "visual_layers": 40,
        "audio_layers": 30,
        "visual_hidden_dim": 5120,
        "audio_hidden_dim": 1536,
        "audio_fps": 50.0,
        "head_dim": 128,
        "interaction_strategy": "full",
        "apply_cross_rope": True,
    },
    "video_vae": {
        "base_dim": 96,
        "z_dim": 16,
        "dim_mult": [1, 2, 4, 4],
        "num_res_blocks": 2,
        "temperal_downsample": [False, True, True],
    },
    "audio_vae": {
        "encoder_dim": 128,
        "encoder_rates": [2, 3, 4, 5, 8],
        "latent_dim": 128,
        "decoder_dim": 2048,
        "decoder_rates": [8, 5, 4, 3, 2],
        "sample_rate": 48000,
        "continuous": True,
    },
}

_EXPERT = ComponentSize(
    linear=14050918400, rows=2396160, layer_rest=3215360, layer_rest32=1638400, outside=205583424, outside32=27545600
)
COMPONENTS: dict[str, ComponentSize] = {
    "text_encoder": ComponentSize(
        linear=4630511616, rows=983040, layer_rest=245760, layer_rest32=0, outside=1050152960, outside32=0
    ),
    "video_dit": _EXPERT,
    "video_dit_2": _EXPERT,
    "audio_dit": ComponentSize(
        linear=1391984640, rows=683520, layer_rest=867840, layer_rest32=368640, outside=23213696, outside32=2758656
    ),
    "dual_tower_bridge": ComponentSize(
        linear=2658140160, rows=798720, layer_rest=1597440, layer_rest32=0, outside=0, outside32=0
    ),
    "video_vae": ComponentSize(linear=0, rows=0, layer_rest=0, layer_rest32=0, outside=126892531, outside32=0),
    "audio_vae": ComponentSize(linear=0, rows=0, layer_rest=0, layer_rest32=296057344, outside=0, outside32=75531714),
}


def published_sizes() -> CheckpointSizes:
    """MOVA as published in bfloat16; the 360p and the 720p checkpoint have the same shapes."""
    return CheckpointSizes(COMPONENTS, CONFIGS, identity="", on_disk=False)
