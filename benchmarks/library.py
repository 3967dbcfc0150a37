"""How long the library takes to answer when it holds many takes: the newest page, a search, a sort by sync.

Fills a library with takes of 2,000 shots with prompts of about 60 words and first frames of 640x352, each take
with a file, measures, a waveform, stars and tags. Every page is asked for by a store that was just opened, so
that no shot has been read before; files of the page are looked for, as the program does.

    python -m benchmarks.library [--takes 10000] [--out benchmarks/results/library-cpu.json]
"""

from __future__ import annotations

import argparse
import io
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.record import record_result, write_result
from mova_studio.library.database import Database
from mova_studio.library.shot import Shot
from mova_studio.library.shots import ShotStore
from mova_studio.library.store import Query, TakeStore
from mova_studio.library.take import Take
from mova_studio.media.measures import TakeMeasures

LIMIT_MS = 300
REPEATS = 50
PAGE = 24
SHOTS = 2000
FRAMES = 50
_WORDS = (
    "rain wood thud cat whisper neon street harbour fog crowd laughter drum bell train steam glass kettle wind pine "
    "snow lantern market violin echo gravel engine tide gull thunder candle 雨 猫 街道 灯笼 海浪 脚步声 笑声 钟声"
)
WORDS = tuple(_WORDS.split())


def fill(root: Path, takes: int) -> None:
    """A library of so many takes, the same each time."""
    draw = random.Random(0)
    database = Database(root)
    store = TakeStore(database, root, ShotStore(database))
    pictures = [_picture(seed) for seed in range(FRAMES)]
    shots = [
        Shot(
            prompt=" ".join(draw.choices(WORDS, k=60)),
            first_frame=pictures[number % FRAMES],
            num_frames=193,
            guidance_scale=draw.choice((3.0, 5.0, 7.0)),
        )
        for number in range(SHOTS)
    ]
    start = datetime(2026, 1, 1, tzinfo=timezone.utc)
    with database.writing() as connection:
        for number in range(takes):
            shot = shots[number * SHOTS // takes]
            moment = start + timedelta(minutes=number)
            path = root / f"{moment:%Y-%m-%d}" / f"{moment:%H%M%S}-{number}.mp4"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"in place of an mp4")
            kept = store.add(_take(path, shot, number, moment, draw), f"{number:032x}")
            store.set_stars(kept.take_id, draw.randrange(6))
            store.set_tags(kept.take_id, draw.sample(WORDS, 2))
        connection.execute("UPDATE takes SET waveform = randomblob(160)")
    database.close()


def _picture(seed: int) -> bytes:
    """A PNG about as large as that of a photograph."""
    coarse = np.random.default_rng(seed).integers(0, 256, (176, 320, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize((640, 352), Image.Resampling.BICUBIC).save(buffer, format="PNG")
    return buffer.getvalue()


def _take(path: Path, shot: Shot, seed: int, moment: datetime, draw: random.Random) -> Take:
    return Take(
        path=path,
        shot=shot,
        seed=seed,
        width=640,
        height=352,
        num_frames=193,
        frame_rate=24.0,
        audio_seconds=8.04,
        integrated_lufs=-16.0 + draw.uniform(-1, 1),
        true_peak_dbtp=-1.0,
        seconds={"denoise": 450.0, "decode": 20.0},
        checkpoint="0" * 64,
        untrained=False,
        program="0.1.0",
        created=moment.isoformat(timespec="seconds"),
        measures=TakeMeasures(draw.random(), draw.uniform(-500, 500), (), (), (), 0),
    )


def time_page(database: Database, root: Path, query: Query, offset: int = 0) -> dict[str, float]:
    """Milliseconds that a page takes, by the clock: the median and the worst of 50."""

    def ask(store: TakeStore) -> Any:
        return store.page(query, PAGE, offset)

    return _time(database, root, ask)


def _time(database: Database, root: Path, ask: Callable[[TakeStore], Any]) -> dict[str, float]:
    spent = []
    for _ in range(REPEATS):
        store = TakeStore(database, root, ShotStore(database))
        begun = time.perf_counter()
        ask(store)
        spent.append(1000 * (time.perf_counter() - begun))
    return {"median_ms": round(statistics.median(spent), 2), "worst_ms": round(max(spent), 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description="How long the library takes to answer.")
    parser.add_argument("--takes", type=int, default=10_000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        begun = time.perf_counter()
        fill(root, options.takes)
        filled = time.perf_counter() - begun
        database = Database(root)
        pages = {
            "newest": Query(),
            "search": Query(search="雨 harbour violin"),
            "search_nothing_found": Query(search="zeppelin"),
            "sync": Query(sort="sync"),
            "rating": Query(sort="rating"),
            "best_by_tag": Query(min_stars=4, tags=("猫",), flawless=True, sort="align"),
        }
        figures = {name: time_page(database, root, query) for name, query in pages.items()}
        figures["newest_last_page"] = time_page(database, root, Query(), max(options.takes - PAGE, 0))
        figures["shots"] = _time(database, root, TakeStore.shots)
        figures["tags"] = _time(database, root, TakeStore.tags)
        database.close()
    within = all(figure["worst_ms"] <= LIMIT_MS for figure in figures.values())
    result = record_result(
        "library",
        "cpu",
        takes=options.takes,
        page=PAGE,
        repeats=REPEATS,
        fill_seconds=round(filled, 1),
        limit_ms=LIMIT_MS,
        within_limit=within,
        pages=figures,
    )
    write_result(result, options.out)
    raise SystemExit(0 if within else 1)


if __name__ == "__main__":
    main()
