"""The page's functions for programs that are about training; all are the owner's and refused to guests."""

# Without postponed annotations: Gradio reads the parts of a return type from the type itself.
import asyncio
from collections.abc import Callable
from typing import Any

import gradio as gr

from mova_studio.errors import StudioError
from mova_studio.jobs.studio import Studio
from mova_studio.jobs.training_order import TrainingOrder
from mova_studio.jobs.training_snapshot import TrainingSnapshot
from mova_studio.ui.access import Access


class TrainApi:
    """The named endpoints."""

    def __init__(self, studio: Studio, access: Access) -> None:
        self.studio, self.access = studio, access

    def register(self) -> None:
        """Add the endpoints to the Blocks under construction."""
        for name in ("training_list", "training_start", "training_stop", "training_resume"):
            gr.api(self.access.owner_only(getattr(self, name)), api_name=name)

    async def training_list(self, request: gr.Request) -> list[dict]:
        """Owner only. Every training run, the newest first.

        Returns:
            A list with the id, name, recipe, model and folder of each, its stage (waiting, encoding, training, stopped,
            failed or done), step, steps, saved_step, seconds_left, what it trained so far, and its error, or null.
        """
        return await self._answer(lambda: [_told(run) for run in self.studio.trainings.all()])

    async def training_start(
        self,
        clips: str,
        request: gr.Request,
        recipe: str = "adapter",
        name: str = "",
        kinds: str = "",
        steps: int | None = None,
        batch_size: int | None = None,
        rank: int | None = None,
        learning_rate: float | None = None,
        sample_every: int | None = None,
    ) -> dict:
        """Owner only. Begin to train the checkpoint in use, or an adapter to it; takes wait until it has ended.

        Args:
            clips: a whole path on the server: encoded clips, or films that are encoded first.
            recipe: a shipped one.
            name: what the run is called.
            kinds: of raw clips, such as "640x352x193", with spaces between.
            steps, batch_size, rank, learning_rate, sample_every: instead of the recipe's.

        Returns:
            As one of `training_list`.
        """
        numbers = (steps, batch_size, rank, learning_rate, sample_every)
        order = TrainingOrder(str(clips), str(recipe), str(name), str(kinds), *numbers)
        trainings, model = self.studio.trainings, self.studio.model
        return await self._answer(lambda: _told(trainings.snapshot(trainings.start(order, model))))

    async def training_stop(self, run: str, request: gr.Request) -> dict:
        """Owner only. Ask a run to save itself and end.

        Args:
            run: the id.

        Returns:
            As one of `training_list`; it may still be at work.
        """

        def stop() -> dict:
            self.studio.trainings.stop(str(run))
            return _told(self.studio.trainings.snapshot(str(run)))

        return await self._answer(stop)

    async def training_resume(self, run: str, request: gr.Request) -> dict:
        """Owner only. Let a run go on from its last save.

        Args:
            run: the id.

        Returns:
            As one of `training_list`.
        """

        def resume() -> dict:
            self.studio.trainings.resume(str(run))
            return _told(self.studio.trainings.snapshot(str(run)))

        return await self._answer(resume)

    async def _answer(self, work: Callable[[], Any]) -> Any:
        try:
            return await asyncio.to_thread(work)
        except StudioError as error:
            raise gr.Error(error.message, print_exception=False) from error


def _told(run: TrainingSnapshot) -> dict[str, Any]:
    return {
        "id": run.run_id,
        "name": run.asked.name,
        "recipe": run.asked.recipe,
        "model": run.asked.model,
        "folder": str(run.folder),
        "stage": run.stage.value,
        "step": run.step,
        "steps": run.asked.steps,
        "saved_step": run.saved_step,
        "seconds_left": run.seconds_left,
        "trained": None if run.trained is None else str(run.trained),
        "error": run.error or None,
    }
