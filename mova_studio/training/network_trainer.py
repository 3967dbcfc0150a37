"""The loop that trains the network: full, or adapters to it; in one process, or spread over several.

Every step is a function of the state, the recipe and the step's number: clips (`sampler`), times, noise and dropped
prompts (`noise`) all follow from (seed, step). So a run that is saved and taken up again, by whatever process, goes on
to the same bits on the same machine.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor
from torch.utils.tensorboard import SummaryWriter

from mova_studio.atomic import replacing
from mova_studio.errors import InputError, MemoryRanOut, OutputError, StudioError
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.placement.shortage import OUT_OF_MEMORY, what_ran_out
from mova_studio.training.batch import PROMPT_TOKENS, Example, collate
from mova_studio.training.curves import Curves
from mova_studio.training.joint_network import JointNetwork
from mova_studio.training.noise import draw_noise, expert_of
from mova_studio.training.recipe import Recipe
from mova_studio.training.run_state import RunFacts, facts_to_resume, read_facts, restore_state, save_state
from mova_studio.training.sampler import BucketSampler, kind_of
from mova_studio.training.trained import write_trained

log = logging.getLogger(__name__)
MakeSamples = Callable[[JointNetwork, int, SummaryWriter | None], None]


@dataclass(frozen=True)
class StepFigures:
    """What a step tells.

    Attributes:
        step: counted from 1.
        loss, video_loss, audio_loss: means over the step's clips.
        norm: of the gradient, before it was clipped.
        rate: the schedule's share of the learning rates, 0 to 1.
        seconds: that the step took.
    """

    step: int
    loss: float
    video_loss: float
    audio_loss: float
    norm: float
    rate: float
    seconds: float


class NetworkTrainer:
    """A run, begun or taken up again.

    Args:
        checkpoint: to begin with; never written to.
        recipe: see `Recipe`.
        examples: the clips, of 24 frames per second; each is read anew whenever it is used, so they may lie on disk.
        folder: of the run: state, log.jsonl, curves, and in the end what was trained.
        kinds: of every example, see `BucketSampler`; None reads them all to see their shapes.
        empty_prompt_embeds: [n, text_dim], the states of the empty prompt's tokens; needed with text dropout.
        resume: go on with the run in `folder`.

    Raises:
        InputError: the folder holds a run and `resume` is off, or none and it is on, or one of another recipe,
            checkpoint or number of processes; or the empty prompt is needed and absent.
        CheckpointError: from the checkpoint.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        recipe: Recipe,
        examples: Sequence[Example],
        folder: Path,
        *,
        kinds: Sequence[Hashable] | None = None,
        empty_prompt_embeds: torch.Tensor | None = None,
        resume: bool = False,
    ) -> None:
        if recipe.text_dropout and empty_prompt_embeds is None:
            raise InputError(
                f"text_dropout is {recipe.text_dropout}, but there are no embeddings of the empty prompt; "
                "give them, or set text_dropout to 0.",
                field="recipe",
            )
        self.checkpoint, self.recipe, self.examples, self.folder = checkpoint, recipe, examples, folder
        self.accelerator = Accelerator(cpu=not torch.accelerator.is_available())
        self.rank, self.processes = self.accelerator.process_index, self.accelerator.num_processes
        if recipe.mode == "adapter-low-resource" and self.processes > 1:
            raise InputError(
                f"There are {self.processes} processes, and a low-resource adapter is trained by one; start one, or "
                "take the mode adapter.",
                field="recipe",
            )
        self.step = self.saved_step = 0
        facts = facts_to_resume(folder, self._facts()) if resume else None
        if facts is None:
            self._begin()
        self.sampler = BucketSampler(
            [kind_of(each) for each in examples] if kinds is None else kinds,
            recipe.batch_size * self.processes,
            recipe.seed,
        )
        self.network = JointNetwork(checkpoint, recipe)
        self.device = self.accelerator.device
        mesh = init_device_mesh(self.device.type, (self.processes,)) if self.processes > 1 else None
        self.network.place(self.device, mesh)
        self.empty = None if empty_prompt_embeds is None else _padded(empty_prompt_embeds).to(self.device)
        self.learning = self.network.learning()
        self.optimizer = self._optimizer()
        self.schedule = recipe.schedule()
        self._whole = True
        if facts is not None:
            restore_state(folder, facts, self.learning, self.optimizer, rank=self.rank)
            self.step = self.saved_step = facts.step
        self.curves: Curves | None = None

    def run(
        self,
        *,
        on_step: Callable[[StepFigures], None] = lambda figures: None,
        sample: MakeSamples | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Train to the recipe's last step; whether it was reached. What was trained is written either way.

        Args:
            on_step: told of every step, in the first process alone.
            sample: given the network, the step and the curves' TensorBoard (None but in the first process), as
                often as the recipe says.
            stop: asked before every step; the state is saved first.

        Raises:
            MemoryRanOut, OutputError: naming the step that can be gone on from.
        """
        try:
            self.curves = Curves(self.folder, self.step) if self.rank == 0 else None
            done = self._steps(on_step, sample, stop)
            write_trained(self)
            return done
        except OutputError as error:
            raise OutputError(f"{error.message} {self._remedy()}", field=error.field) from error
        except OUT_OF_MEMORY as error:
            kind = what_ran_out(error)
            if kind is None:
                raise
            reason = str(error)
        finally:
            if self.curves is not None:
                self.curves.close()
        raise self._memory_ran_out(kind, reason)

    def save(self) -> None:
        """Write the state, see `run_state`."""
        save_state(
            self.folder,
            self._facts(),
            self.learning,
            self.optimizer,
            rank=self.rank,
            together=self.accelerator.wait_for_everyone,
        )
        self.saved_step = self.step

    def end(self) -> None:
        """Part from the other processes, once all have come here; the last thing that a process does with its run.

        One that ends without it takes its communication down with the interpreter, which now and then aborts it
        (pytorch issue 190489), and all others with it, even if one still writes what was trained.
        """
        self.accelerator.wait_for_everyone()
        self.accelerator.end_training()

    def _steps(
        self,
        on_step: Callable[[StepFigures], None],
        sample: MakeSamples | None,
        stop: Callable[[], bool],
    ) -> bool:
        saved = time.monotonic()
        while self.step < self.recipe.steps:
            if self._anyone(stop()):
                self.save()
                return False
            figures = self._advance()
            if self.curves is not None:
                told = {name: value for name, value in figures.__dict__.items() if name != "step"}
                self.curves.add(self.step, told)
                on_step(figures)
            if sample is not None and self.recipe.sample_every and self.step % self.recipe.sample_every == 0:
                sample(self.network, self.step, None if self.curves is None else self.curves.board)
            if self._anyone(time.monotonic() - saved > self.recipe.save_seconds) or self.step == self.recipe.steps:
                self.save()
                saved = time.monotonic()
        return True

    def _advance(self) -> StepFigures:
        """One step of the optimiser."""
        begun, recipe = time.monotonic(), self.recipe
        rate = self.schedule.rate(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = group["highest"] * rate
        self.optimizer.zero_grad(set_to_none=True)
        losses = torch.zeros(3, device=self.device)
        for part in range(recipe.accumulation):
            loss = self._backward(part)
            losses += torch.stack([each.detach() for each in loss]) / recipe.accumulation
        norm = nn.utils.clip_grad_norm_(list(self.learning.values()), recipe.clip_norm)
        norm = norm.full_tensor() if isinstance(norm, DTensor) else norm
        self._whole = False
        self.optimizer.step()
        self.step += 1
        self._whole = True
        total, video, audio = self.accelerator.reduce(losses, "mean").tolist()
        return StepFigures(self.step, total, video, audio, norm.item(), rate, time.monotonic() - begun)

    def _backward(self, part: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The losses of one piece of the step, whose gradients are added."""
        recipe, size = self.recipe, self.recipe.batch_size
        places = self.sampler.batch(self.step * recipe.accumulation + part)
        mine = places[self.rank * size : (self.rank + 1) * size]
        batch = collate([self.examples[place] for place in mine]).to(self.device)
        noise = draw_noise(
            batch,
            seed=recipe.seed,
            step=self.step,
            boundary_ratio=self.network.boundary_ratio,
            video_shift=recipe.video_shift,
            audio_shift=recipe.audio_shift,
            text_dropout=recipe.text_dropout,
            first=(part * self.processes + self.rank) * size,
        )
        loss = self.network(batch, noise, expert_of(self.step), recipe.audio_weight, self.empty)
        self.accelerator.backward(loss.total / recipe.accumulation)
        return loss

    def _optimizer(self) -> torch.optim.Optimizer:
        rates, recipe = self.recipe.learning_rates.model_dump(), self.recipe
        groups: dict[str, list[nn.Parameter]] = {}
        for name, parameter in self.learning.items():
            groups.setdefault(name.partition(".")[0], []).append(parameter)
        return self._kind_of_adamw()(
            [{"params": each, "highest": rates[component]} for component, each in groups.items()],
            lr=0.0,
            betas=(recipe.betas[0], recipe.betas[1]),
            weight_decay=recipe.weight_decay,
            eps=recipe.eps,
        )

    def _kind_of_adamw(self) -> Callable[..., torch.optim.Optimizer]:
        """With moments in 8 bits where the recipe saves memory and there is a GPU to do it."""
        if self.recipe.mode == "adapter-low-resource" and self.device.type == "cuda":
            from bitsandbytes.optim import AdamW8bit

            return AdamW8bit
        if self.recipe.mode == "adapter-low-resource":
            log.info("The optimiser keeps its moments in float32: the one in 8 bits needs a GPU.")
        return torch.optim.AdamW

    def _begin(self) -> None:
        if read_facts(self.folder) is not None:
            raise InputError(
                f"{self.folder} holds a run already; go on with it (--resume), or choose another folder.", field="out"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.rank == 0:
            with replacing(self.folder / "recipe.json") as beside:
                beside.write_text(self.recipe.model_dump_json(indent=2) + "\n", "utf-8")

    def _facts(self) -> RunFacts:
        """Of the run as it stands."""
        return RunFacts(self.step, self.processes, self.checkpoint.identity(), self.recipe.model_dump())

    def _anyone(self, wish: bool) -> bool:
        """Whether any process wishes it: all must save and end together."""
        if self.processes == 1:
            return wish
        return bool(self.accelerator.reduce(torch.tensor(float(wish), device=self.device), "sum") > 0)

    def _memory_ran_out(self, kind: str, reason: str) -> MemoryRanOut:
        self.optimizer.zero_grad(set_to_none=True)
        if self._whole and self.processes == 1:
            try:
                self.save()
            except (StudioError, *OUT_OF_MEMORY):
                pass  # what was saved before still is
        return MemoryRanOut(
            f"{kind} ran out in step {self.step + 1} ({reason[:200]}). Lower batch_size, switch gradient_checkpointing "
            f"on, or train a low-resource adapter. {self._remedy()}"
        )

    def _remedy(self) -> str:
        if not self.saved_step:
            return "Nothing was saved yet."
        return f"The run can go on from step {self.saved_step} with --resume."


def _padded(embeds: torch.Tensor) -> torch.Tensor:
    """[n, text_dim] -> [512, text_dim], zeros behind the last token."""
    return nn.functional.pad(embeds, (0, 0, 0, PROMPT_TOKENS - len(embeds)))
