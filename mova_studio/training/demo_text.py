"""The demo's text encoder: a small UMT5 that has learnt what the toy world's captions mean, and their tokenizer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from transformers import T5TokenizerFast, UMT5Config, UMT5EncoderModel

from mova_studio.network.demo import word_tokenizer
from mova_studio.network.tokens import clean_prompt
from mova_studio.training.fitting import Fit, Schedule
from mova_studio.training.world.captions import caption_of
from mova_studio.training.world.clips import HELD_OUT, World
from mova_studio.training.world.scene import COLOURS, KINDS, SOUNDS, Scene

WIDTH = 64
CONFIG: dict[str, Any] = {
    "d_model": WIDTH,
    "d_kv": 16,
    "d_ff": 160,
    "num_layers": 2,
    "num_heads": 4,
    "feed_forward_proj": "gated-gelu",
    "dropout_rate": 0.0,
}
# The words of the world's Chinese captions, cut where a word ends.
_CHINESE_WORDS = """
红色 绿色 蓝色 黄色 紫色 白色 的 球 盒子 铃铛 鼓 鼓槌 灯 脸 木板 金属板 石板 低沉 闷响 清脆 叮声 干脆 敲击声 上 在
弹跳 弹起 发出 落到 掉到 声音 每次 每一下 都有 都 有 有人 在响 敲 清亮 被 敲响 鼓声 亮起 嗡嗡声 打开了 亮着 时 嗡嗡
作响 说 张开嘴
"""
_CHINESE_MARKS = "。"
_ENGLISH_WORDS = (
    "a bounces falls onto drops rings struck clear ring each stroke stick hits hit tap buzzes lights switched \
while lit says mouth It opens ah oo bounce bright ping dry knock deep Sound A"
)
MASKED = 0.2  # of the tokens
_LOWER = 0.3  # share of captions without capitals
_SLOTS = 2  # actors that a caption can have
_NONE = 1


def demo_tokenizer() -> T5TokenizerFast:
    """The words of the world's captions in both languages, common English words and letters."""
    pieces = [f"▁{word}" for word in _ENGLISH_WORDS.split()] + ["ah", "oo"]
    letters = sorted({letter for word in _CHINESE_WORDS.split() for letter in word})
    return word_tokenizer([*pieces, *_CHINESE_WORDS.split(), *letters, *_CHINESE_MARKS])


class TextReader(nn.Module):
    """The encoder and what it is asked while it learns; only the encoder is kept.

    Two questions: which word stands where one was covered, and who does what in the scene.

    Args:
        vocab_size: pieces of the tokenizer.
    """

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.encoder = UMT5EncoderModel(UMT5Config(vocab_size=vocab_size, **CONFIG))
        self.words = nn.Linear(WIDTH, vocab_size)
        answers = len(KINDS) + len(COLOURS) + len(SOUNDS) + 3 * _NONE
        self.facts = nn.Linear(WIDTH, _SLOTS * answers)

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens and mask [B, n] -> word logits [B, n, V], fact logits [B, slots * answers]."""
        states = self.encoder(input_ids=tokens, attention_mask=mask).last_hidden_state
        mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return self.words(states), self.facts(mean)


def train(
    folder: Path,
    world: World,
    schedule: Schedule,
    *,
    batch_size: int = 64,
    validate_every: int = 200,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[UMT5EncoderModel, T5TokenizerFast]:
    """Fit on captions of the world; scenes alone are drawn, no pictures."""
    torch.manual_seed(0)
    tokenizer = demo_tokenizer()
    reader = TextReader(len(tokenizer))
    fit = Fit(reader, folder, schedule)
    fit.run(
        lambda step: _loss(reader, tokenizer, world, batch_size, step),
        validate=lambda: _validate(reader, tokenizer, world),
        validate_every=validate_every,
        stop=stop,
    )
    return reader.encoder, tokenizer


def _loss(
    reader: TextReader, tokenizer: T5TokenizerFast, world: World, batch_size: int, step: int
) -> tuple[torch.Tensor, dict[str, float]]:
    tokens, mask, facts = _batch(tokenizer, world, range(step * batch_size, (step + 1) * batch_size))
    chance = torch.rand(tokens.shape, generator=torch.Generator().manual_seed(step))
    covered = (chance < MASKED) & mask.bool()
    words, answers = reader(tokens.masked_fill(covered, tokenizer.unk_token_id), mask)
    guessed = cross_entropy(words[covered], tokens[covered])
    told = torch.stack([cross_entropy(logits, fact) for logits, fact in _each_fact(answers, facts)]).sum()
    return guessed + told, {"words": guessed.item(), "facts": told.item()}


def _validate(reader: TextReader, tokenizer: T5TokenizerFast, world: World) -> dict[str, float]:
    tokens, mask, facts = _batch(tokenizer, world, range(HELD_OUT, HELD_OUT + 512))
    _, answers = reader(tokens, mask)
    right = [(logits.argmax(-1) == fact).float().mean().item() for logits, fact in _each_fact(answers, facts)]
    return {"held_out_facts": float(np.mean(right)), "worst_fact": min(right)}


def _batch(tokenizer: T5TokenizerFast, world: World, numbers: range) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    scenes = [world.scene(number) for number in numbers]
    captions = [_caption(scene, world, number) for scene, number in zip(scenes, numbers, strict=True)]
    read = tokenizer(captions, padding=True, return_tensors="pt")
    return read.input_ids, read.attention_mask, torch.tensor([_facts(scene) for scene in scenes])


def _caption(scene: Scene, world: World, number: int) -> str:
    rng = np.random.default_rng((number, 2))
    language = "zh" if rng.random() < world.chinese else "en"
    caption = clean_prompt(caption_of(scene, language, rng))
    return caption.lower() if rng.random() < _LOWER else caption


def _facts(scene: Scene) -> list[int]:
    """Kind, colour and sound of each actor from left to right; the number behind the last stands for none."""
    found = []
    for slot in range(_SLOTS):
        actor = scene.actors[slot] if slot < len(scene.actors) else None
        found += [
            list(KINDS).index(actor.kind) if actor else len(KINDS),
            list(COLOURS).index(actor.colour) if actor else len(COLOURS),
            SOUNDS.index(actor.events[0].sound) if actor and actor.events else len(SOUNDS),
        ]
    return found


def _each_fact(answers: torch.Tensor, facts: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
    widths = [len(KINDS) + _NONE, len(COLOURS) + _NONE, len(SOUNDS) + _NONE] * _SLOTS
    return list(zip(answers.split(widths, dim=1), facts.unbind(1), strict=True))
