"""What control groups leave to this process, in RAM and in processor time: the limits of containers,
batch systems and systemd slices. Windows and macOS have none.

The files are those of the Linux kernel's documentation, "Control Group v2" and "Memory Resource
Controller" (v1).
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import psutil

V1_ROOTS = {"memory": ("memory",), "cpu": ("cpu", "cpu,cpuacct", "cpuacct,cpu")}
V2_ROOTS = ("", "unified")


@dataclass(frozen=True)
class Ram:
    """Bytes of RAM that this process may have in all, and those still free to it."""

    total: int
    free: int


def ram(root: Path = Path("/")) -> Ram:
    """RAM of this process: the least of what the system has and what each control group above it allows.

    Page cache that a group holds counts as free, since the kernel drops it on demand. `memory.high`
    slows a process down and kills none, so it is no limit here.

    Args:
        root: where `proc` and `sys` lie.
    """
    system = psutil.virtual_memory()
    total, free = system.total, system.available
    for limit, used in _memory_limits(root):
        total = min(total, limit)
        free = min(free, limit - used)
    return Ram(total, max(0, min(free, total)))


def cores(root: Path = Path("/")) -> int:
    """Processor cores that this process may use: its affinity, cut to the least quota above it; a part of
    a core counts as one.

    Args:
        root: where `proc` and `sys` lie.
    """
    try:
        count = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # no such call on Windows and macOS
        count = os.cpu_count() or 1
    return max(1, min([count, *(math.ceil(quota) for quota in _core_quotas(root))]))


def _memory_limits(root: Path) -> Iterator[tuple[int, int]]:
    """(limit, bytes in use that can't be reclaimed) of every group above this process that has a limit."""
    for group in _groups(root, "memory", V1_ROOTS["memory"]):
        limit = _number(group / "memory.limit_in_bytes")
        if limit is not None:
            yield limit, _used(group, "memory.usage_in_bytes", "total_")
    for group in _groups(root, "", V2_ROOTS):
        limit = _number(group / "memory.max")
        if limit is not None:
            yield limit, _used(group, "memory.current", "")


def _used(group: Path, usage: str, prefix: str) -> int:
    """`prefix`: in v1 the plain lines of memory.stat leave out the groups below, in v2 they do not."""
    cache = 0
    for line in _text(group / "memory.stat").splitlines():
        name, _, value = line.partition(" ")
        if name in (f"{prefix}inactive_file", f"{prefix}active_file"):
            cache += _parsed(value) or 0
    return max(0, (_number(group / usage) or 0) - cache)


def _core_quotas(root: Path) -> Iterator[float]:
    for group in _groups(root, "cpu", V1_ROOTS["cpu"]):
        quota, period = _number(group / "cpu.cfs_quota_us"), _number(group / "cpu.cfs_period_us")
        if quota and period:
            yield quota / period
    for group in _groups(root, "", V2_ROOTS):
        quota, period = (_parsed(word) for word in (*_text(group / "cpu.max").split(), "", "")[:2])
        if quota and period:
            yield quota / period


def _groups(root: Path, controller: str, mounts: tuple[str, ...]) -> Iterator[Path]:
    """The folders of this process's group and of all above it that are to be seen here.

    A container often sees its own group as the top of the mount while the name in `proc` is the one
    outside: the folders that are not there are passed over, and the top is always read.

    Args:
        controller: of v1, or "" for v2's single tree.
        mounts: folders of `sys/fs/cgroup` where the tree may be.
    """
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller not in controllers.split(","):
            continue
        inside = [part for part in PurePosixPath(path).parts if part not in ("/", "..")]
        for mount in mounts:
            top = root / "sys/fs/cgroup" / mount
            for depth in range(len(inside), -1, -1):
                yield top.joinpath(*inside[:depth])


def _number(file: Path) -> int | None:
    return _parsed(_text(file))


def _parsed(text: str) -> int | None:
    """A count; None for "max", -1, nothing, or anything else that is no count."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 20 else None


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", errors="replace")
    except (OSError, ValueError):  # absent, not ours to read, or a name that can't be one
        return ""
