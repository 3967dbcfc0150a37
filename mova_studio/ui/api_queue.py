"""The queue's functions for programs.

The owner, or anyone where there are no logins, acts on every job; a guest on those asked for under the same login.
"""

# Without postponed annotations: Gradio reads the parts of a return type from the type itself.
import asyncio
from typing import Any

import gradio as gr

from mova_studio.errors import InputError, StudioError
from mova_studio.jobs.adapters import read_uses
from mova_studio.jobs.job import Job
from mova_studio.jobs.scouting import SHARE, Axis, Scout, seeds_axis
from mova_studio.jobs.studio import Studio
from mova_studio.library.presets import preset_for
from mova_studio.library.shot import Shot
from mova_studio.ui.access import Access
from mova_studio.ui.desk import Desk
from mova_studio.ui.reading import read_pictures, read_seed

MAX_LISTED = 1000


class QueueApi:
    """The named endpoints."""

    def __init__(self, desk: Desk, access: Access) -> None:
        self.desk, self.access = desk, access
        self.studio: Studio = desk.studio

    def register(self) -> None:
        """Add the endpoints to the Blocks under construction."""
        for name in (
            "queue_add",
            "queue_list",
            "queue_cancel",
            "queue_pause",
            "queue_resume",
            "queue_front",
            "queue_move",
            "scout",
            "scout_list",
        ):
            gr.api(getattr(self, name), api_name=name)

    async def queue_add(
        self,
        request: gr.Request,
        prompt: str,
        settings: dict | None = None,
        seed: str = "-1",
        first_frame: gr.FileData | None = None,
        last_frame: gr.FileData | None = None,
        front: bool = False,
    ) -> dict:
        """Queue one take and return at once; it is made also when the program goes away.

        Args:
            prompt: the scene, its dialogue and its sounds.
            settings: what differs from the checkpoint's own, by the names of `generate`: width, height, num_frames...
            seed: 0..2^63-1 as text or number; -1 draws one.
            first_frame, last_frame: pictures, as uploaded files.
            front: before all that wait; the owner's.

        Returns:
            The job: id, state, seed, step, steps, jobs ahead.
        """

        def add() -> str:
            shot, notes = self._shot(prompt, settings, first_frame, last_frame)
            first = front and self.access.is_owner(request)
            return self.studio.submit(shot, read_seed(seed, "en"), asked_by=_name(request), notes=notes, front=first)

        return await self._done(lambda: self._told(add()))

    async def queue_list(self, request: gr.Request, limit: int = 100) -> list[dict]:
        """The jobs: unfinished ones in the order in which they run, then the others, the last to end first.

        Args:
            limit: at most this many, up to 1000.

        Returns:
            A list of jobs, each with its id, state, seed, prompt, step, steps, saved step and error.
        """

        def listed() -> list[dict]:
            own = [job for job in self.studio.queue.all() if self._may(request, job)]
            return [self._told(job.job_id) for job in own[: min(max(int(limit), 1), MAX_LISTED)]]

        return await self._done(listed)

    async def queue_cancel(self, job: str, request: gr.Request) -> dict:
        """Cancel an unfinished job; what it saved is kept for three days.

        Args:
            job: its id.

        Returns:
            The job as it is then.
        """
        return await self._change(request, job, self.studio.cancel)

    async def queue_pause(self, job: str, request: gr.Request) -> dict:
        """Let a job wait until it is told to go on; a running one saves itself first.

        Args:
            job: its id.

        Returns:
            The job as it is then.
        """
        return await self._change(request, job, self.studio.pause)

    async def queue_resume(self, job: str, request: gr.Request) -> dict:
        """Let a paused, failed or cancelled job go on from its last saved step; a scout runs to its end.

        Args:
            job: its id.

        Returns:
            The job as it is then.
        """
        return await self._change(request, job, self.studio.resume)

    async def queue_front(self, job: str, request: gr.Request) -> dict:
        """Owner only. Let a waiting or paused job run before all others.

        Args:
            job: its id.

        Returns:
            The job as it is then.
        """
        self._owner(request)
        return await self._change(request, job, self.studio.queue.to_front)

    async def queue_move(self, job: str, request: gr.Request, before: str = "") -> dict:
        """Owner only. Let a waiting or paused job run just before another.

        Args:
            job: its id.
            before: id of the other; "" for the end of the queue.

        Returns:
            The job as it is then.
        """
        self._owner(request)
        return await self._change(request, job, lambda name: self.studio.queue.move(name, before or None))

    async def scout(
        self,
        request: gr.Request,
        prompt: str,
        count: int = 8,
        share: float = SHARE,
        axes: list | None = None,
        settings: dict | None = None,
        seed: str = "-1",
        first_frame: gr.FileData | None = None,
        last_frame: gr.FileData | None = None,
    ) -> dict:
        """Queue a grid of takes, each for the first part of its steps; `queue_resume` finishes the good ones.

        Args:
            prompt, settings, first_frame, last_frame: as in `queue_add`.
            count: how many seeds, 1 to 64; not with axes.
            share: of the steps that each runs, above 0; 1 finishes all.
            axes: one or two of {"setting": name, "values": [...]} instead of seeds.
            seed: of the first cell, or of all cells with axes that leave it out; -1 draws one.

        Returns:
            The grid: id, share, axes and its jobs, row by row.
        """

        def add() -> Scout:
            shot, notes = self._shot(prompt, settings, first_frame, last_frame)
            number = read_seed(seed, "en")
            grid = [_axis(each) for each in axes] if axes else [seeds_axis(int(count), number)]
            return self.studio.scout(shot, grid, number, share=float(share), asked_by=_name(request), notes=notes)

        return await self._done(lambda: self._grid(add()))

    async def scout_list(self, request: gr.Request, limit: int = 20) -> list[dict]:
        """The grids, newest first.

        Args:
            limit: at most this many, up to 1000.

        Returns:
            A list of grids with id, share, axes and jobs.
        """

        def listed() -> list[dict]:
            scouts = self.studio.scouts.newest(min(max(int(limit), 1), MAX_LISTED))
            owner = self.access.is_owner(request)
            return [self._grid(scout) for scout in scouts if owner or scout.asked_by == _name(request)]

        return await self._done(listed)

    def _shot(self, prompt: str, settings: dict | None, first: Any, last: Any) -> tuple[Shot, tuple[str, ...]]:
        model = self.studio.model
        preset = preset_for(model)
        values = preset.settings() | (settings or {})
        values["adapters"] = read_uses(values.get("adapters") or [])
        shot = Shot(prompt=prompt, model=model, **values)
        preset.check_limits(shot.width, shot.height, shot.num_frames)
        pictures = {"first_frame": first, "last_frame": last}
        frames, notes = read_pictures(pictures, shot.width, shot.height, "en")
        return Shot(prompt=prompt, model=model, **values, **frames), notes

    def _may(self, request: gr.Request, job: Job) -> bool:
        return self.access.is_owner(request) or job.asked_by == _name(request)

    def _owner(self, request: gr.Request) -> None:
        if not self.access.is_owner(request):
            raise gr.Error(
                "Only the owner of this studio may do that; guests make and download takes.", print_exception=False
            )

    async def _change(self, request: gr.Request, job_id: str, change: Any) -> dict:
        def changed() -> dict:
            name = str(job_id)
            if not self._may(request, self.studio.queue.get(name)):
                raise InputError(f"There is no job {name[:40]!r} in this library.", field="job")
            change(name)
            return self._told(name)

        return await self._done(changed)

    async def _done(self, work: Any) -> Any:
        try:
            return await asyncio.to_thread(work)
        except (StudioError, TypeError, ValueError) as error:
            message = error.message if isinstance(error, StudioError) else str(error)
            raise gr.Error(self.desk.without_folder(message), print_exception=False) from error
        finally:
            self.desk.changed()

    def _told(self, job_id: str) -> dict:
        job = self.studio.snapshot(job_id)
        error = None if job.error is None else self.desk.without_folder(str(job.error.get("message", "")))
        return {
            "id": job.job_id,
            "state": job.state.value,
            "seed": job.seed,
            "prompt": job.shot.prompt if job.shot is not None else "",
            "step": job.step,
            "steps": job.steps,
            "saved_step": job.saved_step,
            "ahead": job.ahead,
            "kept": job.kept,
            "scout": None if job.cell is None else job.cell.scout,
            "error": error,
        }

    def _grid(self, scout: Scout) -> dict:
        return {
            "id": scout.scout_id,
            "created": scout.created,
            "share": scout.share,
            "axes": [{"setting": axis.setting, "values": list(axis.values)} for axis in scout.axes],
            "jobs": [self._told(job.job_id) for job in self.studio.scouts.jobs(scout.scout_id)],
        }


def _name(request: gr.Request) -> str:
    return request.username or ""


def _axis(each: Any) -> Axis:
    if not isinstance(each, dict) or not isinstance(each.get("values"), list):
        raise InputError(f'{str(each)[:60]} is no axis; give {{"setting": name, "values": [...]}}.', field="axis")
    return Axis(str(each.get("setting")), tuple(each["values"]))
