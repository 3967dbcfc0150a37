"""The page's functions for programs, by name: `gradio_client.Client(url).predict(..., api_name="/generate")`.

Any person with a login may call `generate` and `takes`; `delete_take` and `plan` are the owner's and are refused to
guests. Those about checkpoints are in `api_models.py`.
"""

# Without postponed annotations: Gradio reads the parts of a return type from the type itself.
import asyncio

import gradio as gr

from mova_studio.errors import StudioError
from mova_studio.jobs.adapters import read_uses
from mova_studio.jobs.states import JobState
from mova_studio.library.presets import preset_for
from mova_studio.library.shot import Shot
from mova_studio.ui.access import Access
from mova_studio.ui.advice import Advisor
from mova_studio.ui.desk import Desk
from mova_studio.ui.gallery_data import GalleryData
from mova_studio.ui.imagine_view import imagined_machine
from mova_studio.ui.reading import read_pictures, read_seed

POLL_SECONDS = 0.25


class Api:
    """The named endpoints."""

    def __init__(self, desk: Desk, data: GalleryData, access: Access, advisor: Advisor) -> None:
        self.desk, self.data, self.access, self.advisor = desk, data, access, advisor

    def register(self) -> None:
        """Add the endpoints to the Blocks under construction."""
        gr.api(self.generate, api_name="generate")
        gr.api(self.access.owner_only(self.plan), api_name="plan")

    async def generate(
        self,
        request: gr.Request,
        prompt: str,
        first_frame: gr.FileData | None = None,
        last_frame: gr.FileData | None = None,
        seed: str = "-1",
        width: int | None = None,
        height: int | None = None,
        num_frames: int | None = None,
        frame_rate: float | None = None,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        bridge_guidance_scale: float | None = None,
        video_shift: float | None = None,
        audio_shift: float | None = None,
        negative_prompt: str | None = None,
        target_lufs: float = -16.0,
        step_cache: str = "off",
        guidance_start: float = 0.0,
        guidance_stop: float = 1.0,
        adapters: list | None = None,
    ) -> tuple[gr.FileData, dict]:
        """Make one take with the checkpoint in use and wait for it.

        What is not given comes from the checkpoint's own defaults. Sizes have to be multiples of 16 and lengths
        4n + 1 frames; the error names the nearest right one. A client that goes away cancels its take.

        Args:
            prompt: the scene, its dialogue and its sounds.
            first_frame, last_frame: pictures, as uploaded files.
            seed: 0..2^63-1 as text or number; -1 draws one.
            width, height: pixels. num_frames: 4n + 1. frame_rate: frames per second.
            num_inference_steps: denoising steps.
            guidance_scale: text guidance s_T. bridge_guidance_scale: bridge guidance s_B.
            video_shift, audio_shift: sigma shifts.
            negative_prompt: what to steer away from.
            target_lufs: integrated loudness.
            step_cache: off, light, balanced or fast; how many steps may reuse an earlier one.
            guidance_start, guidance_stop: the guided part of the run, in fractions of the steps, 0 to 1.
            adapters: installed ones, each as text "NAME", "NAME=0.8", "NAME=high:1,low:0.5@0:0.4"; or as an object
                with name, and any of high, low, audio, bridge (strengths), start and stop (fractions of the steps).

        Returns:
            The mp4, and what is known of it: name, seed, size, frames, loudness, seconds per stage, notes, shot.
        """
        given = {
            "width": width,
            "height": height,
            "num_frames": num_frames,
            "frame_rate": frame_rate,
            "num_inference_steps": num_inference_steps,
            "guidance_scale": guidance_scale,
            "bridge_guidance_scale": bridge_guidance_scale,
            "video_shift": video_shift,
            "audio_shift": audio_shift,
            "negative_prompt": negative_prompt,
        }
        pictures = {"first_frame": first_frame, "last_frame": last_frame}
        try:
            model = self.desk.studio.model
            preset = preset_for(model)
            settings = preset.settings() | {name: value for name, value in given.items() if value is not None}
            settings |= {"target_lufs": target_lufs, "step_cache": step_cache}
            settings |= {"guidance_start": guidance_start, "guidance_stop": guidance_stop}
            settings["adapters"] = await asyncio.to_thread(read_uses, adapters or [])
            number = read_seed(seed, "en")
            shot = Shot(prompt=prompt, model=model, **settings)
            preset.check_limits(shot.width, shot.height, shot.num_frames)
            frames, notes = await asyncio.to_thread(read_pictures, pictures, shot.width, shot.height, "en")
            shot = Shot(prompt=prompt, model=model, **settings, **frames)
            ticket = await asyncio.to_thread(self.desk.submit, shot, number, request.username or "", notes)
        except (StudioError, TypeError) as error:
            raise gr.Error(str(error), print_exception=False) from error
        return await self._finished(ticket.job_id, notes)

    async def _finished(self, job_id: str, notes: tuple[str, ...]) -> tuple[gr.FileData, dict]:
        studio = self.desk.studio
        try:
            while not (snapshot := studio.snapshot(job_id)).state.ended:
                await asyncio.sleep(POLL_SECONDS)
        finally:
            # A client that has gone away must not keep the machine busy; for an ended job this does nothing.
            studio.cancel(job_id)
        if snapshot.take is None:
            words = (
                "Cancelled."
                if snapshot.state is JobState.CANCELLED
                else (snapshot.error or {}).get("message", "The take failed.")
            )
            raise gr.Error(str(words), print_exception=False)
        take = snapshot.take
        linked, info = await asyncio.to_thread(self.data.handed, take)
        file = gr.FileData(path=str(linked), orig_name=take.path.name, mime_type="video/mp4")
        return file, info | {"notes": list(dict.fromkeys((*notes, *snapshot.notes, *take.notes)))}

    async def plan(
        self,
        request: gr.Request,
        model: str | None = None,
        width: int | None = None,
        height: int | None = None,
        num_frames: int | None = None,
        num_inference_steps: int | None = None,
        gpu: str | None = None,
        vram_gb: float | None = None,
        ram_gb: float | None = None,
        capability: str | None = None,
    ) -> dict:
        """Owner only. How a take would be placed, and what that needs; nothing is loaded or made.

        What is not given comes from the checkpoint's own defaults and from this machine as it is. A GPU or an
        amount of memory describes an imaginary machine, for which the owner's caps and pins do not count.

        Args:
            model: "demo", a folder on the server or a hub id; the checkpoint in use by default.
            width, height: pixels. num_frames: 4n + 1. num_inference_steps: denoising steps.
            gpu: a card's name, or "none". vram_gb, ram_gb: GiB. capability: such as "8.9".

        Returns:
            Machine, checkpoint, budget, the chosen plan or null, every plan considered, notes; and "shortage",
            what is missing and the remedy where no plan fits.
        """
        given = {"width": width, "height": height, "num_frames": num_frames, "num_inference_steps": num_inference_steps}
        studio = self.desk.studio
        try:
            known = {name: value for name, value in given.items() if value is not None}
            settings = preset_for(model or studio.model).settings() | known
            shot = Shot(prompt="a plan", model=model or studio.model, **settings)
            if any(value is not None for value in (gpu, vram_gb, ram_gb, capability)):
                base = await asyncio.to_thread(self.advisor.machine)
                machine = imagined_machine(base, gpu, vram_gb, ram_gb, capability)
                limits = {"precision": studio.limits.get("precision", "balanced")}
                advice = await asyncio.to_thread(self.advisor.advise, shot, limits, machine)
            else:
                advice = await asyncio.to_thread(self.advisor.advise, shot)
        except (StudioError, TypeError) as error:
            raise gr.Error(str(error), print_exception=False) from error
        return advice.report | {"shortage": advice.shortage}
