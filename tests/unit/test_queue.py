"""The queue as a table: its order, its moves, and what it refuses, against a plain list that says how it should be."""

from __future__ import annotations

import sqlite3
import threading

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from mova_studio.errors import InputError, OutputError
from mova_studio.jobs.queue import MAX_DEATHS, JobQueue
from mova_studio.jobs.states import JobState
from mova_studio.library.database import Database
from mova_studio.library.shot import Shot
from mova_studio.library.shots import ShotStore

SHOT = Shot(prompt="rain", width=48, height=32, num_frames=9, num_inference_steps=8)


@pytest.fixture
def queue(tmp_path):
    database = Database(tmp_path)
    yield JobQueue(database, ShotStore(database))
    database.close()


class Line(RuleBasedStateMachine):
    """Whatever is done to the queue, it runs in the order of a list to which the same was done."""

    jobs = Bundle("jobs")

    @initialize()
    def open(self):
        import tempfile
        from pathlib import Path

        self.folder = tempfile.TemporaryDirectory()
        self.database = Database(Path(self.folder.name))
        self.queue = JobQueue(self.database, ShotStore(self.database))
        self.line: list[str] = []
        self.paused: set[str] = set()

    @rule(target=jobs, front=st.booleans())
    def add(self, front):
        job = self.queue.add(SHOT, front=front).job_id
        self.line.insert(0 if front else len(self.line), job)
        return job

    @rule(job=jobs)
    def to_front(self, job):
        if job in self.line:
            self.queue.to_front(job)
            self.line.remove(job)
            self.line.insert(0, job)

    @rule(job=jobs, before=st.one_of(st.none(), jobs))
    def move(self, job, before):
        if job in self.line and before != job and (before is None or before in self.line):
            self.queue.move(job, before)
            self.line.remove(job)
            self.line.insert(len(self.line) if before is None else self.line.index(before), job)

    @rule(job=jobs)
    def pause_or_go_on(self, job):
        if job not in self.line:
            return
        if job in self.paused:
            self.queue.again(job)
            self.paused.discard(job)
        else:
            self.queue.become(job, JobState.PAUSED)
            self.paused.add(job)

    @rule(job=consumes(jobs))
    def cancel(self, job):
        if job in self.line:
            self.queue.become(job, JobState.CANCELLED)
            self.line.remove(job)
            self.paused.discard(job)

    @rule()
    def run_the_next(self):
        waiting = [job for job in self.line if job not in self.paused]
        found = self.queue.next_waiting()
        assert (None if found is None else found.job_id) == (waiting[0] if waiting else None)
        if found is not None:
            self.queue.become(found.job_id, JobState.RUNNING)
            self.queue.become(found.job_id, JobState.DONE)
            self.line.remove(found.job_id)

    @invariant()
    def same_order(self):
        if hasattr(self, "queue"):
            assert [job.job_id for job in self.queue.unfinished()] == self.line

    def teardown(self):
        if hasattr(self, "database"):
            self.database.close()
            self.folder.cleanup()


Line.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestLine = Line.TestCase


def test_halving_between_two_places_never_ends(queue):
    first, second, third = (queue.add(SHOT).job_id for _ in range(3))
    for _ in range(70):
        queue.move(third, second)
        queue.move(second, third)
    assert [job.job_id for job in queue.unfinished()] == [first, second, third]


def test_only_allowed_moves_are_made(queue):
    job = queue.add(SHOT).job_id
    with pytest.raises(InputError, match="waiting and cannot become waiting"):
        queue.again(job)
    queue.become(job, JobState.RUNNING)
    for change in (lambda: queue.to_front(job), lambda: queue.edit(job, SHOT, 1), lambda: queue.move(job, None)):
        with pytest.raises(InputError, match="is running; only waiting and paused"):
            change()
    queue.become(job, JobState.DONE)
    with pytest.raises(InputError, match="done and cannot become cancelled"):
        queue.become(job, JobState.CANCELLED)
    with pytest.raises(InputError, match="no job 'nothing'"):
        queue.get("nothing")


def test_deaths_without_progress_are_counted_and_progress_forgives(queue):
    job = queue.add(SHOT).job_id

    def die(saved_step: int) -> int:
        queue.become(job, JobState.RUNNING)
        queue.record(job, saved_step=saved_step)
        return queue.interrupted(job, {"message": "it died"}).deaths

    assert [die(0), die(0), die(2), die(2), die(3)] == [1, 2, 1, 2, 1]
    queue.become(job, JobState.RUNNING)
    assert queue.interrupted(job).deaths == 1
    assert [die(3), die(3)] == [2, MAX_DEATHS]
    assert queue.get(job).state is JobState.FAILED and queue.get(job).error == {"message": "it died"}


def test_an_interrupted_job_runs_next_from_where_it_was_saved(queue):
    running, waiting = queue.add(SHOT).job_id, queue.add(SHOT).job_id
    queue.become(running, JobState.RUNNING)
    queue.record(running, step=7, saved_step=5)
    queue.to_front(waiting)
    job = queue.interrupted(running)
    assert (job.step, job.saved_step, job.state) == (5, 5, JobState.WAITING)
    assert queue.next_waiting().job_id == running


def test_an_edited_job_starts_anew(queue):
    job = queue.add(SHOT, 5).job_id
    queue.become(job, JobState.RUNNING)
    queue.record(job, step=4, saved_step=4)
    queue.become(job, JobState.PAUSED)
    other = Shot(prompt="snow", width=48, height=32, num_frames=9, num_inference_steps=3)
    edited = queue.edit(job, other, None, ["cropped"])
    assert (edited.seed, edited.step, edited.saved_step, edited.steps) == (5, 0, 0, 3)
    assert queue.shot(edited) == other and edited.notes == ("cropped",)


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_impossible_seeds_are_refused_and_leave_nothing(queue, seed):
    with pytest.raises(InputError, match="must be from 0"):
        queue.add(SHOT, seed)
    assert queue.all() == []


def test_two_processes_add_at_once(tmp_path, queue):
    others = [Database(tmp_path) for _ in range(4)]

    def add(database: Database) -> None:
        mine = JobQueue(database, ShotStore(database))
        for _ in range(25):
            mine.add(SHOT)

    seen = queue._database.changed_by_others()
    threads = [threading.Thread(target=add, args=(database,)) for database in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(queue.unfinished()) == 100
    assert len({job.place for job in queue.unfinished()}) == 100
    assert queue._database.changed_by_others() != seen


def test_a_transaction_is_all_or_nothing_and_sees_itself(tmp_path, queue):
    database = queue._database
    with pytest.raises(ZeroDivisionError), database.writing():
        job = queue.add(SHOT)
        assert queue.get(job.job_id).state is JobState.WAITING
        assert len(queue.all()) == 1
        _ = 1 / 0
    assert queue.all() == []


def test_a_read_only_library_refuses_jobs_and_says_why(tmp_path, queue):
    queue.add(SHOT)
    reader = Database(tmp_path, writable=False)
    watching = JobQueue(reader, ShotStore(reader))
    assert len(watching.all()) == 1
    with pytest.raises(OutputError, match="open to read only"):
        watching.add(SHOT)
    queue.add(SHOT)
    assert len(watching.all()) == 2
    with pytest.raises(sqlite3.OperationalError):
        reader._reader.execute("DELETE FROM jobs")
    reader.close()


def test_a_held_queue_stays_held_after_a_restart(tmp_path, queue):
    assert not queue.held
    queue.hold(True)
    again = Database(tmp_path)
    assert JobQueue(again, ShotStore(again)).held
    again.close()
    queue.hold(False)
    assert not queue.held


def test_a_scout_that_has_stopped_is_not_in_line(queue):
    scout, plain = queue.add(SHOT, stop_step=2).job_id, queue.add(SHOT).job_id
    assert [job.job_id for job in queue.line()] == [scout, plain] and queue.length() == 2
    queue.become(scout, JobState.RUNNING)
    queue.record(scout, saved_step=1)
    queue.become(scout, JobState.PAUSED)
    assert [job.job_id for job in queue.line()] == [scout, plain], "paused by hand before it stopped"
    queue.record(scout, saved_step=2)
    assert [job.job_id for job in queue.line()] == [plain] and queue.length() == 1
    assert len(queue.unfinished()) == 2
    assert queue.again(scout).stop_step is None
    assert [job.job_id for job in queue.line()] == [scout, plain]
