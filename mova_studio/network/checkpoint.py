"""A checkpoint folder in the published layout: check it, load its components, save them back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from huggingface_hub import split_torch_state_dict_into_shards
from torch import nn
from transformers import AutoTokenizer, PreTrainedTokenizerBase, UMT5EncoderModel

from mova_studio.atomic import output_error, replacing
from mova_studio.errors import CheckpointError
from mova_studio.network.layout import COMPONENTS, WEIGHTLESS, Config
from mova_studio.network.weights import load_entries, match_entries, save_tensors, weight_files

SHARD_BYTES = 10 * 10**9
_SAMPLES_PER_FILE = 16
_SAMPLE_BYTES = 4096
_UNTRAINED = "untrained"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint folder on disk. Opening reads only the small JSON files.

    Args:
        folder: holds model_index.json and one folder per component.

    Raises:
        CheckpointError: from any member, naming the file, the tensor, and expected and found values.
    """

    folder: Path

    @cached_property
    def index(self) -> Config:
        """model_index.json, checked to be MOVA's."""
        index = _read_json(self.folder / "model_index.json", "Give the folder that holds model_index.json.")
        if index.get("_class_name") != "MOVA":
            raise CheckpointError(
                f"{self.folder / 'model_index.json'} describes a {index.get('_class_name')!r}, not a 'MOVA' checkpoint."
            )
        missing = [name for name in (*COMPONENTS, *WEIGHTLESS) if name not in index]
        if missing:
            raise CheckpointError(f"{self.folder / 'model_index.json'} lacks {', '.join(missing)}.")
        if index.get("audio_vae_type", "dac") != "dac":
            raise CheckpointError(
                f"{self.folder / 'model_index.json'}: audio_vae_type is {index['audio_vae_type']!r}; "
                "only 'dac' is supported."
            )
        return index

    @property
    def boundary_ratio(self) -> float:
        """Share of the 1000 timesteps under which the low-noise expert takes over (0.9)."""
        return float(self.index.get("boundary_ratio", 0.9))

    @property
    def untrained(self) -> bool:
        """Whether the checkpoint says of itself that its weights are random."""
        return bool(self.index.get(_UNTRAINED, False))

    def config(self, name: str) -> Config:
        """The config.json of a component (scheduler_config.json of the scheduler)."""
        file = "scheduler_config.json" if name == "scheduler" else "config.json"
        return _read_json(self.folder / name / file, f"The checkpoint is incomplete: {name} is missing.")

    def empty(self, name: str) -> nn.Module:
        """The component's module on the meta device: shapes, no memory."""
        config = {key: value for key, value in self.config(name).items() if not key.startswith("_")}
        try:
            with init_empty_weights(include_buffers=False):
                module = COMPONENTS[name].build(config)
        except (ValueError, TypeError, KeyError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise CheckpointError(f"{self.folder / name / 'config.json'}: {reason}.") from error
        if isinstance(module, UMT5EncoderModel):
            # One module under two names, so that whoever fills one fills both.
            module.encoder.embed_tokens = module.shared
        return module

    def load(self, name: str, dtype: torch.dtype | None = None) -> nn.Module:
        """A component with its weights, in `dtype` (None: as stored), on the CPU, in eval mode.

        Weights that need no conversion stay memory-mapped: the operating system reads them when they
        are used, and nothing is copied.
        """
        module = self.empty(name)
        entries = match_entries(module, COMPONENTS[name], self.folder / name)
        load_entries(module, COMPONENTS[name], entries, dtype)
        return module.eval().requires_grad_(False)

    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokenizer, from its local files alone."""
        try:
            return AutoTokenizer.from_pretrained(self.folder / "tokenizer", local_files_only=True)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"{self.folder / 'tokenizer'} cannot be read ({error}); download it again."
            ) from error

    def check(self) -> list[str]:
        """Every fault of the checkpoint, a sentence each; nothing but headers is read."""
        faults = []
        try:
            _ = self.index
        except CheckpointError as error:
            return [error.message]
        for name, component in COMPONENTS.items():
            try:
                match_entries(self.empty(name), component, self.folder / name)
            except CheckpointError as error:
                faults.append(error.message)
        for step in (lambda: self.config("scheduler"), self.tokenizer, self.check_fit):
            try:
                step()
            except CheckpointError as error:
                if error.message not in faults:
                    faults.append(error.message)
        return faults

    def check_fit(self) -> None:
        """That the components' configs belong together (one checkpoint, not two mixed)."""
        video, low, audio = self.config("video_dit"), self.config("video_dit_2"), self.config("audio_dit")
        bridge, text = self.config("dual_tower_bridge"), self.config("text_encoder")
        video_vae, audio_vae = self.config("video_vae"), self.config("audio_vae")
        pairs = [
            (f"video_dit_2 {key}", low.get(key), f"video_dit {key}", video.get(key))
            for key in ("dim", "num_layers", "num_heads", "in_dim", "out_dim", "text_dim", "patch_size")
        ] + [
            ("dual_tower_bridge visual_hidden_dim", bridge.get("visual_hidden_dim"), "video_dit dim", video.get("dim")),
            ("dual_tower_bridge audio_hidden_dim", bridge.get("audio_hidden_dim"), "audio_dit dim", audio.get("dim")),
            (
                "dual_tower_bridge visual_layers",
                bridge.get("visual_layers"),
                "video_dit layers",
                video.get("num_layers"),
            ),
            ("dual_tower_bridge audio_layers", bridge.get("audio_layers"), "audio_dit layers", audio.get("num_layers")),
            ("text_encoder d_model", text.get("d_model"), "video_dit text_dim", video.get("text_dim")),
            ("text_encoder d_model", text.get("d_model"), "audio_dit text_dim", audio.get("text_dim")),
            ("video_vae z_dim", video_vae.get("z_dim"), "video_dit out_dim", video.get("out_dim")),
            ("audio_vae latent_dim", audio_vae.get("latent_dim"), "audio_dit in_dim", audio.get("in_dim")),
        ]
        for left, left_value, right, right_value in pairs:
            if left_value != right_value:
                raise CheckpointError(
                    f"{self.folder} mixes components that do not belong together: {left} is {left_value}, "
                    f"{right} is {right_value}."
                )

    def component_bytes(self) -> dict[str, int]:
        """Bytes of the safetensors files that each component has, whole or not."""
        return {
            name: sum(file.stat().st_size for file in (self.folder / name).glob("*.safetensors")) for name in COMPONENTS
        }

    def identity(self, components: Collection[str] = tuple(COMPONENTS)) -> str:
        """A short hexadecimal name of the weights and settings: equal for equal checkpoints wherever they
        lie. Configs are hashed whole, weight files by size, header and samples spread over their length.

        Args:
            components: those that matter.
        """
        digest = hashlib.sha256()
        for name in sorted(components):
            component = COMPONENTS[name]
            digest.update(json.dumps([name, self.config(name)], sort_keys=True).encode())
            for file in weight_files(self.folder / name, component.weights):
                _digest_samples(digest, file)
        digest.update(json.dumps([self.config("scheduler"), self.boundary_ratio], sort_keys=True).encode())
        return digest.hexdigest()[:16]


def _digest_samples(digest: Any, file: Path) -> None:
    size = file.stat().st_size
    digest.update(size.to_bytes(8, "little"))
    with file.open("rb") as stream:
        digest.update(stream.read(1 << 16))
        for sample in range(1, _SAMPLES_PER_FILE + 1):
            stream.seek(max(0, size * sample // _SAMPLES_PER_FILE - _SAMPLE_BYTES))
            digest.update(stream.read(_SAMPLE_BYTES))


def _read_json(path: Path, remedy: str) -> Config:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CheckpointError(f"{path} does not exist. {remedy}") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}); download it again.") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} holds a {type(content).__name__}, not an object; download it again.")
    return content


def _write_json(path: Path, content: Config) -> None:
    with replacing(path) as beside:
        beside.write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")


def save_component(module: nn.Module, name: str, folder: Path, max_shard_bytes: int = SHARD_BYTES) -> None:
    """Write a component's config and weights in the published layout, under the published names."""
    component = COMPONENTS[name]
    folder.mkdir(parents=True, exist_ok=True)
    _, class_name = component.disk_class
    written_by = {} if name == "text_encoder" else {"_class_name": class_name}
    state = module.state_dict()
    state.pop("encoder.embed_tokens.weight", None)
    tensors = {component.to_disk(key): value.contiguous() for key, value in state.items()}
    shards = split_torch_state_dict_into_shards(
        tensors,
        filename_pattern=f"{component.weights}{{suffix}}.safetensors",
        max_shard_size=max_shard_bytes,
    )
    for file, names in shards.filename_to_tensors.items():
        save_tensors({key: tensors[key] for key in names}, folder / file, {"format": "pt"})
    if shards.is_sharded:
        index = {"metadata": shards.metadata, "weight_map": shards.tensor_to_filename}
        _write_json(folder / f"{component.weights}.safetensors.index.json", index)
    _write_json(folder / "config.json", written_by | component.config_back(module))


def save_checkpoint(
    folder: Path,
    components: dict[str, nn.Module],
    tokenizer: PreTrainedTokenizerBase,
    scheduler_config: Config,
    boundary_ratio: float,
    *,
    untrained: bool = False,
    max_shard_bytes: int = SHARD_BYTES,
) -> None:
    """Write a whole checkpoint; model_index.json comes last, so that half a checkpoint is never taken for one.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, module in components.items():
            save_component(module, name, folder / name, max_shard_bytes)
        tokenizer.save_pretrained(folder / "tokenizer")
        (folder / "scheduler").mkdir(exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error
    _write_json(
        folder / "scheduler" / "scheduler_config.json", {"_class_name": "FlowMatchPairScheduler"} | scheduler_config
    )
    classes = {name: list(component.disk_class) for name, component in COMPONENTS.items()}
    index: Config = {"_class_name": "MOVA", "audio_vae_type": "dac", "boundary_ratio": boundary_ratio}
    index |= classes | {name: list(pair) for name, pair in WEIGHTLESS.items()}
    if untrained:
        index[_UNTRAINED] = True
    _write_json(folder / "model_index.json", index)
