"""The published checkpoint layout: a folder per component, and how each one's names and settings on disk
map to our modules. Facts from the released files' own configs; one table, read both ways."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from diffusers import AutoencoderKLWan
from torch import nn
from transformers import UMT5Config, UMT5EncoderModel

from mova_studio.network.audio_vae import AutoencoderDAC
from mova_studio.network.bridge import Bridge
from mova_studio.network.towers import AudioTower, build_video_tower

Config = dict[str, Any]

_TOWER_NAMES = {
    "text_embedding.0": "condition_embedder.text_embedder.linear_1",
    "text_embedding.2": "condition_embedder.text_embedder.linear_2",
    "time_embedding.0": "condition_embedder.time_embedder.linear_1",
    "time_embedding.2": "condition_embedder.time_embedder.linear_2",
    "time_projection.1": "condition_embedder.time_proj",
    "head.head": "proj_out",
    "head.modulation": "scale_shift_table",
}
_BLOCK_NAMES = {
    "self_attn.q": "attn1.to_q",
    "self_attn.k": "attn1.to_k",
    "self_attn.v": "attn1.to_v",
    "self_attn.o": "attn1.to_out.0",
    "self_attn.norm_q": "attn1.norm_q",
    "self_attn.norm_k": "attn1.norm_k",
    "cross_attn.q": "attn2.to_q",
    "cross_attn.k": "attn2.to_k",
    "cross_attn.v": "attn2.to_v",
    "cross_attn.o": "attn2.to_out.0",
    "cross_attn.norm_q": "attn2.norm_q",
    "cross_attn.norm_k": "attn2.norm_k",
    "norm3": "norm2",
    "ffn.0": "ffn.net.0.proj",
    "ffn.2": "ffn.net.2",
    "modulation": "scale_shift_table",
}
_TOWER_NAMES_BACK = {ours: theirs for theirs, ours in _TOWER_NAMES.items()}
_BLOCK_NAMES_BACK = {ours: theirs for theirs, ours in _BLOCK_NAMES.items()}


def _rename(name: str, outer: Mapping[str, str], inner: Mapping[str, str]) -> str:
    block = re.match(r"(blocks\.\d+\.)(.*)", name)
    prefix, rest, table = (block[1], block[2], inner) if block else ("", name, outer)
    stem, dot, leaf = rest.rpartition(".")
    if leaf not in ("weight", "bias"):
        stem, dot, leaf = rest, "", ""
    return prefix + table.get(stem, stem) + dot + leaf


def tower_name_to_module(name: str) -> str:
    """ "blocks.0.self_attn.q.weight" -> "blocks.0.attn1.to_q.weight"; unknown names stay as they are."""
    return _rename(name, _TOWER_NAMES, _BLOCK_NAMES)


def tower_name_to_disk(name: str) -> str:
    """The inverse of `tower_name_to_module`."""
    return _rename(name, _TOWER_NAMES_BACK, _BLOCK_NAMES_BACK)


def _weight_norm_to_module(name: str) -> str:
    name = re.sub(r"\.weight_g$", ".parametrizations.weight.original0", name)
    return re.sub(r"\.weight_v$", ".parametrizations.weight.original1", name)


def _weight_norm_to_disk(name: str) -> str:
    name = re.sub(r"\.parametrizations\.weight\.original0$", ".weight_g", name)
    return re.sub(r"\.parametrizations\.weight\.original1$", ".weight_v", name)


_TOWER_SETTINGS = {
    "in_dim": "in_channels",
    "out_dim": "out_channels",
    "text_dim": "text_dim",
    "freq_dim": "freq_dim",
    "ffn_dim": "ffn_dim",
    "num_heads": "num_attention_heads",
    "num_layers": "num_layers",
    "eps": "eps",
}
_TOWER_ABSENT = {
    "add_control_adapter": False,
    "fuse_vae_embedding_in_latents": False,
    "has_image_input": False,
    "has_image_pos_emb": False,
    "has_ref_conv": False,
    "require_clip_embedding": False,
    "seperated_timestep": False,
}
_BRIDGE_SETTINGS = (
    "visual_layers",
    "audio_layers",
    "visual_hidden_dim",
    "audio_hidden_dim",
    "audio_fps",
    "head_dim",
    "interaction_strategy",
    "apply_cross_rope",
    "apply_first_frame_bias_in_rope",
    "trainable_condition_scale",
)
_BRIDGE_ABSENT = {"pooled_adaln": False}
_DAC_SETTINGS = (
    "encoder_dim",
    "encoder_rates",
    "latent_dim",
    "decoder_dim",
    "decoder_rates",
    "sample_rate",
    "use_weight_norm",
)
_DAC_UNUSED = {"codebook_dim": 8, "codebook_size": 1024, "n_codebooks": 9, "quantizer_dropout": False}


def _require(config: Config, fixed: Mapping[str, Any]) -> None:
    for name, value in fixed.items():
        if config.get(name, value) != value:
            raise ValueError(f"{name} is {config[name]!r}; only {value!r} is supported")


def _tower_config(config: Config, **fixed: Any) -> Config:
    _require(config, _TOWER_ABSENT | fixed)
    settings = {ours: config[theirs] for theirs, ours in _TOWER_SETTINGS.items()}
    head_dim, remainder = divmod(config["dim"], config["num_heads"])
    if remainder:
        raise ValueError(f"dim {config['dim']} is not divisible by num_heads {config['num_heads']}")
    return settings | {"attention_head_dim": head_dim, "patch_size": tuple(config["patch_size"])}


def _tower_config_back(module: Any, **fixed: Any) -> Config:
    config = module.config
    settings = {theirs: getattr(config, ours) for theirs, ours in _TOWER_SETTINGS.items()}
    dim = config.num_attention_heads * config.attention_head_dim
    return (
        _TOWER_ABSENT
        | {"in_dim_control_adapter": 24, "dim": dim, "patch_size": list(config.patch_size)}
        | settings
        | fixed
    )


def _build_video(config: Config) -> nn.Module:
    return build_video_tower(cross_attn_norm=True, **_tower_config(config, require_vae_embedding=True))


def _build_audio(config: Config) -> nn.Module:
    return AudioTower(**_tower_config(config, require_vae_embedding=False, vae_type="dac"))


def _build_bridge(config: Config) -> nn.Module:
    _require(config, _BRIDGE_ABSENT)
    return Bridge(**{name: config[name] for name in _BRIDGE_SETTINGS if name in config})


def _build_audio_vae(config: Config) -> nn.Module:
    _require(config, {"continuous": True})
    settings = {name: config[name] for name in _DAC_SETTINGS if name in config}
    return AutoencoderDAC(
        **{name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
    )


def _build_text_encoder(config: Config) -> nn.Module:
    return UMT5EncoderModel(UMT5Config(**config))


def _text_encoder_to_module(name: str) -> str:
    return name.replace("encoder.embed_tokens.weight", "shared.weight")


def _same(name: str) -> str:
    return name


def _tower_float32(name: str) -> bool:
    """Time, modulation and norms: the reference computes them in float32 over bfloat16 weights."""
    return re.search(r"(^|\.)(time_embedder|scale_shift_table|norm[123])(\.|$)", name) is not None


def _never(name: str) -> bool:
    return False


def _always(name: str) -> bool:
    return True


def _own_config(module: Any, names: tuple[str, ...]) -> Config:
    return {name: getattr(module.config, name) for name in names}


def _video_vae_config_back(module: Any) -> Config:
    return {name: value for name, value in module.config.items() if not name.startswith("_")}


@dataclass(frozen=True)
class Component:
    """One weight-bearing folder of a checkpoint.

    Attributes:
        disk_class: [module, class] as written in model_index.json.
        build: the folder's config -> our module.
        config_back: our module -> the folder's config, without the class name.
        to_module, to_disk: a tensor's name on disk -> in our module, and back.
        in_float32: whether a tensor of our module stays float32 when the model is loaded in half precision.
        weights: stem of the weight file or of its shard index.
    """

    disk_class: tuple[str, str]
    build: Callable[[Config], nn.Module]
    config_back: Callable[[Any], Config]
    to_module: Callable[[str], str] = _same
    to_disk: Callable[[str], str] = _same
    in_float32: Callable[[str], bool] = _never
    weights: str = "diffusion_pytorch_model"


_VIDEO_TOWER = Component(
    ("mova.diffusion.models.wan_video_dit", "WanModel"),
    _build_video,
    lambda module: _tower_config_back(module, require_vae_embedding=True),
    tower_name_to_module,
    tower_name_to_disk,
    _tower_float32,
)

COMPONENTS: dict[str, Component] = {
    "text_encoder": Component(
        ("transformers", "UMT5EncoderModel"),
        _build_text_encoder,
        lambda module: module.config.to_dict(),
        _text_encoder_to_module,
        weights="model",
    ),
    "video_dit": _VIDEO_TOWER,
    "video_dit_2": _VIDEO_TOWER,
    "audio_dit": Component(
        ("mova.diffusion.models.wan_audio_dit", "WanAudioModel"),
        _build_audio,
        lambda module: _tower_config_back(module, require_vae_embedding=False, vae_type="dac"),
        tower_name_to_module,
        tower_name_to_disk,
        _tower_float32,
    ),
    "dual_tower_bridge": Component(
        ("mova.diffusion.models.interactionv2", "DualTowerConditionalBridge"),
        _build_bridge,
        lambda module: _own_config(module, _BRIDGE_SETTINGS) | _BRIDGE_ABSENT,
    ),
    "video_vae": Component(
        ("diffusers", "AutoencoderKLWan"),
        AutoencoderKLWan.from_config,
        _video_vae_config_back,
    ),
    "audio_vae": Component(
        ("mova.diffusion.models.dac_vae", "DAC"),
        _build_audio_vae,
        lambda module: _own_config(module, _DAC_SETTINGS) | _DAC_UNUSED | {"continuous": True},
        _weight_norm_to_module,
        _weight_norm_to_disk,
        _always,  # a waveform of bfloat16 has the resolution of 8 bits
    ),
}

WEIGHTLESS: dict[str, tuple[str, str]] = {
    "scheduler": ("mova.diffusion.schedulers.flow_match_pair", "FlowMatchPairScheduler"),
    "tokenizer": ("transformers", "T5TokenizerFast"),
}
