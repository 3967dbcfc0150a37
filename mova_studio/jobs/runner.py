"""From a shot and a seed to a take on disk: the one path that the page, the queue and the command line share."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import mova_studio
from mova_studio.errors import OutputError
from mova_studio.jobs.engine import Engine
from mova_studio.jobs.placed import Placed
from mova_studio.jobs.run import Paused, Report, Run
from mova_studio.jobs.saved_run import Saver
from mova_studio.jobs.work import Work
from mova_studio.library.provenance import describe_take
from mova_studio.library.shot import Shot
from mova_studio.library.take import Take
from mova_studio.media.measures import measure_streams
from mova_studio.media.mp4 import WrittenMedia, write_mp4
from mova_studio.placement.request import Limits
from mova_studio.placement.shortage import OUT_OF_MEMORY, what_ran_out
from mova_studio.settings import cache_dir

log = logging.getLogger(__name__)


def make_take(
    engine: Engine,
    shot: Shot,
    seed: int,
    path: Path,
    report: Report,
    cancelled: Callable[[], bool] = lambda: False,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    *,
    pausing: Callable[[], bool] = lambda: False,
    saver: Saver | None = None,
    stop_step: int | None = None,
    take_id: str | None = None,
) -> Take:
    """Make one take and write it to `path`.

    When memory runs out all the same, the run goes on where it was under the next plan that fits. A run that
    was saved goes on from there, to the same bits.

    Args:
        limits: what the person allows the plan.
        pausing: asked often; True ends the run with `Paused`.
        saver: keeps the run on disk between steps; None keeps nothing.
        stop_step: pause after so many steps; None runs to the end.
        take_id: the take's name in its library, for its record.

    Raises:
        Paused: as asked; with a `saver` the run is on disk.
        StudioError: cancelled, out of memory under every plan, the checkpoint cannot be loaded or the file not
            written; whatever was at `path` before is untouched.
    """
    run = Run(engine, shot, seed, report, cancelled, pausing, stop_step)
    placed = Placed(run, limits)
    work = Work(run, placed, saver)
    placed.choose(work.before)
    while not work.done:
        ran_out: str | None = None
        try:
            work.advance()
        except Paused:
            work.keep()
            raise
        except OUT_OF_MEMORY as error:
            ran_out = what_ran_out(error)
            if ran_out is None:
                raise
            log.warning("%s ran out: %s", ran_out, error)
        if ran_out is not None:
            # Only here has the error let go of the tensors that it kept alive.
            work.step_aside()
            placed.fall_back(ran_out)
    return _write(run, work, placed, path, take_id)


def _write(run: Run, work: Work, placed: Placed, path: Path, take_id: str | None) -> Take:
    engine, shot = run.engine, run.shot
    created = datetime.now(timezone.utc).isoformat(timespec="seconds")
    frames, audio = work.frames, work.audio
    assert frames is not None and audio is not None, "decoding comes first"
    with run.stage("write"):
        measures = measure_streams(frames, shot.frame_rate, audio, work.sampling_rate)
        provenance = describe_take(
            shot,
            run.seed,
            checkpoint=engine.identity,
            untrained=engine.checkpoint.untrained,
            plan=placed.record(work.reused_steps),
            seconds=run.seconds,
            program=mova_studio.__version__,
            created=created,
            notes=tuple(run.notes),
            take_id=take_id,
            measures=measures,
        )
        title = "Untrained demo: noise" if engine.checkpoint.untrained else ""

        def write(target: Path) -> WrittenMedia:
            return write_mp4(
                target,
                frames,
                frame_rate=shot.frame_rate,
                audio=audio,
                sample_rate=work.sampling_rate,
                target_lufs=shot.target_lufs,
                provenance=provenance,
                title=title,
                cancelled=run.cancelled,
            )

        try:
            written = write(path)
        except OutputError as error:
            raise _rescued(error, write, path) from error
    engine.planning.history.save()
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
        measures=measures,
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
