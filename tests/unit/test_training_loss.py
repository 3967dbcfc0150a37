"""What a step draws, and the loss of it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from training_examples import TEXT_DIM, example

from mova_studio.diffusion import FlowMatchPairScheduler
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.demo import build_untrained
from mova_studio.training.batch import Batch, collate
from mova_studio.training.loss import flow_matching_loss
from mova_studio.training.noise import Noise, draw_noise, expert_of, shifted, unshifted

MANY = collate([example(number, frames=1, side=2) for number in range(400)])


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """High-noise expert, audio tower, bridge and scheduler of the untrained demo."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    build_untrained(folder)
    checkpoint = Checkpoint(folder)
    modules = [checkpoint.load(name) for name in ("video_dit", "audio_dit", "dual_tower_bridge")]
    return [*modules, FlowMatchPairScheduler.from_config(checkpoint.config("scheduler"))]


def draw(batch: Batch, step: int, **given_) -> Noise:
    return draw_noise(batch, **({"seed": 7, "boundary_ratio": 0.9} | given_), step=step)


@given(st.floats(0, 1), st.floats(0.1, 20))
def test_a_shift_can_be_taken_back(u, shift):
    assert unshifted(shifted(u, shift), shift) == pytest.approx(u, abs=1e-9)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**40), st.integers(0, 10**6), st.integers(1, 5))
def test_a_step_cut_into_pieces_draws_the_same(seed, step, cut):
    whole = collate([example(number) for number in range(6)])
    piece = Batch(*(getattr(whole, name)[cut:] for name in Batch.__dataclass_fields__))
    one, other = (
        draw(batch, step, seed=seed, text_dropout=0.5, first=first) for batch, first in ((whole, 0), (piece, cut))
    )
    for name in Noise.__dataclass_fields__:
        assert torch.equal(getattr(one, name)[cut:], getattr(other, name))
    assert not torch.equal(one.video, draw(whole, step + 1, seed=seed).video)
    assert not torch.equal(one.video, draw(whole, step, seed=seed + 1).video)


@pytest.mark.parametrize("boundary_ratio", [0.9, 0.3])
def test_the_pictures_time_is_on_the_experts_side(boundary_ratio):
    high, low = (draw(MANY, step, boundary_ratio=boundary_ratio) for step in (3, 4))
    assert (expert_of(3), expert_of(4)) == ("high", "low")
    assert high.timestep.min() >= 1000 * boundary_ratio > low.timestep.max()
    assert 0 < low.timestep.min() < 100 * boundary_ratio
    assert 1000 >= high.timestep.max() > 990


def test_times_are_independent_and_each_has_its_shift():
    """Without a boundary both times are those of Eq. 4: u uniform, then shifted."""
    noise = draw(MANY, 2, boundary_ratio=1.0, video_shift=5.0, audio_shift=1.0)
    assert noise.timestep.median().item() == pytest.approx(1000 * shifted(0.5, 5.0), abs=40)
    assert noise.audio_timestep.median().item() == pytest.approx(500, abs=50)
    assert torch.corrcoef(torch.stack([noise.timestep, noise.audio_timestep]))[0, 1].abs() < 0.15


def test_text_is_dropped_in_its_share():
    assert not draw(MANY, 0).without_text.any()
    assert draw(MANY, 0, text_dropout=0.2).without_text.float().mean().item() == pytest.approx(0.2, abs=0.06)
    assert draw(MANY, 0, text_dropout=1.0).without_text.all()


@torch.no_grad()
def test_the_loss_of_a_batch_is_the_mean_over_its_clips(parts):
    """Every clip has its own times: none reaches into another one's."""
    examples = [example(number) for number in range(3)]
    whole = flow_matching_loss(*parts, collate(examples), draw(collate(examples), 1), audio_weight=0.2)
    alone = [
        flow_matching_loss(*parts, collate([each]), draw(collate([each]), 1, first=place), audio_weight=0.2)
        for place, each in enumerate(examples)
    ]
    for name in ("total", "video", "audio"):
        mean = torch.stack([getattr(each, name) for each in alone]).mean()
        assert getattr(whole, name).item() == pytest.approx(mean.item(), rel=1e-5)
    assert whole.total.item() == pytest.approx((whole.video + 0.2 * whole.audio).item(), rel=1e-6)


@torch.no_grad()
def test_a_dropped_prompt_is_the_empty_one(parts):
    batch = collate([example(0), example(1)])
    noise = draw(batch, 1)
    dropped = Noise(noise.timestep, noise.audio_timestep, noise.video, noise.audio, torch.tensor([True, False]))
    empty = torch.randn(512, TEXT_DIM)
    swapped = Batch(
        batch.video_latents, batch.condition, batch.audio_latents, torch.stack([empty, batch.prompt_embeds[1]])
    )
    wanted = flow_matching_loss(*parts, swapped, noise).total
    assert flow_matching_loss(*parts, batch, dropped, empty_prompt_embeds=empty).total == wanted
    assert flow_matching_loss(*parts, batch, noise, empty_prompt_embeds=empty).total != wanted
    with pytest.raises(ValueError, match="empty_prompt_embeds is None"):
        flow_matching_loss(*parts, batch, dropped)
