"""`MovaPipeline`: text and frames in, picture and sound out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Literal

import torch

from mova_studio.diffusion import inputs
from mova_studio.diffusion.components import MovaComponents
from mova_studio.diffusion.conditioning import decode_video
from mova_studio.diffusion.output import MovaPipelineOutput
from mova_studio.diffusion.preparation import starting_state
from mova_studio.diffusion.sampling import Expert, sample
from mova_studio.diffusion.sound import decode_sound
from mova_studio.diffusion.state import SamplingSettings, SamplingState
from mova_studio.diffusion.tiling import OnChunk
from mova_studio.errors import InputError
from mova_studio.network.tiles import Tiling

StepCallback = Callable[["MovaPipeline", int, float, dict[str, Any]], dict[str, Any] | None]


class MovaPipeline(MovaComponents):
    """MOVA: joint video and audio generation from text and a first frame (arXiv 2602.08794).

    A call is `prepare` (text, frames, noise), `denoise` (the steps) and `decode`; the three can be called
    apart, and the `SamplingState` that passes between them can be saved after any step.

    It is made of the components that `MovaComponents` names, most easily by `from_pretrained`.

    Attributes:
        tiling: how the video VAE cuts the picture (not at all).
        batched_guidance: run a step's passes with equal bridge as one batch: more memory, equal to 1e-4 (off).
    """

    batched_guidance: bool = False
    tiling: Tiling | None = None
    _interrupt: bool = False
    _callback_tensor_inputs = (
        "latents",
        "audio_latents",
        "x0_latents",
        "x0_audio_latents",
        "prompt_embeds",
        "negative_prompt_embeds",
    )

    @property
    def interrupt(self) -> bool:
        """Set `_interrupt` from a callback to end the loop after the current step."""
        return self._interrupt

    @torch.no_grad()
    def prepare(
        self,
        settings: SamplingSettings,
        prompt: str | list[str] | None = None,
        image: inputs.Frame | Sequence[inputs.Frame] | None = None,
        last_image: inputs.Frame | Sequence[inputs.Frame] | None = None,
        negative_prompt: str | list[str] | None = None,
        generator: inputs.Generators = None,
        latents: torch.Tensor | None = None,
        audio_latents: torch.Tensor | None = None,
        prompt_embeds: torch.Tensor | None = None,
        negative_prompt_embeds: torch.Tensor | None = None,
        on_chunk: OnChunk | None = None,
        condition: torch.Tensor | None = None,
    ) -> SamplingState:
        """Everything before the first step; arguments as in `__call__`.

        Args:
            on_chunk: called as (done, total) before every piece of encoding; may raise to stop.
            condition: `SamplingState.condition` of a run with the same frames, size and length; they are not
                encoded again then.
        """
        sample_rate, hop_length = self.audio_vae.config.sample_rate, self.audio_vae.hop_length
        inputs.check_settings(settings, sample_rate, hop_length)
        if last_image is not None and settings.num_frames == 1:
            raise InputError("A take of one frame has no last frame; ask for 5 frames or more.", field="last_frame")
        batch = inputs.batch_size(prompt, prompt_embeds)
        guidance = settings.guidance
        if guidance.needs_positive and prompt_embeds is None and prompt is not None:
            prompt_embeds = self.encode_prompt(prompt)
        if guidance.needs_negative and negative_prompt_embeds is None:
            negative_prompt_embeds = self.encode_prompt(inputs.as_list(negative_prompt or "", batch, "negative_prompt"))
        noise, embeds = (latents, audio_latents), (prompt_embeds, negative_prompt_embeds)
        frames = (image, last_image)
        return starting_state(self, settings, frames, generator, noise, embeds, batch, on_chunk, condition)

    def expert_of(self, state: SamplingState) -> Expert:
        """The expert that runs `state`'s next step."""
        settings = state.settings
        self.scheduler.set_timesteps(settings.num_inference_steps, settings.video_shift, settings.audio_shift)
        return "high" if state.step < self.scheduler.expert_steps(self.config.boundary_ratio) else "low"

    def ready(self, state: SamplingState) -> None:
        """Bring what `state`'s next step needs to where it computes; the step would do so itself."""
        with self.residency.use(*self._tower_names(self.expert_of(state))):
            return

    @torch.no_grad()
    def denoise(
        self,
        state: SamplingState,
        num_steps: int | None = None,
        callback_on_step_end: StepCallback | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ("latents", "audio_latents"),
        on_layer: Callable[[int], None] | None = None,
    ) -> SamplingState:
        """Run the steps that are left, or `num_steps` of them; `state` is advanced and returned.

        Between steps `state` is whole: it can be saved there and continued to the same bits. An exception
        out of `on_layer` or the callback leaves it at the last whole step.

        Args:
            state: from `prepare` or `SamplingState.load`; the adapters in use must be those that it was made with.
            num_steps: at most so many; None runs to the end.
            callback_on_step_end, callback_on_step_end_tensor_inputs: as in `__call__`.
            on_layer: called before every layer of every pass; may raise to stop at once.
        """
        unknown = sorted(set(callback_on_step_end_tensor_inputs) - set(self._callback_tensor_inputs))
        if unknown:
            raise InputError(
                f"callback_on_step_end_tensor_inputs names {unknown}; known: {self._callback_tensor_inputs}."
            )
        left = state.settings.num_inference_steps - state.step
        left = left if num_steps is None else min(num_steps, left)
        self._interrupt = False
        boundary_ratio, batched = self.config.boundary_ratio, self.batched_guidance
        with self._adapting(state) as predict, self.progress_bar(total=left) as bar:
            steps = sample(state, self.scheduler, boundary_ratio, predict, on_layer, batched)
            for done in islice(steps, left):
                bar.update()
                if callback_on_step_end is not None:
                    offered = {name: getattr(state, name, None) for name in self._callback_tensor_inputs}
                    offered |= {"x0_latents": done.x0_latents, "x0_audio_latents": done.x0_audio_latents}
                    chosen = {name: offered[name] for name in callback_on_step_end_tensor_inputs}
                    state.replace(callback_on_step_end(self, done.index, done.timestep, chosen) or {})
                if self.interrupt:
                    break
        return state

    @torch.no_grad()
    def decode(
        self,
        state: SamplingState,
        output_type: Literal["pil", "np", "pt", "latent"] = "pil",
        on_chunk: OnChunk | None = None,
    ) -> MovaPipelineOutput:
        """Latents to picture and sound; the sound is cut to the picture's length.

        Args:
            output_type: as in `__call__`.
            on_chunk: called as (done, total) before every piece of the picture; may raise to stop.
        """
        if output_type not in ("pil", "np", "pt", "latent"):
            raise InputError(f'output_type is {output_type!r}, but must be "pil", "np", "pt" or "latent".')
        sampling_rate = self.audio_vae.config.sample_rate
        if output_type == "latent":
            return MovaPipelineOutput(state.latents, state.audio_latents, sampling_rate)
        with self.residency.use("video_vae"):
            video = decode_video(self.video_vae, state.latents, self.tiling, on_chunk)
        frames = self.video_processor.postprocess_video(video, output_type=output_type)
        waveform = decode_sound(self.audio_vae, self.residency, state.audio_latents, state.settings)
        return MovaPipelineOutput(frames, waveform, sampling_rate)

    @torch.no_grad()
    def __call__(
        self,
        prompt: str | list[str] | None = None,
        image: inputs.Frame | Sequence[inputs.Frame] | None = None,
        last_image: inputs.Frame | Sequence[inputs.Frame] | None = None,
        negative_prompt: str | list[str] | None = None,
        height: int = 352,
        width: int = 640,
        num_frames: int = 193,
        frame_rate: float = 24.0,
        num_inference_steps: int = 50,
        guidance_scale: float = 5.0,
        bridge_guidance_scale: float = 1.0,
        video_shift: float = 5.0,
        audio_shift: float = 5.0,
        generator: inputs.Generators = None,
        latents: torch.Tensor | None = None,
        audio_latents: torch.Tensor | None = None,
        prompt_embeds: torch.Tensor | None = None,
        negative_prompt_embeds: torch.Tensor | None = None,
        output_type: Literal["pil", "np", "pt", "latent"] = "pil",
        callback_on_step_end: StepCallback | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ("latents", "audio_latents"),
        step_cache: str = "off",
        guidance_start: float = 0.0,
        guidance_stop: float = 1.0,
    ) -> MovaPipelineOutput:
        """Make a take, or a batch of takes.

        Args:
            prompt: the scene, its dialogue and sounds; a list makes a batch.
            image: first frame, centre-cropped to the aspect; None is a white one (text alone).
            last_image: last frame, likewise; None leaves it free.
            negative_prompt: what to steer away from; None is the empty text.
            height, width: pixels, multiples of 16.
            num_frames: 4n + 1.
            frame_rate: frames a second; the sound's place beside the picture follows it.
            num_inference_steps: steps, at least 1.
            guidance_scale: s_T, text guidance (paper Eq. 6); 1 turns it off.
            bridge_guidance_scale: s_B, bridge guidance (paper Eq. 6); 1 is text guidance alone.
            video_shift, audio_shift: sigma shifts (paper Eq. 4), independent of each other.
            generator: CPU generator, or one for each take; None draws from torch's own.
            latents, audio_latents: noise to start from, [B, 16, t, h/8, w/8] and [B, C, L].
            prompt_embeds, negative_prompt_embeds: [B, 512, text_dim], in place of the texts.
            output_type: "pil", "np", "pt" or "latent", see `MovaPipelineOutput`.
            callback_on_step_end: called as (pipeline, step index, timestep, tensors) after every step;
                tensors that it returns replace the run's own.
            callback_on_step_end_tensor_inputs: which tensors it is given, out of latents, audio_latents,
                x0_latents, x0_audio_latents (the estimates of the clean latents), prompt_embeds and
                negative_prompt_embeds.
            step_cache: "off" computes every step; "light", "balanced" and "fast" answer more and more of them
                from the last computed one, which changes the result. A batch shares the decision.
            guidance_start, guidance_stop: fractions of the steps, 0 <= guidance_start <= guidance_stop <= 1;
                a step outside runs one pass with both guidance scales at 1.

        Raises:
            InputError: a value cannot be used; the message offers the nearest right one.
        """
        settings = SamplingSettings(
            height=height,
            width=width,
            num_frames=num_frames,
            frame_rate=frame_rate,
            num_inference_steps=num_inference_steps,
            guidance_scale=guidance_scale,
            bridge_guidance_scale=bridge_guidance_scale,
            video_shift=video_shift,
            audio_shift=audio_shift,
            step_cache=step_cache,
            guidance_start=guidance_start,
            guidance_stop=guidance_stop,
        )
        state = self.prepare(
            settings,
            prompt,
            image,
            last_image,
            negative_prompt,
            generator,
            latents,
            audio_latents,
            prompt_embeds,
            negative_prompt_embeds,
        )
        self.denoise(state, None, callback_on_step_end, callback_on_step_end_tensor_inputs)
        return self.decode(state, output_type)
