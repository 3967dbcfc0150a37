"""The demo's text encoder: every word of the world is known, and what a caption means is learnt."""

from __future__ import annotations

import json

import torch
from transformers import T5TokenizerFast, UMT5EncoderModel

from mova_studio.network.tokens import clean_prompt
from mova_studio.training.demo_text import demo_tokenizer, train
from mova_studio.training.fitting import Schedule
from mova_studio.training.world.captions import caption_of
from mova_studio.training.world.clips import World


def test_every_caption_is_read_word_by_word_in_both_languages(tmp_path):
    demo_tokenizer().save_pretrained(tmp_path)
    tokenizer = T5TokenizerFast.from_pretrained(tmp_path)
    world = World(two_actors=0.5)
    for number in range(150):
        scene = world.scene(number)
        for language in ("en", "zh"):
            caption = clean_prompt(caption_of(scene, language))
            read = tokenizer(caption).input_ids
            assert tokenizer.unk_token_id not in read, caption
            assert len(read) <= 24 * len(scene.actors), "words are not spelt"
            assert tokenizer.decode(read, skip_special_tokens=True).replace(" ", "") == caption.replace(" ", "")


def test_what_captions_mean_is_learnt_and_the_encoder_can_be_kept(tmp_path):
    encoder, tokenizer = train(
        tmp_path / "run", World(), Schedule(60, 3e-3, warmup=5), batch_size=16, validate_every=30
    )
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    first, last = (line["held_out_facts"] for line in lines if "held_out_facts" in line)
    assert last > first and last > 0.6
    encoder.save_pretrained(tmp_path / "kept")
    again = UMT5EncoderModel.from_pretrained(tmp_path / "kept").eval()
    read = tokenizer("A red ball bounces on wood.", return_tensors="pt")
    with torch.no_grad():
        assert torch.allclose(encoder.eval()(**read)[0], again(**read)[0], atol=1e-6)
