"""Jobs through the real worker process: order, cancelling, a worker that dies, takes on disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from mova_studio.errors import InputError
from mova_studio.jobs.snapshot import JobSnapshot
from mova_studio.jobs.states import JobState
from mova_studio.jobs.studio import Studio
from mova_studio.library.shot import Shot
from mova_studio.media.probe import probe

QUICK = Shot(prompt="rain", width=48, height=32, num_frames=9, num_inference_steps=2)
ENDLESS = Shot(prompt="rain", width=48, height=32, num_frames=9, num_inference_steps=1000)
DEADLINE_SECONDS = 120


@pytest.fixture
def studio(tmp_path):
    opened = Studio(tmp_path / "library")
    yield opened
    opened.close()


def until(studio: Studio, job_id: str, ready: Callable[[JobSnapshot], bool]) -> JobSnapshot:
    """Poll the job as the page does, until `ready`."""
    tick, deadline = threading.Event(), time.monotonic() + DEADLINE_SECONDS
    while not ready(snapshot := studio.snapshot(job_id)):
        assert time.monotonic() < deadline, snapshot
        tick.wait(0.02)
    return snapshot


def ended(snapshot: JobSnapshot) -> bool:
    return snapshot.state.ended


def test_jobs_run_in_order_and_leave_takes(studio):
    first, second = studio.submit(QUICK, 3), studio.submit(QUICK)
    assert studio.snapshot(second).ahead == 1
    done = until(studio, second, ended)
    assert done.state is JobState.DONE
    assert studio.snapshot(first).state is JobState.DONE
    takes = studio.takes()
    assert {take.path for take in takes} == {studio.snapshot(job).take.path for job in (first, second)}
    assert studio.snapshot(first).take.seed == 3
    assert done.take.seed == done.seed
    assert probe(takes[0].path).num_frames == 9
    assert takes[0].path.parent.name == f"{datetime.now().astimezone():%Y-%m-%d}"
    assert [kept.path for kept in Studio(studio.root).takes()] == [take.path for take in takes]


def test_progress_previews_and_notes_arrive(studio):
    job = studio.submit(ENDLESS)
    seen = until(studio, job, lambda snapshot: snapshot.preview_step >= 3)
    assert (seen.stage, seen.steps, seen.expert) == ("denoise", 1000, "high")
    assert seen.preview[4:8] == b"ftyp"
    assert 0 < seen.fraction < 1 and seen.seconds_left > 0
    assert any("noise on purpose" in note for note in seen.notes)
    studio.cancel(job)
    assert until(studio, job, ended).state is JobState.CANCELLED
    assert studio.takes() == []
    assert list(studio.root.rglob("*.mp4")) == []


def test_cancelling_touches_no_other_job(studio):
    running, waiting, last = studio.submit(ENDLESS), studio.submit(ENDLESS), studio.submit(QUICK)
    studio.cancel(waiting)
    assert studio.snapshot(waiting).state is JobState.CANCELLED
    until(studio, running, lambda snapshot: snapshot.step >= 1)
    assert studio.snapshot(last).state is JobState.WAITING
    studio.cancel(running)
    assert until(studio, last, ended).state is JobState.DONE
    assert studio.snapshot(running).state is JobState.CANCELLED


def test_a_frozen_worker_is_cancelled_all_the_same(studio):
    job = studio.submit(ENDLESS)
    until(studio, job, lambda snapshot: snapshot.step >= 1)
    os.kill(studio._dispatcher._worker.pid, signal.SIGSTOP)
    studio.cancel(job)
    assert until(studio, job, ended).state is JobState.CANCELLED


def test_a_failing_job_says_why_and_the_next_one_runs(studio, tmp_path):
    bad = studio.submit(Shot(prompt="rain", model=str(tmp_path / "none"), width=48, height=32, num_frames=9))
    good = studio.submit(QUICK)
    failed = until(studio, bad, ended)
    assert failed.state is JobState.FAILED
    assert str(tmp_path / "none") in failed.error["message"]
    assert until(studio, good, ended).state is JobState.DONE


def test_the_worker_ends_with_its_studio(tmp_path):
    script = (
        "import sys; from pathlib import Path\n"
        "from mova_studio.jobs.studio import Studio; from mova_studio.library.shot import Shot\n"
        "studio = Studio(Path(sys.argv[1])); studio.submit(Shot(prompt='rain', num_inference_steps=1000))\n"
        "while studio._dispatcher._worker is None: pass\n"
        "print(studio._dispatcher._worker.pid, flush=True); import os; os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE, text=True)
    worker, tick, deadline = int(done.stdout), threading.Event(), time.monotonic() + 20
    while Path(f"/proc/{worker}").exists() and Path(f"/proc/{worker}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < deadline
        tick.wait(0.05)


def test_unusable_seeds_are_refused(studio):
    with pytest.raises(InputError, match="-5"):
        studio.submit(QUICK, -5)


def test_the_page_process_never_imports_torch(tmp_path):
    script = (
        "import sys; from pathlib import Path\n"
        "from mova_studio.jobs.studio import Studio; Studio(Path(sys.argv[1])).takes()\n"
        "print(sorted({'torch', 'diffusers', 'transformers'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_limits_reach_the_worker_and_the_plan_comes_back(tmp_path, monkeypatch):
    monkeypatch.setenv("MOVA_STUDIO_CACHE", str(tmp_path / "cache"))
    studio = Studio(tmp_path / "library")
    try:
        assert studio.limits == {} and studio.last_run is None
        with pytest.raises(InputError, match="cannot be pinned"):
            studio.set_limits({"pins": {"colour": "red"}})
        assert studio.limits == {}
        studio.set_limits({"pins": {"offload": "group", "resident_blocks": 1}})
        assert Studio(tmp_path / "other").limits["pins"] == {"offload": "group", "resident_blocks": 1}
        done = until(studio, studio.submit(QUICK, 3), ended)
        assert done.plan["name"] == "fp32 group 1/4"
        assert {"text", "frames", "denoise", "decode"} <= set(done.memory)
        assert all(peak["ram_gb"] > 0.1 for peak in done.memory.values())
        assert studio.last_run.take == done.take
    finally:
        studio.close()


def test_unloading_gives_the_memory_back_and_the_next_job_runs(studio):
    until(studio, studio.submit(QUICK), ended)
    assert studio.worker_memory() > 10**8
    studio.unload()
    assert studio.worker_memory() == 0
    job = studio.submit(ENDLESS)
    until(studio, job, lambda snapshot: snapshot.state is JobState.RUNNING)
    with pytest.raises(InputError, match="cancel it or let it finish"):
        studio.unload()
    studio.cancel(job)
    assert until(studio, job, ended).state is JobState.CANCELLED
    assert until(studio, studio.submit(QUICK), ended).state is JobState.DONE
