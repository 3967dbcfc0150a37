"""The step cache: what is reused, what never is, and that a run goes on to the same bits."""

from __future__ import annotations

import itertools
import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from benchmarks import step_cache as benchmark
from mova_studio.cli import main
from mova_studio.diffusion import MovaPipeline, SamplingSettings, SamplingState
from mova_studio.diffusion.sampling import sample
from mova_studio.diffusion.step_cache import LEVELS, AdaptivePolicy, FixedPattern, KeptStep, StepCache
from mova_studio.errors import Cancelled, InputError
from mova_studio.library.shot import STEP_CACHE_LEVELS, Shot
from mova_studio.network.demo import build_untrained
from mova_studio.network.joint import joint_forward
from mova_studio.network.residual import PROBE_TOKENS, cache_bytes, first_block_input
from mova_studio.network.towers import enter, leave
from mova_studio.network.weights import save_tensors

SMALL = {"height": 32, "width": 48, "num_frames": 9, "num_inference_steps": 8}
EVERY = FixedPattern(frozenset(range(1000)))
NONE = FixedPattern(frozenset())


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory) -> MovaPipeline:
    folder = tmp_path_factory.mktemp("checkpoint") / "demo"
    build_untrained(folder)
    loaded = MovaPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    loaded.set_progress_bar_config(disable=True)
    return loaded


def start(pipeline: MovaPipeline, prompts="rain", **settings) -> SamplingState:
    return pipeline.prepare(
        SamplingSettings(**SMALL | settings), prompts, generator=torch.Generator("cpu").manual_seed(4)
    )


@torch.no_grad()
def run(pipeline: MovaPipeline, state: SamplingState, policy=None, batched=False) -> list[bool]:
    """The rest of the run under a policy; which steps were reused."""
    boundary = pipeline.config.boundary_ratio
    steps = sample(state, pipeline.scheduler, boundary, pipeline.predict_velocity, None, batched, policy)
    return [done.reused for done in steps]


def inputs(seed: int, takes: int = 1) -> tuple[torch.Tensor, ...]:
    draw = torch.Generator().manual_seed(seed)
    latents = torch.randn(takes, 36, 3, 4, 6, generator=draw), torch.randn(takes, 16, 19, generator=draw)
    return *latents, torch.randn(takes, 512, 32, generator=draw), torch.tensor([900.0 - 10 * seed]).expand(takes)


@torch.no_grad()
def test_a_reused_pass_adds_the_residuals_of_both_towers_and_runs_no_layer(pipeline):
    towers = pipeline.video_dit, pipeline.audio_dit
    modules, kept = (*towers, pipeline.dual_tower_bridge), KeptStep()
    last: dict = {}
    hooks = [
        tower.blocks[-1].register_forward_hook(lambda _m, _i, out, tower=tower: last.update({tower: out}))
        for tower in towers
    ]
    first = StepCache(EVERY, kept, 1, ["pos_on"], 1)
    computed = joint_forward(*modules, *inputs(1), cache=first.of("pos_on"))
    assert not first.commit()
    for hook in hooks:
        hook.remove()
    plain = joint_forward(*modules, *inputs(1))
    assert all(torch.equal(a, b) for a, b in zip(computed, plain, strict=True))

    ran = []
    watched = [*pipeline.video_dit.blocks, *pipeline.audio_dit.blocks, pipeline.dual_tower_bridge]
    hooks = [module.register_forward_pre_hook(lambda module, _: ran.append(module)) for module in watched]
    second = StepCache(EVERY, kept, 2, ["pos_on"], 1)
    reused = joint_forward(*modules, *inputs(2), cache=second.of("pos_on"), on_layer=ran.append)
    assert second.commit()
    for hook in hooks:
        hook.remove()
    assert ran == []
    for index, tower in enumerate(towers):
        before = enter(tower, inputs(1)[index], inputs(1)[3], inputs(1)[2])
        now = enter(tower, inputs(2)[index], inputs(2)[3], inputs(2)[2])
        now.hidden = now.hidden + (last[tower] - before.hidden)
        assert torch.equal(reused[index], leave(tower, now))
        assert (reused[index] - plain[index]).abs().max() > 1e-3


@torch.no_grad()
def test_the_probe_is_what_the_first_block_attends_over(pipeline):
    for index, tower in enumerate((pipeline.video_dit, pipeline.audio_dit)):
        stream = enter(tower, inputs(3, takes=2)[index], torch.tensor([900.0, 300.0]), inputs(3, takes=2)[2])
        seen = []
        hook = tower.blocks[0].attn1.register_forward_pre_hook(lambda _, given, seen=seen: seen.append(given[0]))
        stream.advance(tower.blocks[0])
        hook.remove()
        stream = enter(tower, inputs(3, takes=2)[index], torch.tensor([900.0, 300.0]), inputs(3, takes=2)[2])
        assert (first_block_input(tower, stream) - seen[0]).abs().max() < 1e-5


def test_a_cache_that_reuses_nothing_changes_no_bit(pipeline):
    plain, cached = start(pipeline, bridge_guidance_scale=3.0), start(pipeline, bridge_guidance_scale=3.0)
    assert not any(run(pipeline, plain))
    assert not any(run(pipeline, cached, NONE))
    assert torch.equal(plain.latents, cached.latents)
    assert torch.equal(plain.audio_latents, cached.audio_latents)


@pytest.mark.parametrize(("steps", "high"), [(1, 1), (2, 1), (3, 2), (4, 2), (8, 3), (14, 6)])
def test_ends_of_the_run_and_of_each_expert_are_computed(pipeline, steps, high):
    state = start(pipeline, num_inference_steps=steps)
    reused = run(pipeline, state, EVERY)
    assert pipeline.scheduler.expert_steps(pipeline.config.boundary_ratio) == high
    computed = {0, high, steps - 1}
    assert reused == [index not in computed for index in range(steps)]
    assert state.reused_steps == sum(reused)


def test_no_expert_answers_for_the_other(pipeline):
    """The low-noise expert's first step equals, from the same latents, one of a run without cache."""
    state = start(pipeline)
    pipeline.scheduler.set_timesteps(8)
    high = pipeline.scheduler.expert_steps(pipeline.config.boundary_ratio)
    steps = sample(state, pipeline.scheduler, 0.9, pipeline.predict_velocity, policy=EVERY)
    with torch.no_grad():
        list(itertools.islice(steps, high))
        assert state.kept is None
        plain = start(pipeline)
        plain.latents, plain.audio_latents, plain.step = state.latents, state.audio_latents, state.step
        next(steps)
        pipeline.denoise(plain, 1)
    assert torch.equal(state.latents, plain.latents)
    assert torch.equal(state.audio_latents, plain.audio_latents)


def test_a_limit_on_reuses_in_a_row(pipeline):
    state = start(pipeline, num_inference_steps=16)
    reused = run(pipeline, state, AdaptivePolicy(threshold=1e9, max_reuses=2))
    runs = [len(list(group)) for same, group in itertools.groupby(reused) if same]
    assert max(runs) == 2 and sum(reused) > 6
    assert not any(run(pipeline, start(pipeline), AdaptivePolicy(threshold=0.0, max_reuses=9)))


@given(
    st.lists(st.tuples(st.floats(0, 0.2), st.floats(0, 0.2), st.booleans()), min_size=1, max_size=30),
    st.floats(0, 0.5),
    st.integers(0, 4),
)
def test_the_larger_change_is_summed_since_the_last_computed_step(changes, threshold, most):
    """Against the definition: rows and towers change by known shares, the largest of which counts."""
    policy, kept = AdaptivePolicy(threshold, most), KeptStep()
    video, audio = torch.full((2, 5, 3), 1.0, dtype=torch.float64), torch.full((2, 4, 2), -2.0, dtype=torch.float64)
    total, in_a_row = 0.0, 0
    for index, (on_video, on_audio, second_row) in enumerate([(0.0, 0.0, False), *changes]):
        row = int(second_row)
        before = video.clone(), audio.clone()
        video[row], audio[row] = video[row] * (1 + on_video), audio[row] * (1 - on_audio)
        total += max(
            float((new[row] - old[row]).abs().sum() / old[row].abs().sum())
            for new, old in zip((video, audio), before, strict=True)
        )
        step = StepCache(policy, kept, index, ["neg_on", "pos_on"], 2)
        asked = []

        def probe(asked=asked):
            asked.append(True)
            return video.clone(), audio.clone()

        answers = [step.of(name).reuse(probe) for name in step.names]
        assert len(asked) == 1
        assert (answers[0] is None) == (answers[1] is None)
        if abs(total - threshold) > 1e-6:
            assert (answers[0] is not None) == (index > 0 and total < threshold and in_a_row < most)
        if answers[0] is None:
            for name in step.names:
                step.of(name).keep((video, audio))
            total = 0.0
        in_a_row = in_a_row + 1 if step.commit() else 0


@pytest.fixture
def adaptive(pipeline, monkeypatch) -> None:
    """ "fast" reuses one step of the low-noise expert and, only for what has summed up by then, not the next."""
    state = start(pipeline)
    steps = sample(state, pipeline.scheduler, 0.9, pipeline.predict_velocity, policy=EVERY)
    with torch.no_grad():
        assert [next(steps).reused for _ in range(5)] == [False, True, True, False, True]
    monkeypatch.setitem(LEVELS, "fast", AdaptivePolicy(1.5 * state.kept.drift, max_reuses=4))


@pytest.mark.parametrize("stop_after", range(9))
@pytest.mark.parametrize(
    "changes",
    [{}, {"bridge_guidance_scale": 2.0, "guidance_start": 0.2, "guidance_stop": 0.8}],
    ids=["plain", "interval"],
)
@pytest.mark.usefixtures("adaptive")
def test_resuming_after_any_step_gives_the_same_bits(pipeline, tmp_path, stop_after, changes):
    whole = pipeline.denoise(start(pipeline, step_cache="fast", **changes))
    assert 0 < whole.reused_steps < 5
    state = pipeline.denoise(start(pipeline, step_cache="fast", **changes), stop_after)
    state.save(tmp_path / "state.safetensors")
    resumed = pipeline.denoise(SamplingState.load(tmp_path / "state.safetensors"))
    assert resumed.kept is None
    assert resumed.settings == whole.settings
    assert resumed.reused_steps == whole.reused_steps
    assert torch.equal(resumed.latents, whole.latents)
    assert torch.equal(resumed.audio_latents, whole.audio_latents)


def test_the_limit_on_reuses_in_a_row_survives_the_disk(pipeline, tmp_path, monkeypatch):
    monkeypatch.setitem(LEVELS, "fast", AdaptivePolicy(threshold=1e9, max_reuses=1))
    file, state = tmp_path / "state.safetensors", start(pipeline, step_cache="fast")
    counts = []
    while not state.done:
        pipeline.denoise(state, 1).save(file)
        state = SamplingState.load(file)
        counts.append(state.reused_steps)
    assert counts == [0, 1, 1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("layers", [1, 6, 11, 16, 22, 31])
@pytest.mark.usefixtures("adaptive")
def test_a_step_abandoned_anywhere_and_begun_anew_gives_the_same_bits(pipeline, layers, tmp_path):
    whole = pipeline.denoise(start(pipeline, step_cache="fast"))
    assert whole.reused_steps
    state, seen = start(pipeline, step_cache="fast"), itertools.count(1)

    def stop(_layer: int) -> None:
        if next(seen) == layers:
            raise Cancelled

    with pytest.raises(Cancelled):
        pipeline.denoise(state, on_layer=stop)
    state.save(tmp_path / "state.safetensors")
    for again in (state, SamplingState.load(tmp_path / "state.safetensors")):
        pipeline.denoise(again)
        assert torch.equal(again.latents, whole.latents)
        assert again.reused_steps == whole.reused_steps


def test_without_a_cache_nothing_is_kept_and_with_one_it_is_freed(pipeline):
    plain, cached = start(pipeline), start(pipeline)
    boundary = pipeline.config.boundary_ratio
    with torch.no_grad():
        for _ in sample(plain, pipeline.scheduler, boundary, pipeline.predict_velocity):
            assert plain.kept is None
        steps = sample(cached, pipeline.scheduler, boundary, pipeline.predict_velocity, policy=EVERY)
        held = [cached.kept is not None for _ in steps]
    assert held == [True, True, False, True, True, True, False, False]


@pytest.mark.parametrize(("takes", "bridge", "dtype"), [(1, 1.0, "float32"), (2, 3.0, "float32"), (1, 5.0, "bfloat16")])
def test_the_bytes_are_those_foretold(pipeline, tmp_path, takes, bridge, dtype):
    if dtype == "bfloat16":
        pipeline.save_pretrained(tmp_path / "half")
        pipeline = MovaPipeline.from_pretrained(tmp_path / "half", torch_dtype=torch.bfloat16)
        pipeline.set_progress_bar_config(disable=True)
    state = start(
        pipeline, ["rain"] * takes, height=256, width=320, num_inference_steps=14, bridge_guidance_scale=bridge
    )
    steps = sample(state, pipeline.scheduler, 0.9, pipeline.predict_velocity, policy=EVERY)
    with torch.no_grad():
        list(itertools.islice(steps, 2))
    tokens = 3 * 16 * 20
    assert tokens > 2 * PROBE_TOKENS
    passes = len(state.settings.guidance.passes)
    foretold = cache_bytes(tokens, 19, 48, 24, passes, takes, getattr(torch, dtype))
    assert sum(tensor.nbytes for tensor in state.kept.tensors().values()) == foretold


def test_a_batch_equals_runs_alone(pipeline):
    state = start(pipeline, ["rain", "bells ring"])
    pattern = FixedPattern(frozenset({1, 4, 5}))
    singles = []
    for row, prompt in enumerate(("rain", "bells ring")):
        alone = start(pipeline, prompt)
        alone.latents, alone.audio_latents = state.latents[row : row + 1], state.audio_latents[row : row + 1]
        run(pipeline, alone, pattern)
        singles.append(alone)
    assert sum(run(pipeline, state, pattern)) == 3
    for row, alone in enumerate(singles):
        assert (state.latents[row] - alone.latents[0]).abs().max() < 1e-3
        assert (state.audio_latents[row] - alone.audio_latents[0]).abs().max() < 1e-3


def test_the_most_restless_take_of_a_batch_decides():
    before = torch.ones(2, 4, 3), torch.ones(2, 5, 2)
    calm, restless = before[0].clone(), before[0].clone()
    restless[1] *= 1.3
    for video, expected in ((calm, True), (restless, False)):
        kept = KeptStep({"pos_on": before}, before)
        step = StepCache(AdaptivePolicy(0.2, 9), kept, 5, ["pos_on"], 2)
        assert step.decide(lambda video=video: (video, before[1])) is expected


@pytest.mark.parametrize("bridge", [1.0, 3.0])
def test_batched_guidance_reuses_the_same_steps(pipeline, bridge):
    policy = AdaptivePolicy(threshold=0.3, max_reuses=2)
    apart, together = (start(pipeline, bridge_guidance_scale=bridge) for _ in range(2))
    reused = run(pipeline, apart, policy)
    assert any(reused)
    assert run(pipeline, together, policy, batched=True) == reused
    assert (apart.latents - together.latents).abs().max() < 1e-3
    assert (apart.audio_latents - together.audio_latents).abs().max() < 1e-3


@pytest.mark.parametrize("batched_first", [False, True])
def test_the_plan_may_change_between_two_steps(pipeline, batched_first):
    """Residuals of other groups of passes are no use: the next step is computed, and the run goes on."""
    state = start(pipeline, ["rain", "bells ring"])
    steps = sample(state, pipeline.scheduler, 0.9, pipeline.predict_velocity, None, batched_first, EVERY)
    with torch.no_grad():
        assert [next(steps).reused for _ in range(5)] == [False, True, True, False, True]
    assert run(pipeline, state, EVERY, batched=not batched_first) == [False, True, False]
    assert bool(state.latents.isfinite().all())


def test_another_text_in_mid_run_is_heard_at_the_next_step(pipeline, monkeypatch):
    monkeypatch.setitem(LEVELS, "fast", AdaptivePolicy(threshold=1e9, max_reuses=99))
    embeds, layers = pipeline.encode_prompt("thunder"), []

    def change(_pipe, index, _timestep, tensors):
        layers.append(0)
        return {"prompt_embeds": embeds if index >= 4 else tensors["prompt_embeds"]}

    def count(_layer: int) -> None:
        layers[-1] += 1

    layers.append(0)
    pipeline.denoise(start(pipeline, step_cache="fast"), None, change, ("prompt_embeds",), on_layer=count)
    depth = 2 * len(pipeline.video_dit.blocks)
    assert layers == [depth, 0, 0, depth, 0, depth, 0, depth, 0]


def test_a_run_saved_before_there_was_a_cache_goes_on(pipeline, tmp_path):
    state = pipeline.denoise(start(pipeline), 2)
    names = ("latents", "audio_latents", "condition", "prompt_embeds", "negative_prompt_embeds")
    numbers = {
        "height": 32, "width": 48, "num_frames": 9, "frame_rate": 24.0, "num_inference_steps": 8,
        "guidance_scale": 5.0, "bridge_guidance_scale": 1.0, "video_shift": 5.0, "audio_shift": 5.0,
    }  # fmt: skip
    metadata = {"format": "mova_studio.sampling_state.1", "step": "2", "settings": json.dumps(numbers)}
    save_tensors({name: getattr(state, name) for name in names}, tmp_path / "old.safetensors", metadata)
    old = SamplingState.load(tmp_path / "old.safetensors")
    assert (old.settings, old.step, old.kept, old.reused_steps) == (state.settings, 2, None, 0)
    assert torch.equal(pipeline.denoise(old).latents, pipeline.denoise(state).latents)
    save_tensors({"latents": state.latents}, tmp_path / "new.safetensors", metadata | {"format": "state.99"})
    with pytest.raises(InputError, match=r"state\.99"):
        SamplingState.load(tmp_path / "new.safetensors")


def test_levels_are_the_same_everywhere():
    assert tuple(LEVELS) == STEP_CACHE_LEVELS
    for make in (lambda level: Shot("rain", step_cache=level), lambda level: SamplingSettings(step_cache=level)):
        for level in STEP_CACHE_LEVELS:
            assert make(level).step_cache == level
        with pytest.raises(InputError, match=r"'turbo'.*off, light, balanced, fast") as caught:
            make("turbo")
        assert caught.value.field == "step_cache"


def test_the_call_takes_a_level(pipeline, monkeypatch):
    monkeypatch.setitem(LEVELS, "light", EVERY)
    arguments = SMALL | {"output_type": "latent", "image": Image.new("RGB", (48, 32), "teal")}
    noise = {"latents": torch.randn(1, 16, 3, 4, 6), "audio_latents": torch.randn(1, 16, 19)}
    plain = pipeline("rain", **arguments, **noise)
    cached = pipeline("rain", step_cache="light", **arguments, **noise)
    assert bool(cached.frames.isfinite().all())
    assert not torch.equal(plain.frames, cached.frames)


def test_the_command_line_passes_it_on_and_the_take_remembers(tmp_path, capsys):
    file = str(tmp_path / "take.mp4")
    small = ["--size", "48x32", "--frames", "5", "--steps", "4", "--seed", "1"]
    cached = ["--step-cache", "balanced", "--guidance-interval", "0.25:0.75"]
    assert main(["generate", "--prompt", "rain", *small, *cached, "--out", file, "--json"]) == 0
    capsys.readouterr()
    assert main(["inspect", file, "--json"]) == 0
    shot = json.loads(capsys.readouterr().out)["provenance"]["shot"]
    assert (shot["step_cache"], shot["guidance_start"], shot["guidance_stop"]) == ("balanced", 0.25, 0.75)
    old = {name: value for name, value in shot.items() if name not in ("step_cache", "guidance_start", "guidance_stop")}
    assert (Shot.from_dict(old).step_cache, Shot.from_dict(old).guidance_stop) == ("off", 1.0)


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        (["--step-cache", "turbo"], "step_cache", ["'turbo'", "balanced"]),
        (["--guidance-interval", "half"], "guidance_start", ["'half'", "0.1:0.8"]),
        (["--guidance-interval", "0.8:0.2"], "guidance_stop", ["0.2", "0.8", "1"]),
        (["--guidance-interval", "0:1.5"], "guidance_stop", ["1.5", "0 to 1"]),
    ],
)
def test_the_command_line_refuses_with_the_remedy(given, field, words, tmp_path, capsys):
    assert main(["generate", "--prompt", "rain", "--out", str(tmp_path / "a.mp4"), "--json", *given]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["field"] == field
    assert all(word in error["message"] for word in words), error["message"]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_benchmark_times_computed_and_skipped_steps(dtype):
    size = benchmark.Size(48, 24, 24, 3, 2, 96, 48, 32, (2, 4, 6), 19, dtype)
    rounds = benchmark.measure(size, 2, torch.device("cpu"), warm_up=0)
    assert {name: len(seconds) for name, seconds in rounds.items()} == {"off": 2, "computed": 2, "skipped": 2}


def test_the_benchmark_counts_what_each_level_reuses_on_the_demo():
    found = benchmark.on_the_demo(4, height=32, width=48, num_frames=5)
    assert tuple(found) == STEP_CACHE_LEVELS
    assert found["off"] == {"reused_steps": 0, "hit_rate": 0.0, "latents_change": 0.0, "audio_latents_change": 0.0}
    assert all((level["latents_change"] > 0) == (level["reused_steps"] > 0) for level in found.values())
