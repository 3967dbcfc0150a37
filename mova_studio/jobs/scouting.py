"""Scouting: many takes in a grid, each run for its first steps only, then judged, dropped or finished."""

from __future__ import annotations

import dataclasses
import json
import math
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from mova_studio.errors import InputError
from mova_studio.jobs.job import Cell, Job
from mova_studio.jobs.queue import JobQueue
from mova_studio.library.database import Database
from mova_studio.library.shot import SEED_LIMIT, Shot

SHARE = 0.25
MAX_CELLS = 64
# What a grid can vary: fields of a shot that are one value each, and the seed.
SETTINGS = (
    "seed",
    "prompt",
    "negative_prompt",
    "guidance_scale",
    "bridge_guidance_scale",
    "video_shift",
    "audio_shift",
    "num_inference_steps",
    "step_cache",
    "guidance_start",
    "guidance_stop",
    "frame_rate",
)


@dataclass(frozen=True)
class Axis:
    """One direction of a grid.

    Attributes:
        setting: one of `SETTINGS`.
        values: what it is in each column or row.

    Raises:
        InputError: the setting cannot be varied, or there is no value, or one twice.
    """

    setting: str
    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if self.setting not in SETTINGS:
            raise InputError(f"{self.setting!r} cannot be varied; choose from {', '.join(SETTINGS)}.", field="axis")
        if not self.values or len(set(self.values)) < len(self.values):
            raise InputError(f"The values of {self.setting} are {list(self.values)}; give each one once.", field="axis")


@dataclass(frozen=True)
class Scout:
    """A grid.

    Attributes:
        scout_id: its name.
        asked_by: name of the login, "" without logins.
        created: UTC in ISO 8601.
        share: of its steps that each cell runs before it is judged.
        axes: one or two; the first runs along the columns.
    """

    scout_id: str
    asked_by: str
    created: str
    share: float
    axes: tuple[Axis, ...]


class Scouts:
    """The grids of a library.

    Args:
        database: of the library.
        queue: of the same.
    """

    def __init__(self, database: Database, queue: JobQueue) -> None:
        self._database, self._queue = database, queue

    def add(
        self,
        shot: Shot,
        axes: Sequence[Axis],
        seed: int | None = None,
        *,
        share: float = SHARE,
        asked_by: str = "",
        notes: Iterable[str] = (),
    ) -> Scout:
        """Queue a grid, all of it or nothing.

        Args:
            axes: one or two, of different settings.
            seed: of all cells, where no axis varies it; None draws one.
            share: of its steps that each cell runs, above 0; 1 finishes them all.

        Raises:
            InputError: no or more than two axes, the same setting twice, more than 64 cells, a share or a value out of
                range; nothing is queued then.
        """
        shots = _cells(shot, axes)
        if not 0 < share <= 1:
            raise InputError(f"The share of steps is {share:g}, but must be above 0 and at most 1.", field="share")
        seed = secrets.randbelow(2**31) if seed is None else seed
        scout = Scout(secrets.token_hex(8), asked_by, _now(), share, tuple(axes))
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO scouts VALUES (?, ?, ?, ?, ?)",
                (
                    scout.scout_id,
                    asked_by,
                    scout.created,
                    share,
                    json.dumps([dataclasses.asdict(axis) for axis in axes]),
                ),
            )
            for x, y, made, own_seed in shots:
                steps = made.num_inference_steps
                stop = max(1, math.ceil(share * steps))
                self._queue.add(
                    made,
                    seed if own_seed is None else own_seed,
                    asked_by=asked_by,
                    notes=notes,
                    stop_step=stop if stop < steps else None,
                    cell=Cell(scout.scout_id, x, y),
                )
        return scout

    def get(self, scout_id: str) -> Scout:
        """The grid of an id.

        Raises:
            InputError: there is none.
        """
        rows = self._database.read("SELECT * FROM scouts WHERE scout = ?", (scout_id,))
        if not rows:
            raise InputError(f"There is no scout {scout_id[:40]!r} in this library.", field="scout")
        return _scout(rows[0])

    def newest(self, limit: int = 20) -> list[Scout]:
        """The latest grids, newest first."""
        rows = self._database.read("SELECT * FROM scouts ORDER BY created DESC, rowid DESC LIMIT ?", (limit,))
        return [_scout(row) for row in rows]

    def jobs(self, scout_id: str) -> list[Job]:
        """The cells, row by row."""
        return self._queue.of_scout(scout_id)


def seeds_axis(count: int, first: int | None = None) -> Axis:
    """An axis of `count` different seeds, the first of them given or drawn.

    Raises:
        InputError: there are none, or more than a grid holds.
    """
    if not 1 <= count <= MAX_CELLS:
        raise InputError(f"{count} seeds cannot be scouted at once; give 1 to {MAX_CELLS}.", field="count")
    seeds = [] if first is None else [first]
    while len(seeds) < count:
        drawn = secrets.randbelow(2**31)
        if drawn not in seeds:
            seeds.append(drawn)
    return Axis("seed", tuple(seeds))


def _cells(shot: Shot, axes: Sequence[Axis]) -> list[tuple[int, int, Shot, int | None]]:
    if not 1 <= len(axes) <= 2 or len({axis.setting for axis in axes}) < len(axes):
        raise InputError("A grid has one or two axes, each of another setting.", field="axis")
    count = math.prod(len(axis.values) for axis in axes)
    if count > MAX_CELLS:
        raise InputError(f"The grid has {count} cells and at most {MAX_CELLS} are taken; vary less.", field="axis")
    columns, rows = axes[0], axes[1] if len(axes) > 1 else None
    cells = []
    for y, row_value in enumerate(rows.values if rows is not None else (None,)):
        for x, value in enumerate(columns.values):
            changes = {columns.setting: value}
            if rows is not None:
                changes[rows.setting] = row_value
            seed = changes.pop("seed", None)
            if seed is not None and not (isinstance(seed, int) and 0 <= seed < SEED_LIMIT):
                raise InputError(f"The seed is {seed!r}, but must be from 0 to {SEED_LIMIT - 1}.", field="seed")
            cells.append((x, y, Shot.from_dict(shot.to_dict() | changes), seed))
    return cells


def _scout(row: Any) -> Scout:
    axes = tuple(Axis(axis["setting"], tuple(axis["values"])) for axis in json.loads(row["axes"]))
    return Scout(row["scout"], row["asked_by"], row["created"], row["share"], axes)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
