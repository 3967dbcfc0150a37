"""`MovaPipeline`: text and frames in, picture and sound out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers import AutoencoderKLWan, DiffusionPipeline, WanTransformer3DModel
from diffusers.video_processor import VideoProcessor
from transformers import PreTrainedTokenizerBase, UMT5EncoderModel

from mova_studio.diffusion import inputs
from mova_studio.diffusion.adapters import AdapterMixin
from mova_studio.diffusion.conditioning import decode_video
from mova_studio.diffusion.guidance import Velocity
from mova_studio.diffusion.loading import load_components
from mova_studio.diffusion.output import MovaPipelineOutput
from mova_studio.diffusion.preparation import starting_state
from mova_studio.diffusion.residency import InPlace, Residency
from mova_studio.diffusion.sampling import Expert, sample
from mova_studio.diffusion.scheduler import FlowMatchPairScheduler
from mova_studio.diffusion.sound import decode_sound
from mova_studio.diffusion.state import SamplingSettings, SamplingState
from mova_studio.diffusion.text import encode_prompts
from mova_studio.diffusion.tiling import OnChunk
from mova_studio.errors import InputError
from mova_studio.network.audio_vae import AutoencoderDAC
from mova_studio.network.bridge import Bridge
from mova_studio.network.checkpoint import save_checkpoint
from mova_studio.network.joint import joint_forward
from mova_studio.network.layout import COMPONENTS
from mova_studio.network.residual import ResidualCache
from mova_studio.network.tiles import Tiling
from mova_studio.network.towers import AudioTower

StepCallback = Callable[["MovaPipeline", int, float, dict[str, Any]], dict[str, Any] | None]


class MovaPipeline(AdapterMixin, DiffusionPipeline):
    """MOVA: joint video and audio generation from text and a first frame (arXiv 2602.08794).

    A call is `prepare` (text, frames, noise), `denoise` (the steps) and `decode`; the three can be called
    apart, and the `SamplingState` that passes between them can be saved after any step.

    Args:
        video_dit, video_dit_2: the high-noise and the low-noise expert.
        audio_dit, dual_tower_bridge: shared by both experts.
        video_vae, audio_vae, text_encoder, tokenizer, scheduler: as in the published checkpoint.
        boundary_ratio: share of the timesteps under which the low-noise expert takes over.

    Attributes:
        residency: brings components to where they compute; by default each stays where it is.
        tiling: how the video VAE cuts the picture (not at all).
        batched_guidance: run a step's passes with equal bridge as one batch: more memory, equal to 1e-4 (off).
    """

    batched_guidance: bool = False
    tiling: Tiling | None = None
    _callback_tensor_inputs = (
        "latents",
        "audio_latents",
        "x0_latents",
        "x0_audio_latents",
        "prompt_embeds",
        "negative_prompt_embeds",
    )

    def __init__(
        self,
        video_vae: AutoencoderKLWan,
        audio_vae: AutoencoderDAC,
        text_encoder: UMT5EncoderModel,
        tokenizer: PreTrainedTokenizerBase,
        scheduler: FlowMatchPairScheduler,
        video_dit: WanTransformer3DModel,
        video_dit_2: WanTransformer3DModel,
        audio_dit: AudioTower,
        dual_tower_bridge: Bridge,
        boundary_ratio: float = 0.9,
    ) -> None:
        super().__init__()
        self.register_modules(
            video_vae=video_vae,
            audio_vae=audio_vae,
            text_encoder=text_encoder,
            tokenizer=tokenizer,
            scheduler=scheduler,
            video_dit=video_dit,
            video_dit_2=video_dit_2,
            audio_dit=audio_dit,
            dual_tower_bridge=dual_tower_bridge,
        )
        self.register_to_config(boundary_ratio=boundary_ratio)
        self.video_processor = VideoProcessor(vae_scale_factor=video_vae.config.scale_factor_spatial)
        self._interrupt = False
        self.residency: Residency = InPlace(self)

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | Path,
        torch_dtype: torch.dtype | None = None,
        local_files_only: bool = False,
    ) -> MovaPipeline:
        """Load a checkpoint in the published layout, component by component, memory-mapped.

        Args:
            pretrained_model_name_or_path: a folder; a hub id, which is downloaded if it is not on disk; or
                "demo".
            torch_dtype: of the weights; None keeps the stored one. The audio VAE, and the towers' time
                embedding, modulation and norms, stay float32 in any case.
            local_files_only: never download.

        Raises:
            CheckpointError: the checkpoint is wrong, truncated, mixed or absent.
        """
        return cls(**load_components(str(pretrained_model_name_or_path), torch_dtype, local_files_only))

    def save_pretrained(self, save_directory: str | Path, **kwargs: Any) -> None:
        """Write the checkpoint back in the published layout, tensor for tensor as loaded.

        Args:
            save_directory: made if it does not exist.
            kwargs: `max_shard_bytes`, `untrained`, see `save_checkpoint`.
        """
        components = {name: getattr(self, name) for name in COMPONENTS}
        scheduler = {name: value for name, value in self.scheduler.config.items() if not name.startswith("_")}
        save_checkpoint(
            Path(save_directory), components, self.tokenizer, scheduler, self.config.boundary_ratio, **kwargs
        )

    @property
    def interrupt(self) -> bool:
        """Set `_interrupt` from a callback to end the loop after the current step."""
        return self._interrupt

    @torch.no_grad()
    def encode_prompt(self, prompt: str | list[str]) -> torch.Tensor:
        """Prompt embeddings [B, 512, text_dim], zeros behind each prompt's last token."""
        prompts = [prompt] if isinstance(prompt, str) else prompt
        with self.residency.use("text_encoder"):
            return encode_prompts(self.text_encoder, self.tokenizer, prompts, self.residency.device)

    @torch.no_grad()
    def predict_velocity(
        self,
        video_latents: torch.Tensor,
        audio_latents: torch.Tensor,
        prompt_embeds: torch.Tensor,
        timestep: torch.Tensor,
        audio_timestep: torch.Tensor | None = None,
        frame_rate: float = 24.0,
        expert: Expert = "high",
        a2v_scale: float = 1.0,
        v2a_scale: float = 1.0,
        on_layer: Callable[[int], None] | None = None,
        cache: ResidualCache | None = None,
    ) -> Velocity:
        """One pass of one expert with the audio tower; arguments and result as in `joint_forward`.

        Args:
            expert: "high" (video_dit) or "low" (video_dit_2).
        """

        def arrive(layer: int) -> None:
            if on_layer is not None:
                on_layer(layer)
            self.residency.arrive(layer)

        tower, *shared = self._tower_names(expert)
        with self.residency.use(tower, *shared):
            self._adapted.bring((tower, *shared), self.residency.device)
            return joint_forward(
                getattr(self, tower),
                self.audio_dit,
                self.dual_tower_bridge,
                video_latents,
                audio_latents,
                prompt_embeds,
                timestep,
                audio_timestep,
                frame_rate,
                a2v_scale,
                v2a_scale,
                arrive,
                cache,
            )

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

    @staticmethod
    def _tower_names(expert: Expert) -> tuple[str, str, str]:
        return "video_dit" if expert == "high" else "video_dit_2", "audio_dit", "dual_tower_bridge"

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
