"""From a prompt to the 512 rows that both towers read (MODEL: clean, tokenise, encode, zero the padding)."""

from __future__ import annotations

import torch
from transformers import PreTrainedTokenizerBase, UMT5EncoderModel

from mova_studio.network.tokens import MAX_TOKENS, clean_prompt


def count_tokens(tokenizer: PreTrainedTokenizerBase, prompt: str) -> int:
    """Tokens of the cleaned prompt, the end token included; 512 of them are read."""
    return len(tokenizer(clean_prompt(prompt), truncation=False, verbose=False).input_ids)


def lost_words(tokenizer: PreTrainedTokenizerBase, prompt: str) -> str:
    """The end of the cleaned prompt that does not fit into 512 tokens; "" if all of it does.

    The text is cut in front of the first word of which a part is lost.
    """
    cleaned = clean_prompt(prompt)
    tokens = tokenizer(cleaned, truncation=False, return_offsets_mapping=True, verbose=False)
    if len(tokens.input_ids) <= MAX_TOKENS:
        return ""
    cut = tokens.offset_mapping[MAX_TOKENS - 1][0]
    while cut > 0 and not cleaned[cut - 1].isspace() and not cleaned[cut].isspace():
        cut -= 1
    return cleaned[cut:].strip()


def tokenize(tokenizer: PreTrainedTokenizerBase, prompts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask, int64 [B, 512], of the cleaned prompts; truncated and padded, with the end token."""
    tokens = tokenizer(
        [clean_prompt(prompt) for prompt in prompts],
        padding="max_length",
        max_length=MAX_TOKENS,
        truncation=True,
        add_special_tokens=True,
        return_attention_mask=True,
        return_tensors="pt",
    )
    return tokens.input_ids, tokens.attention_mask


def encode_prompts(
    text_encoder: UMT5EncoderModel, tokenizer: PreTrainedTokenizerBase, prompts: list[str], device: torch.device
) -> torch.Tensor:
    """Last hidden states [B, 512, text_dim] in the encoder's dtype, exact zeros behind the last token.

    The towers attend to the zero rows too, so they are part of the conditioning and must not be cut.
    """
    ids, mask = tokenize(tokenizer, prompts)
    ids, mask = ids.to(device), mask.to(device)
    states = text_encoder(ids, attention_mask=mask).last_hidden_state
    return torch.where(mask.bool().unsqueeze(-1), states, torch.zeros((), dtype=states.dtype, device=device))
