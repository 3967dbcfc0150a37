"""`python -m mova_studio takes ...`: the library without the page, also while a page has it open."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mova_studio.errors import InputError
from mova_studio.library.database import Database
from mova_studio.library.kept import KeptTake
from mova_studio.library.naming import PLACEHOLDERS
from mova_studio.library.query import SORTS, Query
from mova_studio.library.shots import ShotStore
from mova_studio.library.store import MAX_PAGE, TakeStore

Answer = dict[str, Any]
_PROMPT_SHOWN = 60


def add_takes_commands(commands: Any, add: Callable) -> None:
    """`takes list | rebuild | trash | restore | star | template`."""
    takes = commands.add_parser("takes", help="takes of a library: list, rate, throw away, find again")
    verbs = takes.add_subparsers(title="commands", required=True, metavar="COMMAND")
    parser = add(verbs, "list", "takes, the newest first", _list, _tell_list)
    parser.add_argument("--search", default="", metavar="TEXT", help="words in the prompt, in a tag or of the seed")
    parser.add_argument("--sort", default="newest", metavar="|".join(SORTS), help="(newest)")
    parser.add_argument("--limit", type=int, default=100, metavar="N", help=f"1 to {MAX_PAGE} (100)")
    parser.add_argument("--trashed", action="store_true", help="those in the trash")
    parsers = [parser, add(verbs, "rebuild", "bring the library to what its files say", _rebuild, _tell_rebuild)]
    parsers[-1].add_argument("--no-measure", action="store_true", help="leave takes unmeasured that are new to it")
    for verb, help_text, run in (
        ("trash", "move takes to the library's trash", _trash),
        ("restore", "move takes back from the trash", _restore),
    ):
        parsers.append(add(verbs, verb, help_text, run, _tell_changed))
        parsers[-1].add_argument("takes", nargs="+", metavar="TAKE", help="an id, or the path of its mp4")
    parsers.append(add(verbs, "star", "rate a take", _star, _tell_changed))
    parsers[-1].add_argument("takes", nargs=1, metavar="TAKE", help="an id, or the path of its mp4")
    parsers[-1].add_argument("stars", nargs="?", type=int, default=5, metavar="STARS", help="0 to 5 (5)")
    parsers.append(add(verbs, "template", "how files of new takes are named", _template, _tell_template))
    parsers[-1].add_argument("template", nargs="?", metavar="TEMPLATE", help="such as {date}/{prompt}-{seed}")
    for each in parsers:
        each.add_argument("--library", type=Path, default=Path("library"), metavar="DIR", help="(library)")


def take_answer(kept: KeptTake) -> Answer:
    """A take for JSON; the path is absolute, levels are LUFS and dBTP, the offset is in milliseconds."""
    take, measures = kept.take, kept.take.measures
    return {
        "take": kept.take_id,
        "path": str(take.path),
        "seed": take.seed,
        "prompt": take.shot.prompt,
        "stars": kept.stars,
        "tags": list(kept.tags),
        "created": take.created,
        "size": f"{take.width}x{take.height}",
        "num_frames": take.num_frames,
        "frame_rate": take.frame_rate,
        "loudness": {"integrated_lufs": take.integrated_lufs, "true_peak_dbtp": take.true_peak_dbtp},
        "sync": {
            "av_align": None if measures is None else measures.av_align,
            "offset_ms": None if measures is None else measures.offset_ms,
        },
        "flaws": None if measures is None else list(measures.flaws),
        "model": take.shot.model,
        "untrained": take.untrained,
        "missing": kept.missing,
        "trashed": kept.trashed,
    }


@contextmanager
def _opened(options: argparse.Namespace, *, writable: bool) -> Iterator[TakeStore]:
    root = options.library.expanduser().resolve()
    if not root.is_dir():
        raise InputError(f"The library {root} does not exist; give its folder with --library.", field="library")
    database = Database(root, writable=writable)
    try:
        yield TakeStore(database, root, ShotStore(database))
    finally:
        database.close()


def _list(options: argparse.Namespace) -> list[Answer]:
    if not 1 <= options.limit <= MAX_PAGE:
        raise InputError(f"--limit is {options.limit}, but must be from 1 to {MAX_PAGE}.", field="limit")
    query = Query(search=options.search, sort=options.sort, trashed=options.trashed)
    with _opened(options, writable=False) as store:
        return [take_answer(kept) for kept in store.page(query, options.limit).takes]


def _tell_list(answer: list[Answer]) -> str:
    return "\n".join(_line(take) for take in answer) or "no takes"


def _line(take: Answer) -> str:
    prompt = " ".join(take["prompt"].split())
    shown = prompt if len(prompt) <= _PROMPT_SHOWN else f"{prompt[: _PROMPT_SHOWN - 1]}…"
    offset = take["sync"]["offset_ms"]
    about = [f"seed {take['seed']}", "★" * take["stars"], "" if offset is None else f"{offset:+.0f} ms"]
    about += ["missing" if take["missing"] else "", *take["tags"]]
    return f"{take['take']}  {take['path']}: {shown} ({', '.join(word for word in about if word)})"


def _rebuild(options: argparse.Namespace) -> Answer:
    stopped: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: stopped.append(number))
    live = sys.stderr.isatty()

    def show(share: float) -> None:
        if live:
            print(f"{share:4.0%}", end="\r", file=sys.stderr, flush=True)

    with _opened(options, writable=True) as store:
        rebuilt = store.rebuild(show, lambda: bool(stopped), measure=not options.no_measure)
    return {
        "added": rebuilt.added,
        "found_again": rebuilt.found_again,
        "passed_over": [{"path": path, "reason": reason} for path, reason in rebuilt.passed_over],
    }


def _tell_rebuild(answer: Answer) -> str:
    over = answer["passed_over"]
    counts = f"{answer['added']} added, {answer['found_again']} found again, {len(over)} files passed over"
    return "\n".join([counts, *(f"  {each['path']}: {each['reason']}" for each in over)])


def _trash(options: argparse.Namespace) -> Answer:
    return _changed(options, lambda store, take_ids: store.trash(take_ids))


def _restore(options: argparse.Namespace) -> Answer:
    return _changed(options, lambda store, take_ids: store.restore(take_ids))


def _star(options: argparse.Namespace) -> Answer:
    return _changed(options, lambda store, take_ids: store.set_stars(take_ids[0], options.stars))


def _template(options: argparse.Namespace) -> Answer:
    with _opened(options, writable=options.template is not None) as store:
        if options.template is not None:
            store.set_template(options.template)
        return {"template": store.template, "placeholders": list(PLACEHOLDERS)}


def _tell_template(answer: Answer) -> str:
    return str(answer["template"])


def _changed(options: argparse.Namespace, change: Callable[[TakeStore, list[str]], None]) -> Answer:
    with _opened(options, writable=True) as store:
        take_ids = [_take_id(store, text) for text in options.takes]
        change(store, take_ids)
        return {"takes": [take_answer(store.get(take_id)) for take_id in take_ids]}


def _take_id(store: TakeStore, text: str) -> str:
    if text.lower().endswith(".mp4"):
        kept = store.find_path(Path(text))
        if kept is None:
            raise InputError(f"{text} is no take of the library {store.root}; `takes rebuild` adds files to it.")
        return kept.take_id
    return text


def _tell_changed(answer: Answer) -> str:
    return _tell_list(answer["takes"])
