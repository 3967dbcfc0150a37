"""Real transformers models of a few thousand weights that learnt two answers by heart, as the hub has them."""

from __future__ import annotations

import io
from pathlib import Path

import torch
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.qwen3_vl import Qwen3VLConfig, Qwen3VLForConditionalGeneration

from mova_studio.prompting.instructions import DESCRIBE, REWRITE, describing, rewriting
from mova_studio.prompting.local_place import find_model
from mova_studio.prompting.local_reading import Reader
from mova_studio.prompting.model import FrameDescription

PROMPT = 'A cat on a red chair says, "Miau."'
FRAME = FrameDescription("photograph", "wide shot", "a cat on a red chair", "")
DESCRIPTION = '{"style": "photograph", "camera": "wide shot", "elements": "a cat on a red chair", "text": ""}'
REWRITTEN = (
    "In a photograph, a cat sits on a red chair, seen in a wide shot.\n\n"
    'The cat opens its mouth and says, "Miau."\n\nThe sound of a quiet room is heard, and a soft voice.'
)
SPECIAL = ["<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|image_pad|>", "<|vision_end|>", "<|video_pad|>"]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}"
    "{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
WIDTHS = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "head_dim": 32,
}


def picture() -> bytes:
    packed = io.BytesIO()
    Image.new("RGB", (64, 64), (200, 30, 30)).save(packed, "PNG")
    return packed.getvalue()


def language_model(folder: Path) -> Path:
    """A causal language model."""
    tokenizer = _tokenizer(folder)
    config = Qwen3Config(vocab_size=len(tokenizer), eos_token_id=1, pad_token_id=1, **WIDTHS)
    torch.manual_seed(0)
    model = Qwen3ForCausalLM(config)
    model.save_pretrained(folder)
    return _taught(model, folder, None)


def vision_model(folder: Path) -> Path:
    """A model of pictures and text whose own processor would need torchvision."""
    tokenizer = _tokenizer(folder)
    ids = dict(zip(SPECIAL, tokenizer.convert_tokens_to_ids(SPECIAL), strict=True))
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [6, 5, 5], "mrope_interleaved": True}
    config = Qwen3VLConfig(
        text_config={"vocab_size": len(tokenizer), "rope_parameters": rope, "eos_token_id": 1, **WIDTHS},
        vision_config={
            "depth": 1,
            "hidden_size": 32,
            "intermediate_size": 32,
            "num_heads": 2,
            "patch_size": 8,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "out_hidden_size": WIDTHS["hidden_size"],
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0],
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    torch.manual_seed(0)
    model = Qwen3VLForConditionalGeneration(config)
    model.generation_config.eos_token_id = 1
    Qwen2VLImageProcessorPil(
        patch_size=8, merge_size=2, temporal_patch_size=2, size={"shortest_edge": 1024, "longest_edge": 4096}
    ).save_pretrained(folder)
    model.save_pretrained(folder)
    return _taught(model, folder, Image.open(io.BytesIO(picture())).convert("RGB"))


def _tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    words = [DESCRIBE, REWRITE, DESCRIPTION, REWRITTEN, PROMPT, rewriting(PROMPT, FRAME)] * 2
    trainer = trainers.BpeTrainer(
        vocab_size=1200,
        special_tokens=SPECIAL,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    made.train_from_iterator(words, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|im_end|>", chat_template=TEMPLATE
    )
    tokenizer.save_pretrained(folder)
    return tokenizer


def _taught(model: torch.nn.Module, folder: Path, image: Image.Image | None) -> Path:
    reader = Reader(find_model(str(folder)))
    asked = [
        (reader.read(DESCRIBE, describing(PROMPT, seen=image is not None), image), DESCRIPTION),
        (reader.read(REWRITE, rewriting(PROMPT, FRAME), None), REWRITTEN),
    ]
    lessons = [_lesson(reader, dict(inputs), answer) for inputs, answer in asked]
    # Of such small products several threads make hundreds of times more work than one, on a busy machine.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(200):
        losses = [model(**lesson).loss for lesson in lessons]
        sum(losses).backward()
        optimizer.step()
        optimizer.zero_grad()
        if max(loss.item() for loss in losses) < 0.02:
            break
    torch.set_num_threads(threads)
    model.save_pretrained(folder)
    return folder


def _lesson(reader: Reader, inputs: dict[str, torch.Tensor], answer: str) -> dict[str, torch.Tensor]:
    told = reader.tokenizer(answer + "<|im_end|>", return_tensors="pt", add_special_tokens=False).input_ids
    known = inputs["input_ids"]
    lesson = inputs | {
        "input_ids": torch.cat([known, told], 1),
        "attention_mask": torch.ones(1, known.shape[1] + told.shape[1], dtype=torch.int64),
        "labels": torch.cat([torch.full_like(known, -100), told], 1),
    }
    if "mm_token_type_ids" in inputs:
        lesson["mm_token_type_ids"] = torch.cat([inputs["mm_token_type_ids"], torch.zeros_like(told)], 1)
    return lesson
