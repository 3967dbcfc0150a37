"""What a call promises: lengths, batches, resuming, guidance passes, noise, callbacks, refusals."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mova_studio.diffusion import FlowMatchPairScheduler, MovaPipeline, SamplingSettings, SamplingState
from mova_studio.diffusion.guidance import DualGuidance
from mova_studio.diffusion.preview import LatentPreview
from mova_studio.diffusion.text import clean_prompt, count_tokens, lost_words
from mova_studio.errors import Cancelled, InputError
from mova_studio.framing import crop_and_resize
from mova_studio.network.demo import build_untrained

SMALL = {"height": 32, "width": 48, "num_frames": 9, "num_inference_steps": 4}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory) -> MovaPipeline:
    folder = tmp_path_factory.mktemp("checkpoint") / "demo"
    build_untrained(folder)
    loaded = MovaPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    loaded.set_progress_bar_config(disable=True)
    return loaded


def seeded(*seeds: int):
    generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
    return generators[0] if len(generators) == 1 else generators


def prepare(pipeline: MovaPipeline, *arguments, **named) -> SamplingState:
    """`pipeline.prepare` with the settings given by name."""
    numbers = {field.name for field in dataclasses.fields(SamplingSettings)}
    settings = SamplingSettings(**{name: value for name, value in named.items() if name in numbers})
    rest = {name: value for name, value in named.items() if name not in numbers}
    return pipeline.prepare(settings, *arguments, **rest)


def picture(colour="teal", size=(48, 32)) -> Image.Image:
    return Image.new("RGB", size, colour)


def test_every_output_type_has_its_documented_shape(pipeline):
    calls = {
        kind: pipeline("rain", output_type=kind, generator=seeded(3), **SMALL) for kind in ("pil", "np", "pt", "latent")
    }
    assert [len(calls["pil"].frames), len(calls["pil"].frames[0]), calls["pil"].frames[0][0].size] == [1, 9, (48, 32)]
    assert calls["np"].frames.shape == (1, 9, 32, 48, 3)
    assert calls["np"].frames.min() >= 0 and calls["np"].frames.max() <= 1
    assert calls["pt"].frames.shape == (1, 9, 3, 32, 48)
    assert calls["latent"].frames.shape == (1, 16, 3, 4, 6)
    assert calls["latent"].frames.dtype == torch.float32
    assert calls["latent"].audio.shape == (1, 16, 19)
    for kind in ("pil", "np", "pt"):
        assert calls[kind].audio.shape == (1, 1, 18000)
        assert calls[kind].audio.dtype == torch.float32
        assert calls[kind].sampling_rate == 48000
    assert np.allclose(calls["np"].frames, calls["pt"].frames.permute(0, 1, 3, 4, 2).numpy())


@pytest.mark.parametrize(("num_frames", "frame_rate"), [(1, 24.0), (5, 25.0), (13, 30.0), (9, 23.976), (9, 12.5)])
def test_the_sound_lasts_as_long_as_the_picture(pipeline, num_frames, frame_rate):
    arguments = SMALL | {"num_frames": num_frames, "frame_rate": frame_rate, "num_inference_steps": 1}
    output = pipeline("rain", output_type="np", **arguments)
    assert output.frames.shape[1] == num_frames
    assert output.audio.shape[-1] == int(48000 * num_frames / frame_rate)


def test_portrait_and_landscape_differ_only_in_shape(pipeline):
    output = pipeline("rain", output_type="np", **SMALL | {"height": 64, "width": 32})
    assert output.frames.shape == (1, 9, 64, 32, 3)


def test_two_columns_of_a_batch_equal_two_runs(tiny_pipeline):
    arguments = SMALL | {"output_type": "latent", "guidance_scale": 5.0, "bridge_guidance_scale": 3.5}
    prompts, images = ["a fox in the snow", "bells ring"], [picture("navy"), picture("white")]
    both = tiny_pipeline(prompts, images, negative_prompt="blurry", generator=seeded(1, 2), **arguments)
    for index, (prompt, image) in enumerate(zip(prompts, images, strict=True)):
        alone = tiny_pipeline(prompt, image, negative_prompt="blurry", generator=seeded(index + 1), **arguments)
        assert (both.frames[index] - alone.frames[0]).abs().max() < 1e-3
        assert (both.audio[index] - alone.audio[0]).abs().max() < 1e-3


def test_per_sample_timesteps_in_one_batch(tiny_pipeline):
    """The reference mixes the samples' modulation up at batch 2 and fails at 3; ours must not."""
    draw = torch.Generator().manual_seed(0)
    video, audio = torch.randn(3, 36, 3, 4, 6, generator=draw), torch.randn(3, 16, 19, generator=draw)
    embeds = torch.randn(3, 512, 32, generator=draw)
    timestep, audio_timestep = torch.tensor([950.0, 500.0, 20.0]), torch.tensor([900.0, 100.0, 700.0])
    whole = tiny_pipeline.predict_velocity(video, audio, embeds, timestep, audio_timestep)
    for row in range(3):
        part = slice(row, row + 1)
        alone = tiny_pipeline.predict_velocity(
            video[part], audio[part], embeds[part], timestep[part], audio_timestep[part]
        )
        assert max((w[part] - a).abs().max().item() for w, a in zip(whole, alone, strict=True)) < 2e-5


def test_bfloat16_runs_everywhere_and_stays_close(tiny_checkpoint, tiny_pipeline):
    half = MovaPipeline.from_pretrained(tiny_checkpoint, torch_dtype=torch.bfloat16)
    half.set_progress_bar_config(disable=True)
    state = prepare(tiny_pipeline, "a fox", picture(), generator=seeded(1), **SMALL)
    inputs = (torch.cat([state.latents, state.condition], dim=1), state.audio_latents, state.prompt_embeds)
    exact = tiny_pipeline.predict_velocity(*inputs, torch.tensor([900.0]))
    for rough, whole in zip(half.predict_velocity(*inputs, torch.tensor([900.0])), exact, strict=True):
        assert rough.dtype == torch.float32
        assert (rough - whole).norm() < 3e-2 * whole.norm()
    output = half("a fox", picture(), generator=seeded(1), output_type="np", **SMALL)
    assert np.isfinite(output.frames).all() and bool(output.audio.isfinite().all())


def test_one_generator_for_a_batch_starts_with_the_single_run(pipeline):
    arguments = SMALL | {"output_type": "latent", "num_inference_steps": 1}
    both = pipeline(["a", "b"], generator=seeded(9), **arguments)
    alone = pipeline("a", generator=seeded(9), **arguments)
    assert (both.frames[0] - alone.frames[0]).abs().max() < 1e-4
    assert (both.frames[1] - alone.frames[0]).abs().max() > 0.1


@pytest.mark.parametrize("stop_after", range(5))
def test_resuming_after_any_step_gives_the_same_bits(pipeline, tmp_path, stop_after):
    arguments = SMALL | {"bridge_guidance_scale": 2.0, "audio_shift": 1.0, "num_inference_steps": 5}
    whole = pipeline.denoise(prepare(pipeline, "rain", picture(), generator=seeded(4), **arguments))
    state = prepare(pipeline, "rain", picture(), generator=seeded(4), **arguments)
    pipeline.denoise(state, stop_after)
    assert state.step == stop_after
    state.save(tmp_path / "state.safetensors")
    resumed = pipeline.denoise(SamplingState.load(tmp_path / "state.safetensors"))
    assert resumed.done and resumed.settings == whole.settings
    assert torch.equal(resumed.latents, whole.latents)
    assert torch.equal(resumed.audio_latents, whole.audio_latents)


def test_abandoning_a_step_leaves_the_state_whole(pipeline):
    state = prepare(pipeline, "rain", generator=seeded(4), **SMALL)
    pipeline.denoise(state, 1)
    kept = state.latents.clone()
    layers = itertools.count()

    def stop(_layer: int) -> None:
        if next(layers) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        pipeline.denoise(state, on_layer=stop)
    assert state.step == 1
    assert torch.equal(state.latents, kept)


def test_a_damaged_state_is_refused_by_name(tmp_path, pipeline):
    file = tmp_path / "state.safetensors"
    prepare(pipeline, "rain", generator=seeded(4), **SMALL).save(file)
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(InputError, match=r"state\.safetensors"):
        SamplingState.load(file)


def test_callbacks_see_estimates_and_may_replace_latents(pipeline):
    seen = []

    def watch(pipe, index, timestep, tensors):
        assert pipe is pipeline
        seen.append((index, timestep, sorted(tensors)))
        if index == 3:
            assert torch.allclose(tensors["x0_latents"], tensors["latents"], atol=1e-5)
            assert torch.allclose(tensors["x0_audio_latents"], tensors["audio_latents"], atol=1e-5)
            return {"latents": torch.zeros_like(tensors["latents"])}
        return None

    names = ["latents", "audio_latents", "x0_latents", "x0_audio_latents"]
    output = pipeline(
        "rain", output_type="latent", callback_on_step_end=watch, callback_on_step_end_tensor_inputs=names, **SMALL
    )
    assert [index for index, _, _ in seen] == [0, 1, 2, 3]
    assert seen[0][1:] == (1000.0, sorted(names))
    assert not output.frames.any()
    with pytest.raises(InputError, match="nonsense"):
        pipeline("rain", callback_on_step_end_tensor_inputs=["nonsense"], **SMALL)


def test_interrupting_from_a_callback_ends_the_loop(pipeline):
    steps = []

    def stop(pipe, index, timestep, tensors):
        steps.append(index)
        pipe._interrupt = index == 1

    pipeline("rain", output_type="latent", callback_on_step_end=stop, **SMALL)
    assert steps == [0, 1]
    pipeline("rain", output_type="latent", callback_on_step_end=lambda p, i, t, k: steps.append(i), **SMALL)
    assert steps[2:] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("text", "bridge", "expected"),
    [
        (1.0, 1.0, [(True, True)]),
        (5.0, 1.0, [(False, True), (True, True)]),
        (3.5, 3.5, [(False, False), (True, True)]),
        (5.0, 3.5, [(False, False), (False, True), (True, True)]),
        (0.0, 1.0, [(False, True)]),
        (0.0, 0.0, [(False, False)]),
        (5.0, 0.0, [(False, False), (False, True), (True, True)]),
        (1.0, 0.0, [(False, False), (False, True), (True, True)]),
    ],
)
def test_only_the_passes_that_count_run(pipeline, monkeypatch, text, bridge, expected):
    passes, original = [], pipeline.predict_velocity

    def watched(video, audio, embeds, *rest, a2v_scale, v2a_scale, **keywords):
        positive = torch.equal(embeds, prompt_embeds)
        passes.append((positive, a2v_scale == 1.0 and v2a_scale == 1.0))
        return original(video, audio, embeds, *rest, a2v_scale=a2v_scale, v2a_scale=v2a_scale, **keywords)

    prompt_embeds = pipeline.encode_prompt("rain")
    monkeypatch.setattr(pipeline, "predict_velocity", watched)
    pipeline(
        prompt_embeds=prompt_embeds,
        output_type="latent",
        guidance_scale=text,
        bridge_guidance_scale=bridge,
        **SMALL | {"num_inference_steps": 1},
    )
    assert passes == expected


scales = st.floats(-10, 10).filter(lambda value: abs(value) > 1e-3 or value == 0)


@given(scales, scales)
def test_guidance_is_the_papers_equation_six(text, bridge):
    values = {(False, False): 0.3, (False, True): -1.7, (True, True): 2.2}
    guidance = DualGuidance(text, bridge)
    video, audio = guidance.combine(
        lambda part: (
            torch.tensor(values[part.positive, part.bridge], dtype=torch.float64),
            torch.tensor(-values[part.positive, part.bridge], dtype=torch.float64),
        )
    )
    off, on, positive = values.values()
    expected = off + bridge * (on - off) + text * (positive - on)
    assert math.isclose(video, expected, rel_tol=1e-5, abs_tol=1e-5)
    assert audio == -video
    assert math.isclose(sum(part.weight for part in guidance.passes), 1, abs_tol=1e-9)


def test_text_can_come_as_embeddings_alone(pipeline):
    arguments = SMALL | {"output_type": "latent", "num_inference_steps": 2}
    by_text = pipeline("rain", negative_prompt="dull", generator=seeded(5), **arguments)
    by_embeds = pipeline(
        prompt_embeds=pipeline.encode_prompt("rain"),
        negative_prompt_embeds=pipeline.encode_prompt("dull"),
        generator=seeded(5),
        **arguments,
    )
    assert torch.equal(by_text.frames, by_embeds.frames)
    alone = pipeline(prompt_embeds=pipeline.encode_prompt("rain"), generator=seeded(5), **arguments)
    empty = pipeline("rain", negative_prompt="", generator=seeded(5), **arguments)
    assert torch.equal(alone.frames, empty.frames)


def test_given_noise_is_used(pipeline):
    state = prepare(pipeline, "rain", generator=seeded(6), **SMALL)
    output = pipeline("rain", output_type="latent", generator=seeded(6), **SMALL)
    again = pipeline("rain", output_type="latent", latents=state.latents, audio_latents=state.audio_latents, **SMALL)
    assert torch.equal(output.frames, again.frames)
    assert torch.equal(output.audio, again.audio)


def test_no_image_is_a_white_first_frame(pipeline):
    white = prepare(pipeline, "rain", picture("white"), **SMALL)
    assert torch.equal(prepare(pipeline, "rain", **SMALL).condition, white.condition)


def test_frames_are_cropped_and_never_stretched(pipeline):
    wide = picture("black", (480, 32))
    wide.paste("white", (216, 0, 264, 32))
    square_cut = prepare(pipeline, "rain", wide, **SMALL)
    assert torch.equal(square_cut.condition, prepare(pipeline, "rain", picture("white"), **SMALL).condition)


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 12), st.integers(1, 12))
def test_cropping_keeps_the_aspect(source_width, source_height, columns, rows):
    cropped = crop_and_resize(picture(size=(source_width, source_height)), 16 * rows, 16 * columns)
    assert cropped.size == (16 * columns, 16 * rows)


def test_frames_may_be_arrays_and_tensors(pipeline):
    image = Image.effect_noise((48, 32), 60).convert("RGB")
    array = np.asarray(image, dtype=np.float32) / 255
    kinds = [image, array, torch.from_numpy(array).permute(2, 0, 1)]
    conditions = [prepare(pipeline, "rain", each, **SMALL).condition for each in kinds]
    assert torch.equal(conditions[0], conditions[1])
    assert torch.equal(conditions[0], conditions[2])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"height": 360}, ["360", "16", "352"]),
        ({"width": 50}, ["50", "48"]),
        ({"height": 0}, ["0", "16"]),
        ({"num_frames": 10}, ["10", "4n + 1", "9"]),
        ({"num_frames": 0}, ["0", "1"]),
        ({"num_frames": 8189}, ["8189", "4093"]),
        ({"num_inference_steps": 0}, ["0", "at least 1"]),
        ({"guidance_scale": math.nan}, ["guidance_scale", "nan"]),
        ({"bridge_guidance_scale": math.inf}, ["bridge_guidance_scale", "inf"]),
        ({"frame_rate": 0.0}, ["frame_rate", "0"]),
        ({"video_shift": -1.0}, ["video_shift", "-1"]),
        ({"latents": torch.zeros(1, 16, 1, 4, 6)}, ["latents", "[1, 16, 1, 4, 6]", "[1, 16, 3, 4, 6]"]),
        ({"num_frames": 1, "last_image": picture()}, ["last frame"]),
        ({"negative_prompt": ["a", "b", "c"]}, ["3", "1"]),
        ({"generator": [torch.Generator(), torch.Generator()]}, ["2 generators", "1 takes"]),
        ({"image": [picture(), picture()]}, ["2 pictures", "1 prompts"]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_bad_values_are_refused_with_the_remedy(pipeline, changes, words):
    with pytest.raises(InputError) as caught:
        pipeline("rain", **SMALL | changes)
    assert all(word in caught.value.message for word in words), caught.value.message


def test_prompt_and_embeddings_exclude_each_other(pipeline):
    for arguments in ({}, {"prompt": "rain", "prompt_embeds": torch.zeros(1, 512, 32)}):
        with pytest.raises(InputError, match="either prompt or prompt_embeds"):
            prepare(pipeline, **arguments, **SMALL)


@given(st.integers(1, 60), st.floats(0.2, 12), st.floats(0.2, 12))
@settings(max_examples=60)
def test_the_schedule_falls_from_one_to_zero_in_both_columns(steps, video_shift, audio_shift):
    scheduler = FlowMatchPairScheduler(shift=5.0, sigma_min=0.0, extra_one_step=True)
    scheduler.set_timesteps(steps, video_shift, audio_shift)
    assert scheduler.sigmas.shape == (steps + 1, 2)
    assert torch.allclose(scheduler.sigmas[0], torch.ones(2), atol=1e-6)
    assert torch.equal(scheduler.sigmas[-1], torch.zeros(2))
    assert bool((scheduler.sigmas.diff(dim=0) < 0).all())
    alone = FlowMatchPairScheduler(shift=5.0, sigma_min=0.0, extra_one_step=True)
    alone.set_timesteps(steps, audio_shift, video_shift)
    assert torch.equal(alone.sigmas, scheduler.sigmas.flip(1))


@pytest.mark.parametrize(("steps", "high"), [(50, 18), (25, 9), (4, 2), (1, 1)])
def test_the_high_noise_expert_runs_as_many_steps_as_in_the_reference(steps, high):
    scheduler = FlowMatchPairScheduler(shift=5.0, sigma_min=0.0, extra_one_step=True)
    scheduler.set_timesteps(steps)
    assert scheduler.expert_steps(0.9) == high
    scheduler.timesteps[:, 0] = 900.0
    assert scheduler.expert_steps(0.9) == steps


def test_noise_does_not_depend_on_torchs_own_generator(pipeline):
    states = []
    for _ in range(2):
        torch.rand(17)
        states.append(prepare(pipeline, "rain", generator=seeded(8), **SMALL))
    assert torch.equal(states[0].latents, states[1].latents)
    assert torch.equal(states[0].audio_latents, states[1].audio_latents)


def test_words_beyond_512_tokens_are_named(pipeline):
    tokenizer = pipeline.tokenizer
    assert lost_words(tokenizer, "a short prompt") == ""
    prompt = " ".join(f"w{index}" for index in range(400))
    assert count_tokens(tokenizer, prompt) > 512
    lost = lost_words(tokenizer, prompt)
    assert prompt.endswith(lost)
    kept = prompt[: len(prompt) - len(lost)].strip()
    assert lost_words(tokenizer, kept) == ""
    assert lost_words(tokenizer, f"{kept} {lost.split()[0]}") == lost.split()[0]


@given(st.text(max_size=200))
def test_cleaning_twice_changes_nothing_more_than_white_space(text):
    cleaned = clean_prompt(text)
    assert cleaned == cleaned.strip()
    assert "  " not in cleaned and "\n" not in cleaned and "\t" not in cleaned


def test_the_preview_shows_the_colours_of_a_trained_looking_vae(pipeline):
    """A VAE whose latents are the colours themselves must be previewed exactly."""

    class ColourVae(torch.nn.Module):
        dtype, device = torch.float32, torch.device("cpu")
        config = type("Config", (), {"z_dim": 4, "latents_mean": [0.1] * 4, "latents_std": [2.0] * 4})

        def encode(self, video):
            small = torch.nn.functional.avg_pool3d(video, (1, 8, 8))[:, :, ::4]
            latents = torch.cat([small * 1.5 + 0.2, small.mean(dim=1, keepdim=True)], dim=1)
            return type("Out", (), {"latent_dist": type("Dist", (), {"mode": staticmethod(lambda: latents)})})

    preview = LatentPreview.fit(ColourVae())
    colour = torch.tensor([0.5, -0.25, 0.0])
    latents = (torch.cat([colour * 1.5 + 0.2, colour.mean()[None]]) - 0.1) / 2
    frames = preview.frames(latents[:, None, None, None].expand(4, 2, 3, 5))
    assert frames.shape == (2, 3, 5, 3)
    assert (frames.float().mean(dim=(0, 1, 2)) - (colour + 1) * 127.5).abs().max() < 2


def test_settings_survive_the_disk(pipeline, tmp_path):
    state = prepare(pipeline, "rain", generator=seeded(1), **SMALL)
    state.save(tmp_path / "a.safetensors")
    loaded = SamplingState.load(tmp_path / "a.safetensors")
    assert dataclasses.asdict(loaded.settings) == dataclasses.asdict(state.settings)
    assert torch.equal(loaded.condition, state.condition)
    assert torch.equal(loaded.prompt_embeds, state.prompt_embeds)
