"""Prompt embeddings on disk: the same words need the text encoder only once.

The file's name is a digest of checkpoint, format and words; the words themselves are nowhere in it.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from mova_studio.errors import OutputError
from mova_studio.network.weights import save_tensors

log = logging.getLogger(__name__)
KEPT = 400


class PromptCache:
    """Embeddings of one checkpoint in one format.

    Args:
        folder: of all embeddings.
        identity: of the checkpoint.
        weights: format of its text encoder.
    """

    def __init__(self, folder: Path, identity: str, weights: str) -> None:
        self._folder, self._key = folder, f"{identity}/{weights}"

    def load(self, prompt: str) -> torch.Tensor | None:
        """Embeddings [1, 512, text_dim] on the CPU, or None."""
        file = self._file(prompt)
        try:
            tensors = load_file(file)
            rows, length = tensors["rows"], int(tensors["length"])
        except (SafetensorError, OSError, KeyError):
            return None
        whole = torch.zeros(1, length, rows.shape[-1], dtype=rows.dtype)
        whole[0, : len(rows)] = rows
        file.touch()
        return whole

    def save(self, prompt: str, embeddings: torch.Tensor) -> None:
        """Keep embeddings [1, 512, text_dim], less the zero rows at their end; the oldest make room."""
        states = embeddings[0].cpu()
        count = int(states.any(dim=-1).nonzero().max()) + 1 if states.any() else 0
        tensors = {"rows": states[:count].contiguous(), "length": torch.tensor(len(states))}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            save_tensors(tensors, self._file(prompt), {"format": "pt"})
            for old in sorted(self._folder.glob("*.safetensors"), key=lambda file: file.stat().st_mtime)[:-KEPT]:
                old.unlink(missing_ok=True)
        except (OSError, OutputError) as error:
            log.warning("the prompt's embeddings were not kept: %s", error)

    def _file(self, prompt: str) -> Path:
        digest = hashlib.sha256(f"{self._key}\n{prompt}".encode()).hexdigest()[:32]
        return self._folder / f"{digest}.safetensors"
