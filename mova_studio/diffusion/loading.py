"""A checkpoint's components, whole and in RAM."""

from __future__ import annotations

import logging
from typing import Any

import torch

from mova_studio.diffusion.scheduler import FlowMatchPairScheduler
from mova_studio.errors import CheckpointError
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.hub import DownloadProgress, download, is_hub_id
from mova_studio.network.layout import COMPONENTS
from mova_studio.network.locate import locate

log = logging.getLogger(__name__)


def load_components(model: str, torch_dtype: torch.dtype | None, local_files_only: bool) -> dict[str, Any]:
    """The arguments of `MovaPipeline`; see its `from_pretrained` for those of this function."""
    try:
        folder = locate(model)
    except CheckpointError:
        if local_files_only or not is_hub_id(model):
            raise
        folder = download(model, None, _log_progress, lambda: False)
    checkpoint = Checkpoint(folder)
    checkpoint.check_fit()
    return {
        "tokenizer": checkpoint.tokenizer(),
        "scheduler": FlowMatchPairScheduler.from_config(checkpoint.config("scheduler")),
        "boundary_ratio": checkpoint.boundary_ratio,
        **{name: checkpoint.load(name, torch_dtype) for name in COMPONENTS},
    }


def _log_progress(progress: DownloadProgress) -> None:
    log.info("%s", progress)
