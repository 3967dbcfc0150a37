"""The loaded checkpoint, kept between jobs. Only the worker process and the command line have one."""

from __future__ import annotations

from typing import Any

import psutil
import torch

from mova_studio.diffusion import MovaPipeline
from mova_studio.diffusion.preview import LatentPreview
from mova_studio.errors import MemoryRanOut
from mova_studio.jobs.estimate import History
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.locate import locate
from mova_studio.settings import cache_dir


def check_memory(model: str, needed: int, device: torch.device) -> None:
    """Refuse weights that cannot lie in the device's memory, before any of them is read.

    Raises:
        MemoryRanOut: with what is needed, what is free, and what to do.
    """
    if device.type == "cuda":
        kind, free = "VRAM", torch.cuda.mem_get_info(device)[0]
    else:
        kind, free = "RAM", psutil.virtual_memory().available
    if needed > free:
        raise MemoryRanOut(
            f"The weights of {model} take {needed / 1e9:.1f} GB of {kind} and {free / 1e9:.1f} GB are free. "
            "This version keeps the whole network in one memory: use a machine with more, or close other programs.",
            field="model",
        )


class Engine:
    """One checkpoint at a time, on the best device that there is.

    Attributes:
        history: how long stages took here.
        pipeline, preview, checkpoint: of the loaded model; see `load`.
    """

    def __init__(self) -> None:
        self.history = History(cache_dir() / "run_times.json")
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.dtype = torch.bfloat16 if self.device.type == "cuda" else torch.float32
        self._model: str | None = None

    def load(self, model: str) -> None:
        """Load `model` ("demo", a folder or a hub id on disk), unless it is loaded already.

        Raises:
            CheckpointError: it is wrong, truncated, mixed or not on disk.
        """
        if model == self._model:
            return
        self._model = None
        folder = locate(model)
        check_memory(model, Checkpoint(folder).bytes_in(self.dtype), self.device)
        pipeline = MovaPipeline.from_pretrained(folder, torch_dtype=self.dtype, local_files_only=True)
        pipeline.set_progress_bar_config(disable=True)
        self.pipeline = pipeline.to(self.device)
        self.checkpoint = Checkpoint(folder)
        self.identity = self.checkpoint.identity()
        self.preview = LatentPreview.fit(self.pipeline.video_vae)
        self._model = model

    @property
    def plan(self) -> dict[str, Any]:
        """How the network is placed on this machine, for the record."""
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "cpu"
        return {
            "device": name,
            "dtype": str(self.dtype).removeprefix("torch."),
            "offload": "none",
            "attention": "native",
            "torch": torch.__version__,
        }
