"""Every group of goldens, within the tolerance that each of its tensors carries."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from diffusers.models.transformers.transformer_wan import WanRotaryPosEmbed
from PIL import Image

from mova_studio.diffusion import FlowMatchPairScheduler, SamplingSettings
from mova_studio.diffusion.conditioning import (
    decode_video,
    encode_video,
    image_condition,
    latent_statistics,
)
from mova_studio.diffusion.guidance import DualGuidance
from mova_studio.diffusion.text import clean_prompt, encode_prompts, tokenize
from mova_studio.framing import crop_and_resize
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.rotary import (
    RotaryTable,
    aligned_video_positions,
    audio_rotary,
    bridge_inverse_frequencies,
    bridge_rotary,
    rotate_halves,
)
from mova_studio.network.towers import SinusoidalTimesteps, unpatchify
from mova_studio.training.batch import Batch
from mova_studio.training.loss import flow_matching_loss
from mova_studio.training.noise import Noise

CPU = torch.device("cpu")


def pad_rows(embeds: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.pad(embeds, (0, 0, 0, 512 - embeds.shape[1]))


def test_text(goldens, tiny_pipeline):
    golden = goldens("text")
    prompts = golden.extra["text"]["prompts"]
    assert [clean_prompt(prompt) for prompt in prompts] == golden.extra["text"]["cleaned"]
    ids, mask = tokenize(tiny_pipeline.tokenizer, prompts)
    golden.check("input_ids", ids)
    golden.check("attention_mask", mask)
    golden.check("seq_lens", mask.sum(dim=1))
    with torch.no_grad():
        embeds = encode_prompts(tiny_pipeline.text_encoder, tiny_pipeline.tokenizer, prompts, CPU)
    golden.check("prompt_embeds", embeds)
    for row, length in zip(embeds, mask.sum(dim=1), strict=True):
        assert not row[length:].any()


def test_rope(goldens):
    golden = goldens("rope")
    positions = {
        "bridge": aligned_video_positions(3, 24.0, 50.0).repeat_interleave(6),
        "bridge25": aligned_video_positions(4, 25.0, 50.0).repeat_interleave(2),
        "bridge_bias": aligned_video_positions(3, 24.0, 50.0, first_frame_bias=True).repeat_interleave(6),
    }
    for name, place in positions.items():
        table = bridge_rotary(place, 24, CPU)
        golden.check(f"{name}.cos_video", table.cos)
        golden.check(f"{name}.sin_video", table.sin)
    for name in ("bridge", "bridge_bias"):
        table = bridge_rotary(torch.arange(19), 24, CPU)
        golden.check(f"{name}.cos_audio", table.cos)
        golden.check(f"{name}.sin_audio", table.sin)
    wide = bridge_rotary(aligned_video_positions(49, 24.0, 50.0), 128, CPU)
    golden.check("bridge128.cos_video_frames", wide.cos)
    golden.check("bridge128.sin_video_frames", wide.sin)
    golden.check("bridge.inv_freq", bridge_inverse_frequencies(24))
    golden.check(
        "bridge_apply.out", rotate_halves(golden["bridge_apply.in"], bridge_rotary(positions["bridge"], 24, CPU))
    )

    for prefix, head_dim, rows in (("video", 24, 16), ("video128", 128, 50)):
        rope = WanRotaryPosEmbed(head_dim, (1, 2, 2), 1024)
        start = 0
        for axis, size in (("t", rope.t_dim), ("h", rope.h_dim), ("w", rope.w_dim)):
            golden.check(f"{prefix}.freqs_{axis}.real", rope.freqs_cos[:rows, start : start + size : 2])
            golden.check(f"{prefix}.freqs_{axis}.imag", rope.freqs_sin[:rows, start : start + size : 2])
            start += size
    cos, sin = WanRotaryPosEmbed(24, (1, 2, 2), 1024)(torch.zeros(1, 36, 3, 4, 6))
    golden.check("video.grid_3_2_3.real", cos[0, :, :, 0::2])
    golden.check("video.grid_3_2_3.imag", sin[0, :, :, 0::2])
    states = golden["tower_apply.in"].unflatten(2, (2, 24))
    real, imaginary = states[..., 0::2], states[..., 1::2]
    turned = torch.stack(
        [real * cos[..., 0::2] - imaginary * sin[..., 1::2], real * sin[..., 1::2] + imaginary * cos[..., 0::2]], dim=-1
    )
    golden.check("tower_apply.out", turned.flatten(-2).flatten(2))

    for prefix, head_dim, rows in (
        ("audio", 24, torch.arange(32)),
        ("audio128", 128, torch.tensor([0, 1, 2, 50, 200, 402])),
    ):
        table = audio_rotary(403, head_dim, CPU)
        golden.check(f"{prefix}.freqs.real", table.cos[0, rows, 0, 0::2])
        golden.check(f"{prefix}.freqs.imag", table.sin[0, rows, 0, 0::2])


def test_blocks(goldens, tiny_pipeline):
    golden = goldens("blocks")
    video, audio, bridge = tiny_pipeline.video_dit, tiny_pipeline.audio_dit, tiny_pipeline.dual_tower_bridge
    video_x, audio_x = golden["in.video_x"], golden["in.audio_x"]
    video_table = video.rope(torch.zeros(1, 36, 3, 4, 6))
    audio_table = audio_rotary(19, 24, CPU)
    block = video.blocks[1]
    with torch.no_grad():
        golden.check(
            "video_block.out", block(video_x, golden["in.video_context"], golden["in.video_t_mod"], video_table)
        )
        golden.check(
            "audio_block.out",
            audio.blocks[1](audio_x, golden["in.audio_context"], golden["in.audio_t_mod"], audio_table),
        )
        golden.check("video_block.self_attn.out", block.attn1(video_x, None, None, video_table))
        golden.check("video_block.cross_attn.out", block.attn2(video_x, golden["in.video_context"]))

        rotary = bridge.rotary((3, 2, 3), 19, 24.0, CPU)
        golden.check("bridge_a2v.out", bridge.audio_to_video_conditioners["1"](video_x, audio_x, *rotary))
        golden.check("bridge_v2a.out", bridge.video_to_audio_conditioners["1"](audio_x, video_x, *rotary[::-1]))
        for name, tables, scale in (
            ("bridge", rotary, 1.0),
            ("bridge_half", rotary, 0.5),
            ("bridge_norope", (None, None), 1.0),
        ):
            new_video, new_audio = bridge(1, video_x, audio_x, tables, scale, scale)
            golden.check(f"{name}.video.out", new_video)
            golden.check(f"{name}.audio.out", new_audio)

        golden.check("time.sinusoid_900", SinusoidalTimesteps(32)(torch.tensor([900.0])))
        temb, time_mod, _, _ = video.condition_embedder(torch.tensor([900.0]), torch.zeros(1, 1, 32))
        golden.check("time.video_t_900", temb)
        golden.check("time.video_t_mod_900", time_mod.unflatten(1, (6, -1)))
        golden.check("time.audio_t_700", audio.condition_embedder(torch.tensor([700.0]), torch.zeros(1, 1, 32))[0])

        golden.check("head.video_b1.out", _head(video, video_x[:1], golden["head.in_t"][:1]))
        golden.check("head.audio_b2.out", _head(audio, audio_x, golden["head.in_ta"]))
        patches = video.patch_embedding(golden["patch.video.in"]).flatten(2).transpose(1, 2)
        golden.check("patch.video.out", patches)
        golden.check("unpatch.video.out", unpatchify(golden["unpatch.video.in"], (3, 2, 3), (1, 2, 2)))
        golden.check("patch.audio.out", audio.patch_embedding(golden["patch.audio.in"]).transpose(1, 2))


def _head(tower, hidden: torch.Tensor, temb: torch.Tensor) -> torch.Tensor:
    """The head before unpatchify, through the tower's own `leave`."""
    from mova_studio.network.towers import Stream, leave

    grid = (hidden.shape[1],) if len(tower.config.patch_size) == 1 else (hidden.shape[1], 1, 1)
    stream = Stream(hidden, hidden, temb, temb, RotaryTable(temb, temb), grid)
    velocity = leave(tower, stream)
    if len(grid) == 1:
        return velocity.transpose(1, 2)
    batch, channels = velocity.shape[:2]
    return velocity.reshape(batch, channels, grid[0], 2, 2).permute(0, 2, 3, 4, 1).reshape(batch, grid[0], -1)


STEPS = {
    "dit1": {},
    "dit2": {"expert": "low"},
    "dit1_neg": {"context": "neg"},
    "bridge_off": {"a2v_scale": 0.0, "v2a_scale": 0.0},
    "bridge_off_neg": {"context": "neg", "a2v_scale": 0.0, "v2a_scale": 0.0},
    "a2v_off": {"a2v_scale": 0.0},
    "v2a_off": {"v2a_scale": 0.0},
    "bridge_half": {"a2v_scale": 0.5, "v2a_scale": 0.5},
    "audio_t_none": {"timestep": 350.5, "audio_timestep": None},
}


def _velocity(pipeline, golden, context="pos", timestep=900.0, audio_timestep=700.0, **arguments):
    return pipeline.predict_velocity(
        golden["in.visual"],
        golden["in.audio"],
        pad_rows(golden[f"in.context_{context}"]),
        torch.tensor([timestep]),
        None if audio_timestep is None else torch.tensor([audio_timestep]),
        **arguments,
    )


@pytest.mark.parametrize("name", STEPS)
def test_step(goldens, tiny_pipeline, name):
    golden = goldens("step")
    video, audio = _velocity(tiny_pipeline, golden, **STEPS[name])
    golden.check(f"{name}.video", video)
    golden.check(f"{name}.audio", audio)


def test_step_hidden_states(goldens, tiny_pipeline):
    golden, hooks, states = goldens("step"), [], {}
    towers = {"video": tiny_pipeline.video_dit, "audio": tiny_pipeline.audio_dit}
    for name, tower in towers.items():
        for index, block in enumerate(tower.blocks):

            def keep(_module, _inputs, output, key=f"{name}.block{index}"):
                states[key] = output

            hooks.append(block.register_forward_hook(keep))

    def keep_bridge(_module, inputs, output):
        states[f"video.bridge{inputs[0]}"], states[f"audio.bridge{inputs[0]}"] = output

    hooks.append(tiny_pipeline.dual_tower_bridge.register_forward_hook(keep_bridge))
    try:
        _velocity(tiny_pipeline, golden)
    finally:
        for hook in hooks:
            hook.remove()
    stored = [name for name in golden.about if name.startswith("dit1.hidden.")]
    assert len(stored) == 13
    for name in stored:
        golden.check(name, states[name.removeprefix("dit1.hidden.")])


def test_step_batch_of_two(goldens, tiny_pipeline):
    golden = goldens("step")
    visual, audio = golden["in.visual"], golden["in.audio"]
    context = torch.cat([pad_rows(golden["in.context_pos"]), pad_rows(golden["in.context_neg"])])
    video, sound = tiny_pipeline.predict_velocity(
        torch.cat([visual, visual.flip(2) * 0.7]),
        torch.cat([audio, audio.flip(2) * 0.7]),
        context,
        torch.tensor([900.0, 900.0]),
        torch.tensor([700.0, 700.0]),
    )
    golden.check("batch2.video", video)
    golden.check("batch2.audio", sound)


@pytest.mark.parametrize("variant", ["mova", "defaults"])
def test_scheduler(goldens, variant):
    golden = goldens("scheduler")
    release = {"num_train_timesteps": 1000, "shift": 5.0, "sigma_max": 1.0, "sigma_min": 0.0, "extra_one_step": True}
    scheduler = FlowMatchPairScheduler(**(release if variant == "mova" else {}))
    scheduler.set_timesteps(1000)
    golden.check(f"{variant}.train_sigmas", scheduler.sigmas[:-1, 0])
    golden.check(f"{variant}.train_timesteps", scheduler.timesteps[:, 0])
    if variant == "mova":
        golden.check("mova.train_loss_weights", scheduler.training_weights())
        sample, noise = golden["step.sample0"], golden["add_noise.noise"]
        for row in (0, 100, 357, 358, 700, 999):
            golden.check(f"mova.add_noise.{row}", scheduler.add_noise(sample, noise, scheduler.timesteps[row, 0]))
        golden.check("add_noise.target", noise - sample)
    compared = 0
    for name in golden.about:
        if not (name.startswith(f"{variant}.N") and name.endswith(".timesteps")):
            continue
        _, steps, shifts, _ = name.split(".")
        pair = (None, None) if shifts == "none" else tuple(float(shift) for shift in shifts.split("_"))
        scheduler.set_timesteps(int(steps[1:]), *pair)
        golden.check(name, scheduler.timesteps)
        golden.check(name.replace(".timesteps", ".sigmas"), scheduler.sigmas[:-1])
        compared += 1
    assert compared == {"mova": 24, "defaults": 12}[variant]


def test_audio_vae(goldens, tiny_pipeline):
    golden, vae = goldens("audio_vae"), tiny_pipeline.audio_vae
    _check_audio_vae(golden, vae)


def test_audio_vae_with_fused_weights_is_the_same_function(goldens, tiny_pipeline, parity_dir, tmp_path):
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "audio_vae").symlink_to(parity_dir / "audio_vae_fused")
    fused = Checkpoint(folder).load("audio_vae")
    latents = goldens("audio_vae")["latents"]
    with torch.no_grad():
        assert torch.equal(fused.decode(latents), tiny_pipeline.audio_vae.decode(latents))
    _check_audio_vae(goldens("audio_vae"), fused)


@torch.no_grad()
def _check_audio_vae(golden, vae) -> None:
    wave = golden["wave.f16"].float()
    posterior = vae.encode(vae.pad(wave))
    golden.check("mean", posterior.mode())
    golden.check("logvar", posterior.logvar)
    golden.check("sample_seed5", posterior.sample(torch.Generator().manual_seed(5)))
    golden.check("kl", posterior.kl())
    golden.check("decoded", vae.decode(golden["latents"]))
    short = wave[..., :10000]
    golden.check("len10000.padded_length", torch.tensor(vae.pad(short).shape[-1]))
    golden.check("len10000.mean", vae.encode(vae.pad(short)).mode())
    golden.check("len10000_nopad.mean", vae.encode(short).mode())


@torch.no_grad()
def test_video_vae(goldens, tiny_pipeline):
    golden, vae = goldens("video_vae"), tiny_pipeline.video_vae
    clip = golden["clip.f16"].float()
    golden.check("mode", vae.encode(clip).latent_dist.mode())
    golden.check("normalised", encode_video(vae, clip))
    mean, std = latent_statistics(vae, CPU)
    golden.check("dec.denormalised", golden["dec.latents"] * std + mean)
    golden.check("dec.video", decode_video(vae, golden["dec.latents"]))


@torch.no_grad()
def test_condition(goldens, tiny_pipeline):
    golden, processor = goldens("condition"), tiny_pipeline.video_processor
    image, last = (Image.fromarray(golden[name].numpy()) for name in ("image_u8", "last_image_u8"))
    first = processor.preprocess(image, height=32, width=48)
    golden.check("preprocessed", first)
    golden.check("condition", image_condition(tiny_pipeline.video_vae, first, None, 9))
    both = image_condition(tiny_pipeline.video_vae, first, processor.preprocess(last, height=32, width=48), 9)
    golden.check("condition_with_last_image", both)
    for name in ("crop", "crop_tall"):
        source = Image.fromarray(golden[f"{name}.in_u8"].numpy())
        cropped = torch.from_numpy(np.array(crop_and_resize(source, 32, 48)))
        golden.check(f"{name}.out_u8", cropped)
    stretched = processor.preprocess(Image.fromarray(golden["crop.in_u8"].numpy()), height=32, width=48)
    golden.check("stretch.preprocessed", stretched)


DUAL = {
    "sB3.5_sT5": (3.5, 5.0),
    "sB1_sT5": (1.0, 5.0),
    "sB5_sT5": (5.0, 5.0),
    "sB3.5_sT3.5": (3.5, 3.5),
    "sB0_sT5": (0.0, 5.0),
    "sB2_sT1": (2.0, 1.0),
    "text_cfg5": (1.0, 5.0),
    "two_pass5": (5.0, 5.0),
}


@pytest.mark.parametrize("name", DUAL)
def test_dual_guidance(goldens, tiny_pipeline, name):
    golden, step = goldens("dual_cfg"), goldens("step")
    bridge_scale, text_scale = DUAL[name]

    def run(part):
        scale = 1.0 if part.bridge else 0.0
        context = "pos" if part.positive else "neg"
        return _velocity(tiny_pipeline, step, context=context, a2v_scale=scale, v2a_scale=scale)

    video, audio = DualGuidance(text_scale, bridge_scale).combine(run)
    golden.check(f"{name}.video", video)
    golden.check(f"{name}.audio", audio)


@pytest.mark.parametrize("name", ["main", "cfg1", "six", "shift51"])
def test_end_to_end(goldens, tiny_pipeline, name):
    golden = goldens("e2e")
    about = golden.extra["e2e"][name]
    video_shift, audio_shift = about["shifts"] or (5.0, 5.0)
    steps, experts, timesteps = {"video": [], "audio": [], "velocity_video": [], "velocity_audio": []}, [], []
    settings = SamplingSettings(
        height=about["height"],
        width=about["width"],
        num_frames=about["num_frames"],
        frame_rate=about["fps"],
        num_inference_steps=about["steps"],
        guidance_scale=about["cfg"],
        video_shift=video_shift,
        audio_shift=audio_shift,
    )
    state = tiny_pipeline.prepare(
        settings,
        about["prompt"],
        Image.fromarray(golden["image_u8"].numpy()),
        negative_prompt=about["negative"],
        generator=torch.Generator("cpu").manual_seed(about["seed"]),
    )
    golden.check(f"{name}.noise_video", state.latents)
    golden.check(f"{name}.noise_audio", state.audio_latents)
    golden.check(f"{name}.condition", state.condition)
    calls = []
    original = tiny_pipeline.predict_velocity

    def watched(*arguments, **keywords):
        calls.append(arguments[6])
        return original(*arguments, **keywords)

    before = {"video": state.latents, "audio": state.audio_latents}

    def keep(pipeline, index, timestep, tensors):
        assert timestep == pipeline.scheduler.timesteps[index, 0]
        after = {"video": tensors["latents"], "audio": tensors["audio_latents"]}
        clean = {"video": tensors["x0_latents"], "audio": tensors["x0_audio_latents"]}
        for column, kind in enumerate(("video", "audio")):
            steps[kind].append(after[kind])
            velocity = (before[kind] - clean[kind]) / pipeline.scheduler.sigmas[index, column]
            steps[f"velocity_{kind}"].append(velocity)
            before[kind] = after[kind]
        experts.append(1 if calls[-1] == "high" else 2)
        timesteps.append(pipeline.scheduler.timesteps[index])

    tiny_pipeline.predict_velocity = watched
    try:
        names = ["latents", "audio_latents", "x0_latents", "x0_audio_latents"]
        tiny_pipeline.denoise(state, None, keep, names)
    finally:
        del tiny_pipeline.predict_velocity
    golden.check(f"{name}.experts", torch.tensor(experts))
    golden.check(f"{name}.timesteps", torch.stack(timesteps))
    for kind in ("video", "audio"):
        golden.check(f"{name}.latents_{kind}", torch.stack(steps[kind]))
        golden.check(f"{name}.velocity_{kind}", torch.stack(steps[f"velocity_{kind}"]))
    assert len(calls) == about["forward_passes"]
    with torch.no_grad():
        golden.check(f"{name}.audio", tiny_pipeline.audio_vae.decode(state.audio_latents))
    output = tiny_pipeline.decode(state, output_type="np")
    golden.check(f"{name}.frames_u8", torch.from_numpy((output.frames[0] * 255).round()).to(torch.uint8))
    assert output.audio.shape == (1, 1, 18000)


@pytest.mark.parametrize(("name", "expert", "row"), [("high", "video_dit", 120), ("low", "video_dit_2", 600)])
def test_train_losses_and_gradients(goldens, tiny_checkpoint, name, expert, row):
    """The trainers' own loss, at the reference's shared timestep and weight 1, has the reference's gradients."""
    golden, step, checkpoint = goldens("train"), goldens("step"), Checkpoint(tiny_checkpoint)
    parts = {part: checkpoint.load(part).requires_grad_(True) for part in (expert, "audio_dit", "dual_tower_bridge")}
    scheduler = FlowMatchPairScheduler.from_config(checkpoint.config("scheduler"))
    scheduler.set_timesteps(1000)
    timestep = scheduler.timesteps[row, :1]
    golden.check(f"{name}.timestep", timestep)
    clean, condition = step["in.visual"].split([16, 20], dim=1)
    golden.check(f"{name}.noisy_video", scheduler.add_noise(clean, golden["noise_video"], timestep))
    golden.check(f"{name}.noisy_audio", scheduler.add_noise(step["in.audio"], golden["noise_audio"], timestep))
    loss = flow_matching_loss(
        *parts.values(),
        scheduler,
        Batch(clean, condition, step["in.audio"], pad_rows(step["in.context_pos"])),
        Noise(timestep, timestep, golden["noise_video"], golden["noise_audio"]),
        audio_weight=1.0,
    )
    golden.check(f"{name}.video_loss", loss.video)
    golden.check(f"{name}.audio_loss", loss.audio)
    loss.total.backward()
    gradients = [[p.grad for p in part.parameters() if p.grad is not None] for part in parts.values()]
    norms = [torch.cat([gradient.flatten() for gradient in each]).norm() for each in gradients]
    golden.check(f"{name}.grad_norms", torch.stack(norms))
    bridge = parts["dual_tower_bridge"]
    golden.check(f"{name}.grad.patch_embedding.bias", parts[expert].patch_embedding.bias.grad)
    golden.check(f"{name}.grad.bridge_a2v0_q", bridge.audio_to_video_conditioners["0"].inner.q.weight.grad)
    golden.check(f"{name}.grad.bridge_v2a0_q", bridge.video_to_audio_conditioners["0"].inner.q.weight.grad)
