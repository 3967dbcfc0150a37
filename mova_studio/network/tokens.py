"""How a checkpoint reads a text: cleaned, then cut into tokens, which are counted here without torch."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import ftfy

from mova_studio.errors import CheckpointError

MAX_TOKENS = 512


def clean_prompt(prompt: str) -> str:
    """Repair mojibake, undo HTML escapes (twice), make quotes straight and fullwidth letters halfwidth,
    and fold every run of white space into one space."""
    text = html.unescape(html.unescape(ftfy.fix_text(prompt)))
    return re.sub(r"\s+", " ", text.strip()).strip()


@lru_cache(maxsize=2)
def counter(folder: Path) -> Callable[[str], int]:
    """Counts the tokens of a prompt, the end token included, as the checkpoint in `folder` does.

    The file of a published checkpoint takes about a second to read: call it in a thread.

    Raises:
        CheckpointError: its tokenizer cannot be read.
    """
    from tokenizers import Tokenizer

    file = folder / "tokenizer" / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:
        raise CheckpointError(f"{file} cannot be read ({error}); download it again.") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda prompt: len(tokenizer.encode(clean_prompt(prompt)).ids)
