"""What a person asks of a training run: clips, a recipe, a few of its numbers; checked before anything begins."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mova_studio.errors import InputError

if TYPE_CHECKING:
    from mova_studio.training.recipe import Recipe

MAX_NAME = 80
_LISTED = "clips.json"


@dataclass(frozen=True)
class TrainingOrder:
    """A run to be.

    Attributes:
        clips: a whole path: what `train encode` wrote, or clips that it reads.
        recipe: name of a shipped recipe.
        name: what the run is called; "" calls it after the recipe.
        kinds: widths, heights and frames that raw clips are brought to, such as "640x352x193", with spaces between.
        steps, batch_size, rank, learning_rate, sample_every: instead of the recipe's; None leaves them. The learning
            rate is the towers', and the bridge's keeps its proportion to it.
    """

    clips: str
    recipe: str
    name: str = ""
    kinds: str = ""
    steps: int | None = None
    batch_size: int | None = None
    rank: int | None = None
    learning_rate: float | None = None
    sample_every: int | None = None

    def to_recipe(self) -> Recipe:
        """The recipe with this order's numbers. Samples are made at the last step at the latest, unless never.

        Raises:
            InputError: there is no such recipe, or a number is out of its range.
        """
        from mova_studio.training.recipe import check_recipe, find_recipe

        if self.recipe.endswith(".json"):
            raise InputError(f"{self.recipe[:80]!r} is no shipped recipe.", field="recipe")
        shipped = find_recipe(self.recipe)
        values: dict[str, Any] = shipped.model_dump()
        for name in ("steps", "batch_size", "sample_every"):
            given = getattr(self, name)
            values[name] = values[name] if given is None else given
        if self.rank is not None and shipped.adapter is not None:
            values["adapter"] |= {"rank": self.rank, "alpha": self.rank}
        if self.learning_rate is not None:
            towers = shipped.learning_rates.video_dit
            rates = values["learning_rates"]
            values["learning_rates"] = {part: self.learning_rate * rate / towers for part, rate in rates.items()}
        try:
            recipe = check_recipe(values)
        except InputError as error:
            raise InputError(error.message, field="recipe") from error
        return recipe.model_copy(update={"sample_every": min(recipe.sample_every, recipe.steps)})


@dataclass(frozen=True)
class FoundClips:
    """Clips in a place.

    Attributes:
        path: the place.
        kinds: of encoded clips, how many there are of each.
        raw: how many are still to be encoded; 0 for encoded ones.
        skipped: of the raw ones, how many cannot be used, and `reason` of the first.
    """

    path: Path
    kinds: dict[str, int]
    raw: int = 0
    skipped: int = 0
    reason: str = ""

    @property
    def encoded(self) -> bool:
        return bool(self.kinds)

    @property
    def count(self) -> int:
        return self.raw + sum(self.kinds.values())


def look_at_clips(place: str) -> FoundClips:
    """What lies in a place that a person names. Reads the disk: call it in a thread.

    Raises:
        InputError: it is no whole path, is not there, or holds no clips that can be trained on.
    """
    if not place.strip():
        raise InputError("No folder of clips is given; name one.", field="clips")
    path = Path(place.strip()).expanduser()
    if not path.is_absolute():
        raise InputError(f"{place[:200]!r} is not a whole path; begin it with / or a drive.", field="clips")
    try:
        if (path / _LISTED).is_file():
            return _encoded(path)
        from mova_studio.training.clips.sources import list_clips

        listing = list_clips(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}).", field="clips") from error
    except InputError as error:
        raise InputError(error.message, field="clips") from error
    unfit = [(clip.name, clip.no_caption) for clip in listing.clips if clip.no_caption]
    unfit = [(each.name, each.reason) for each in listing.skipped] + unfit
    usable = len(listing.clips) + len(listing.skipped) - len(unfit)
    reason = f"{unfit[0][0]}: {unfit[0][1]}" if unfit else ""
    if not usable:
        raise InputError(f"None of the {len(unfit)} clips in {path} can be trained on. {reason}", field="clips")
    return FoundClips(path, {}, usable, len(unfit), reason)


def check_kinds(text: str) -> tuple[str, ...]:
    """Sizes and lengths for raw clips.

    Raises:
        InputError: none is given, or one cannot be.
    """
    from mova_studio.training.clips.buckets import parse_bucket

    if not text.split():
        raise InputError("No size of clips is given; give one such as 640x352x193.", field="kinds")
    try:
        return tuple(str(parse_bucket(each)) for each in text.replace(",", " ").split())
    except InputError as error:
        raise InputError(error.message, field="kinds") from error


def _encoded(path: Path) -> FoundClips:
    try:
        listed = json.loads((path / _LISTED).read_text("utf-8"))
        buckets = [str(row["bucket"]) for row in listed["clips"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"{path / _LISTED} is damaged; run `train encode` again, which makes only what is missing.", field="clips"
        ) from error
    if not buckets:
        raise InputError(f"{path / _LISTED} lists no clip.", field="clips")
    return FoundClips(path, {kind: buckets.count(kind) for kind in dict.fromkeys(buckets)})
