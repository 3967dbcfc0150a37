"""What a person does to the queue: move, pause, go on, cancel, duplicate. Who may is decided here, on the server."""

from __future__ import annotations

from mova_studio.errors import AccessDenied, InputError
from mova_studio.ui.desk import LINE_SHOWN, Desk, PageState

WHOLE = ("hold", "go", "cancel_all")


def act(desk: Desk, page: PageState, name: str, job_id: str, value: str = "") -> None:
    """Do one thing to one job, or to the whole queue. Slow where a disk is: call it in a thread.

    Args:
        name: "show", "cancel", "pause", "resume", "retry", "front", "up", "down", "move", "duplicate", "more", or one
            of `WHOLE`, which are the owner's.
        value: of "move": "before ID" or "after ID".

    Raises:
        InputError: the job is not this page's, or cannot do that from where it is.
        AccessDenied: a guest asks for what is the owner's.
        OutputError: the library cannot be written.
    """
    studio = desk.studio
    if name == "more":
        page.line_shown += 10 * LINE_SHOWN
    elif name in WHOLE:
        if not page.owner:
            raise AccessDenied("Only the owner of this studio may do that; guests make and download takes.")
        if name == "cancel_all":
            studio.cancel_all()
        else:
            studio.hold(name == "hold")
    else:
        desk.require(page, job_id)
        _to_job(desk, page, name, job_id, value)
    desk.changed()


def _to_job(desk: Desk, page: PageState, name: str, job_id: str, value: str) -> None:
    studio = desk.studio
    if name == "show":
        page.pinned = job_id
    elif name == "cancel":
        studio.cancel(job_id)
    elif name == "pause":
        studio.pause(job_id)
        page.pinned = job_id
    elif name in ("resume", "retry"):
        studio.resume(job_id)
    elif name == "duplicate":
        page.add_jobs([studio.duplicate(job_id)])
    elif name == "front" and page.owner:
        studio.queue.to_front(job_id)
    elif name in ("front", "up", "down", "move"):
        _move(desk, page, name, job_id, value)


def _move(desk: Desk, page: PageState, name: str, job_id: str, value: str) -> None:
    """Among the jobs that this page may act on; a guest's never pass those of others by more than their own did."""
    order = desk.movable(page)
    if job_id not in order:
        raise InputError(f"Job {job_id} runs or has ended; only waiting and paused jobs can be moved.", field="job")
    place = order.index(job_id)
    others = [other for other in order if other != job_id]
    where, _, beside = value.partition(" ")
    if name == "front":
        target = 0
    elif name == "up":
        target = max(0, place - 1)
    elif name == "down":
        target = place + 1
    elif beside in others:
        target = others.index(beside) + (where == "after")
    else:
        return
    if target == place:
        return
    if target < len(others):
        desk.studio.queue.move(job_id, others[target])
    elif page.owner:
        desk.studio.queue.move(job_id, None)
    elif others:
        # Behind the last of one's own: swap the two.
        desk.studio.queue.move(job_id, others[-1])
        desk.studio.queue.move(others[-1], job_id)
