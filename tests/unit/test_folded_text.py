"""Text rows computed once instead of many times: the same losses and gradients."""

from __future__ import annotations

import pytest
import torch
from training_examples import TEXT_DIM, example

from mova_studio.diffusion import FlowMatchPairScheduler
from mova_studio.network.attention import TowerAttnProcessor
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.demo import build_untrained
from mova_studio.training.batch import PROMPT_TOKENS, collate
from mova_studio.training.folded_text import folded_text
from mova_studio.training.loss import flow_matching_loss
from mova_studio.training.noise import draw_noise


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """A video expert, the audio tower, the bridge and the scheduler of the untrained demo."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    build_untrained(folder)
    checkpoint = Checkpoint(folder)
    modules = [checkpoint.load(name).requires_grad_() for name in ("video_dit", "audio_dit", "dual_tower_bridge")]
    return [*modules, FlowMatchPairScheduler.from_config(checkpoint.config("scheduler"))]


def gradients(parts, batch, empty):
    noise = draw_noise(batch, seed=2, step=1, boundary_ratio=0.9, text_dropout=0.5)
    assert bool(noise.without_text.any()) and not bool(noise.without_text.all())
    loss = flow_matching_loss(*parts, batch, noise, empty_prompt_embeds=empty)
    parameters = [each for part in parts[:2] for each in part.parameters()]
    return loss, torch.autograd.grad(loss.total, parameters, allow_unused=True)


@pytest.mark.parametrize("tokens", [1, 7, PROMPT_TOKENS])
def test_losses_and_gradients_are_those_of_all_rows(parts, tokens):
    batch = collate([example(number, tokens=max(tokens - number, 1)) for number in range(4)])
    empty = torch.zeros(PROMPT_TOKENS, TEXT_DIM)
    empty[0] = 0.5
    with folded_text(batch, empty, *parts[:2]) as (folded, folded_empty):
        assert folded.prompt_embeds.shape[1] == len(folded_empty) == min(tokens + 1, PROMPT_TOKENS)
        ours, our_gradients = gradients(parts, folded, folded_empty)
    theirs, their_gradients = gradients(parts, batch, empty)
    assert ours.total.item() == pytest.approx(theirs.total.item(), abs=1e-5)
    for one, other in zip(our_gradients, their_gradients, strict=True):
        assert (one is None) == (other is None)
        assert one is None or torch.allclose(one, other, atol=2e-5)


def test_the_towers_are_as_before_even_after_a_failure(parts):
    batch = collate([example(1)])
    with pytest.raises(KeyError), folded_text(batch, torch.zeros(PROMPT_TOKENS, TEXT_DIM), *parts[:2]):
        raise KeyError
    processors = {type(block.attn2.processor) for tower in parts[:2] for block in tower.blocks}
    assert processors == {TowerAttnProcessor}
