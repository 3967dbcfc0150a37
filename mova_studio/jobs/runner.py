"""From a shot and a seed to a take on disk: the one path that the page, the queue and the command line share."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import mova_studio
from mova_studio.diffusion import SamplingSettings
from mova_studio.diffusion.guidance import DualGuidance
from mova_studio.diffusion.text import MAX_TOKENS, count_tokens, lost_words
from mova_studio.errors import Cancelled, MemoryRanOut, OutputError
from mova_studio.jobs.engine import Engine
from mova_studio.jobs.estimate import Estimate
from mova_studio.library.provenance import describe_take
from mova_studio.library.shot import Shot
from mova_studio.library.take import Take
from mova_studio.media.mp4 import WrittenMedia, write_mp4
from mova_studio.media.preview import encode_preview
from mova_studio.settings import cache_dir

Report = Callable[[dict[str, Any]], None]
UNTRAINED_NOTE = "the demo checkpoint is untrained: picture and sound are noise on purpose"


class Run:
    """One run: stages timed, progress reported, cancelled between any two layers.

    Args:
        engine: loaded or not; the run loads the shot's model.
        shot, seed: what to make.
        report: called with {"kind": "progress" | "preview" | "note", ...} events; must not block.
        cancelled: asked often; True ends the run with `Cancelled`.
    """

    def __init__(self, engine: Engine, shot: Shot, seed: int, report: Report, cancelled: Callable[[], bool]) -> None:
        self.engine, self.shot, self.seed, self.report, self.cancelled = engine, shot, seed, report, cancelled
        self.seconds: dict[str, float] = {}
        self.notes: list[str] = []
        self.step = 0
        self.started = time.monotonic()
        passes = len(DualGuidance(shot.guidance_scale, shot.bridge_guidance_scale).passes)
        megapixel_frames = shot.width * shot.height * shot.num_frames / 1e6
        self.estimate = Estimate(engine.history, megapixel_frames, shot.num_inference_steps, passes)

    def note(self, text: str) -> None:
        self.notes.append(text)
        self.report({"kind": "note", "text": text})

    def progress(self, stage: str, expert: str | None = None) -> None:
        left = self.estimate.seconds_left(stage, self.step)
        elapsed = time.monotonic() - self.started
        fraction = 0.0 if left is None else elapsed / (elapsed + left) if elapsed + left else 1.0
        self.report(
            {
                "kind": "progress",
                "stage": stage,
                "step": self.step,
                "steps": self.shot.num_inference_steps,
                "expert": expert,
                "fraction": fraction,
                "seconds_left": left,
            }
        )

    def check_cancelled(self, *_: Any) -> None:
        if self.cancelled():
            raise Cancelled

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self.check_cancelled()
        self.progress(name)
        begun = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - begun, 3)
        self.estimate.stage_done(name, self.seconds[name])


def make_take(
    engine: Engine, shot: Shot, seed: int, path: Path, report: Report, cancelled: Callable[[], bool] = lambda: False
) -> Take:
    """Make one take and write it to `path`.

    Raises:
        StudioError: cancelled, out of memory, the checkpoint cannot be loaded or the file not written;
            whatever was at `path` before is untouched.
    """
    run = Run(engine, shot, seed, report, cancelled)
    try:
        return _make(run, path)
    except (torch.OutOfMemoryError, MemoryError) as error:
        kind = "VRAM" if isinstance(error, torch.OutOfMemoryError) else "RAM"
        raise MemoryRanOut(
            f"{kind} ran out at {shot.width}x{shot.height}, {shot.num_frames} frames. Take a smaller size or a "
            "shorter length, or close other programs."
        ) from error


def _make(run: Run, path: Path) -> Take:
    engine, shot = run.engine, run.shot
    with run.stage("load"):
        engine.load(shot.model)
        pipeline = engine.pipeline
        run.estimate.checkpoint = engine.identity
    if engine.checkpoint.untrained:
        run.note(UNTRAINED_NOTE)
    with run.stage("text"):
        guidance = DualGuidance(shot.guidance_scale, shot.bridge_guidance_scale)
        _note_lost_words(run)
        positive = pipeline.encode_prompt(shot.prompt)
        negative = pipeline.encode_prompt(shot.negative_prompt) if guidance.needs_negative else None
    with run.stage("frames"):
        settings = SamplingSettings(**{field.name: getattr(shot, field.name) for field in fields(SamplingSettings)})
        state = pipeline.prepare(
            settings,
            image=_open(shot.first_frame),
            last_image=_open(shot.last_frame),
            generator=torch.Generator("cpu").manual_seed(run.seed),
            prompt_embeds=positive,
            negative_prompt_embeds=negative,
        )
    with run.stage("denoise"):
        on_step = _step_reporter(run)
        pipeline.denoise(state, None, on_step, ("x0_latents",), on_layer=run.check_cancelled)
    with run.stage("decode"):
        output = pipeline.decode(state, output_type="np")
        frames = (output.frames[0] * 255).round().astype(np.uint8)
        audio = output.audio[0].float().cpu().numpy()
    created = datetime.now(timezone.utc).isoformat(timespec="seconds")
    with run.stage("write"):
        provenance = describe_take(
            shot,
            run.seed,
            checkpoint=engine.identity,
            untrained=engine.checkpoint.untrained,
            plan=engine.plan,
            seconds=run.seconds,
            program=mova_studio.__version__,
            created=created,
            notes=tuple(run.notes),
        )
        title = "Untrained demo: noise" if engine.checkpoint.untrained else ""

        def write(target: Path) -> WrittenMedia:
            return write_mp4(
                target,
                frames,
                frame_rate=shot.frame_rate,
                audio=audio,
                sample_rate=output.sampling_rate,
                target_lufs=shot.target_lufs,
                provenance=provenance,
                title=title,
                cancelled=run.cancelled,
            )

        try:
            written = write(path)
        except OutputError as error:
            raise _rescued(error, write, path) from error
    engine.history.save()
    return Take(
        path=path.resolve(),
        shot=shot,
        seed=run.seed,
        width=shot.width,
        height=shot.height,
        num_frames=written.num_frames,
        frame_rate=shot.frame_rate,
        audio_seconds=written.audio_seconds,
        integrated_lufs=written.loudness.integrated_lufs,
        true_peak_dbtp=written.loudness.true_peak_dbtp,
        seconds=run.seconds,
        checkpoint=engine.identity,
        untrained=engine.checkpoint.untrained,
        program=mova_studio.__version__,
        created=created,
        notes=tuple(run.notes),
    )


def _rescued(error: OutputError, write: Callable[[Path], WrittenMedia], path: Path) -> OutputError:
    """A finished take that finds no room where it belongs is kept elsewhere; the error says where."""
    shelter = cache_dir() / "rescued" / path.name
    try:
        shelter.parent.mkdir(parents=True, exist_ok=True)
        write(shelter)
    except (OSError, OutputError):
        return error
    return OutputError(f"{error.message} The finished take is kept at {shelter}.", field=error.field)


def _open(frame: bytes | None) -> Image.Image | None:
    return None if frame is None else Image.open(io.BytesIO(frame)).convert("RGB")


def _note_lost_words(run: Run) -> None:
    tokenizer = run.engine.pipeline.tokenizer
    for name, text in (("prompt", run.shot.prompt), ("negative prompt", run.shot.negative_prompt)):
        lost = lost_words(tokenizer, text)
        if lost:
            run.note(f"the {name} has {count_tokens(tokenizer, text)} tokens and {MAX_TOKENS} are read; lost: {lost!r}")


def _step_reporter(run: Run) -> Callable[..., None]:
    begun = time.monotonic()

    def on_step(pipeline: Any, index: int, _timestep: float, tensors: dict[str, torch.Tensor]) -> None:
        nonlocal begun
        run.step = index + 1
        run.estimate.step_done(time.monotonic() - begun)
        high = pipeline.scheduler.expert_steps(pipeline.config.boundary_ratio)
        run.progress("denoise", "high" if index < high else "low")
        frames = run.engine.preview.frames(tensors["x0_latents"][0]).numpy()
        rate = run.shot.frame_rate * len(frames) / run.shot.num_frames
        run.report({"kind": "preview", "step": run.step, "mp4": encode_preview(frames, rate)})
        begun = time.monotonic()

    return on_step
