"""The joint forward: two towers side by side, coupled by the bridge in front of every shared layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import torch
from diffusers import WanTransformer3DModel

from mova_studio.network.bridge import Bridge
from mova_studio.network.residual import ResidualCache, first_block_input
from mova_studio.network.towers import AudioTower, Stream, enter, leave

Tokens: TypeAlias = tuple[torch.Tensor, torch.Tensor]
AroundLayer: TypeAlias = Callable[[Callable[[torch.Tensor, torch.Tensor], Tokens], torch.Tensor, torch.Tensor], Tokens]


def joint_forward(
    video_tower: WanTransformer3DModel,
    audio_tower: AudioTower,
    bridge: Bridge,
    video_latents: torch.Tensor,
    audio_latents: torch.Tensor,
    prompt_embeds: torch.Tensor,
    timestep: torch.Tensor,
    audio_timestep: torch.Tensor | None = None,
    frame_rate: float = 24.0,
    a2v_scale: float | None = 1.0,
    v2a_scale: float | None = 1.0,
    on_layer: Callable[[int], None] | None = None,
    cache: ResidualCache | None = None,
    around_layer: AroundLayer | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """One pass of the network: velocities (noise - data) of picture and sound.

    Args:
        video_tower: the expert for this timestep.
        audio_tower, bridge: shared by both experts.
        video_latents: [B, 36, t, h, w]: 16 noisy, 4 mask and 16 condition channels.
        audio_latents: [B, C, L] noisy audio latents.
        prompt_embeds: [B, 512, text_dim], zeros behind the last token.
        timestep: [B], 0..1000.
        audio_timestep: [B]; None takes `timestep`.
        frame_rate: frames per second of the video, for Aligned RoPE.
        a2v_scale, v2a_scale: strength of the bridge per direction; both 0 is two separate towers.
        on_layer: called with the layer's index before each layer; may raise to abandon the pass.
        cache: may answer with the residuals of an earlier step, which then stand for all layers of both
            towers and the bridge; is given this pass's otherwise. For inference: no gradient passes it.
        around_layer: is given each layer as a function of both towers' tokens, and these; returns what the function
            does. For gradient checkpointing, which calls it again on the way back.

    Returns:
        Video velocity [B, 16, t, h, w] and audio velocity [B, C, L], float32.

    Raises:
        ValueError: the video tower has fewer layers than the audio tower.
    """
    depth = len(audio_tower.blocks)
    if len(video_tower.blocks) < depth:
        raise ValueError(f"the video tower has {len(video_tower.blocks)} layers, fewer than the audio tower's {depth}")
    video = enter(video_tower, video_latents, timestep, prompt_embeds)
    audio = enter(audio_tower, audio_latents, timestep if audio_timestep is None else audio_timestep, prompt_embeds)
    if cache is not None:
        residuals = cache.reuse(lambda: (first_block_input(video_tower, video), first_block_input(audio_tower, audio)))
        if residuals is not None:
            video.hidden, audio.hidden = video.hidden + residuals[0], audio.hidden + residuals[1]
            return leave(video_tower, video), leave(audio_tower, audio)
    entered = None if cache is None else (video.hidden, audio.hidden)
    frames, height, width = video.grid
    rotary = bridge.rotary((frames, height, width), audio.grid[0], frame_rate, video.hidden.device)

    def advance(layer: int, video: Stream, audio: Stream) -> None:
        if layer < depth:
            video.hidden, audio.hidden = bridge(layer, video.hidden, audio.hidden, rotary, a2v_scale, v2a_scale)
            audio.advance(audio_tower.blocks[layer])
        video.advance(video_tower.blocks[layer])

    def of_tokens(layer: int, video_hidden: torch.Tensor, audio_hidden: torch.Tensor) -> Tokens:
        on_video, on_audio = replace(video, hidden=video_hidden), replace(audio, hidden=audio_hidden)
        advance(layer, on_video, on_audio)
        return on_video.hidden, on_audio.hidden

    for layer in range(len(video_tower.blocks)):
        if on_layer is not None:
            on_layer(layer)
        if around_layer is None:
            advance(layer, video, audio)
        else:
            video.hidden, audio.hidden = around_layer(partial(of_tokens, layer), video.hidden, audio.hidden)

    if cache is not None and entered is not None:
        # In place: what entered is needed no more, and a second copy of 43,120 tokens would be 0.4 GB.
        streams = zip(entered, (video.hidden, audio.hidden), strict=True)
        first, second = (torch.sub(after, before, out=before) for before, after in streams)
        cache.keep((first, second))
    return leave(video_tower, video), leave(audio_tower, audio)
