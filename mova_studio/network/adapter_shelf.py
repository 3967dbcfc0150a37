"""The adapters that are installed on this machine: a folder of safetensors, read from their headers without torch."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mova_studio.adapter_use import PARTS, AdapterUse
from mova_studio.atomic import output_error
from mova_studio.errors import InputError

if TYPE_CHECKING:
    from mova_studio.network.adapter_file import Adapter

log = logging.getLogger(__name__)
EXPERTS = ("both", "high", "low")
MAX_NAME = 80
_MAX_HEADER = 100_000_000
_EITHER_EXPERT = "video"
_NOT_IN_NAMES = re.compile(r"[^\w .()+-]")
_DOWN, _UP = ".lora_A.weight", ".lora_B.weight"
Shape = tuple[int, ...]


@dataclass(frozen=True)
class InstalledAdapter:
    """An adapter of the shelf.

    Attributes:
        name: what a person calls it.
        digest: of its numbers.
        source: name of the file that was imported.
        experts: of one that names no expert, which of the two it is for: "both", "high" or "low".
        path, bytes: the file.
        layers: shapes of A [r, in] and B [out, r] by published name, "video_dit.blocks.0.self_attn.q".
    """

    name: str
    digest: str
    source: str
    experts: str
    path: Path
    bytes: int
    layers: Mapping[str, tuple[Shape, Shape]] = field(repr=False)

    @property
    def ranks(self) -> tuple[int, ...]:
        """All that occur, ascending."""
        return tuple(sorted({down[0] for down, _up in self.layers.values()}))

    @property
    def parts(self) -> dict[str, int]:
        """How many layers it changes in each part of the network, of those that it changes at all."""
        found = {part: len(self._of(component)) for part, component in PARTS.items()}
        idle = {"high": "low", "low": "high"}.get(self.experts)
        return {part: count for part, count in found.items() if count and part != idle}

    def numbers(self, part: str) -> int:
        """How many numbers its matrices have for a part of the network."""
        return sum(rank * (inner + outer) for (rank, inner), (outer, _r) in self._of(PARTS[part]).values())

    def use(self, strength: float = 1.0) -> AdapterUse:
        """It with one strength for all that it changes."""
        strengths = {part: strength if part in self.parts else 0.0 for part in PARTS}
        return AdapterUse(self.name, self.digest, **strengths)

    def misfit(self, checkpoint: Path) -> str:
        """Why it cannot be used with the checkpoint in that folder, from its files' headers; "" if it can."""
        for component in PARTS.values():
            mine = self._of(component)
            known = _component_shapes(checkpoint / component) if mine else {}
            for path, (down, up) in mine.items():
                found = known.get(f"{path}.weight")
                if found != (up[0], down[1]):
                    return misfit_words(self.name, f"{component}.{path}", found, down, up)
        return ""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "digest": self.digest,
            "source": self.source,
            "experts": self.experts,
            "path": str(self.path),
            "bytes": self.bytes,
            "parts": self.parts,
            "ranks": list(self.ranks),
        }

    def _of(self, component: str) -> dict[str, tuple[Shape, Shape]]:
        named = {name.partition(".")[0] for name in self.layers}
        either = component.startswith("video_dit") and component not in named
        prefix = f"{_EITHER_EXPERT if either else component}."
        return {name.removeprefix(prefix): shapes for name, shapes in self.layers.items() if name.startswith(prefix)}


class AdapterShelf:
    """The installed adapters. What a person types is kept inside the files and never names one.

    Args:
        folder: made when something is imported.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def entries(self) -> list[InstalledAdapter]:
        """All of them by name; files that are none of ours, or damaged, are left out with a line in the log."""
        found = []
        for path in sorted(self.folder.glob("[!.]*.safetensors")):
            try:
                found.append(_read_entry(path))
            except (OSError, ValueError, KeyError, TypeError) as error:
                log.warning("%s is no installed adapter: %s", path, error)
        return sorted(found, key=lambda entry: entry.name.casefold())

    def named(self, name: str) -> InstalledAdapter:
        """The adapter of a name.

        Raises:
            InputError: there is none; the message lists those that there are.
        """
        entries = self.entries()
        for entry in entries:
            if entry.name == name:
                return entry
        known = ", ".join(entry.name for entry in entries) or "none"
        raise InputError(f"No adapter called {name[:MAX_NAME]!r} is installed; installed: {known}.", field="adapters")

    def of(self, use: AdapterUse) -> InstalledAdapter:
        """The adapter that a shot asks for, whatever it is called here.

        Raises:
            InputError: it is not installed.
        """
        for entry in self.entries():
            if entry.digest == use.digest:
                return entry
        raise InputError(
            f"The adapter {use.name} ({use.digest[:12]}) is not installed here; import its file, or take it off.",
            field="adapters",
        )

    def add(self, path: Path, name: str = "", experts: str = "both") -> tuple[InstalledAdapter, bool]:
        """Import an adapter from a file or a trainer's folder, in whatever format.

        Args:
            name: what to call it; "" takes the file's, with a number where that is taken.
            experts: of one that names no expert, which it is for.

        Returns:
            It, and whether it is new; the same numbers are kept once, under the name that they have.

        Raises:
            InputError: it cannot be read, or the name cannot be had.
            OutputError: the folder cannot be written.
        """
        from mova_studio.network.adapter_file import read_adapter, write_adapter

        adapter = read_adapter(path)
        entries = self.entries()
        same = next((entry for entry in entries if entry.digest == adapter.digest), None)
        if same is not None:
            return same, False
        taken = {entry.name for entry in entries}
        chosen = _checked_name(name, taken) if name.strip() else _free_name(path.name, taken)
        experts = experts if _EITHER_EXPERT in adapter.layers else "both"
        if experts not in EXPERTS:
            raise InputError(f"The experts are {experts!r}, but must be one of {', '.join(EXPERTS)}.", field="adapters")
        target = self.folder / f"{adapter.digest[:32]}.safetensors"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(self.folder, error) from error
        write_adapter(adapter, target, {"name": chosen, "source": path.name, "experts": experts})
        return _read_entry(target), True

    def remove(self, name: str) -> InstalledAdapter:
        """Delete the file of an adapter; shots that ask for it say so from then on.

        Raises:
            InputError: there is none of that name.
            OutputError: the file cannot be deleted.
        """
        entry = self.named(name)
        try:
            entry.path.unlink()
        except OSError as error:
            raise output_error(entry.path, error) from error
        return entry

    def load(self, use: AdapterUse) -> Adapter:
        """The adapter that a shot asks for, with its numbers.

        Raises:
            InputError: it is not installed, or its file was changed.
        """
        from mova_studio.network.adapter_file import read_adapter

        entry = self.of(use)
        adapter = read_adapter(entry.path)
        if adapter.digest != use.digest:
            raise InputError(
                f"The file of the adapter {entry.name}, {entry.path}, was changed; remove it and import it again.",
                field="adapters",
            )
        return replace(adapter, source=entry.name)


def misfit_words(source: str, layer: str, expected: Shape | None, down: Shape, up: Shape) -> str:
    """That a layer of an adapter is none of the checkpoint's.

    Args:
        layer: its published name.
        expected: [out, in] in the checkpoint; None if it has no such layer.
        down, up: shapes of A and B.
    """
    there = "does not exist" if expected is None else f"is {list(expected)}"
    return (
        f"{source} is for another checkpoint: {layer} {there} here, and the adapter's is {[up[0], down[1]]} "
        f"(lora_A {list(down)}, lora_B {list(up)})."
    )


def _read_entry(path: Path) -> InstalledAdapter:
    header, start = _header(path)
    about = header.pop("__metadata__")
    shapes = {name: tuple(entry["shape"]) for name, entry in header.items()}
    stems = [name.removesuffix(_DOWN) for name in shapes if name.endswith(_DOWN)]
    layers = {stem: (shapes[stem + _DOWN], shapes[stem + _UP]) for stem in stems}
    size = path.stat().st_size
    whole = start + max(int(entry["data_offsets"][1]) for entry in header.values())
    if size != whole:
        raise ValueError(f"it has {size:,} bytes, and its header promises {whole:,}")
    return InstalledAdapter(about["name"], about["digest"], about["source"], about["experts"], path, size, layers)


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """The format: eight bytes of length, and that many of JSON. With it, where the tensors begin."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= _MAX_HEADER:
            raise ValueError("it is no safetensors file")
        return json.loads(stream.read(length)), 8 + length


def _component_shapes(folder: Path) -> dict[str, Shape]:
    shapes: dict[str, Shape] = {}
    for file in sorted(folder.glob("*.safetensors")):
        for name, entry in _header(file)[0].items():
            if name != "__metadata__":
                shapes[name] = tuple(entry["shape"])
    return shapes


def _checked_name(name: str, taken: set[str]) -> str:
    name = name.strip()
    if len(name) > MAX_NAME or _NOT_IN_NAMES.search(name):
        raise InputError(
            f"An adapter cannot be called {name[:MAX_NAME]!r}; use up to {MAX_NAME} letters, digits, spaces and .()+-_",
            field="adapters",
        )
    if name in taken:
        raise InputError(f"An adapter called {name!r} is installed already; choose another name.", field="adapters")
    return name


def _free_name(source: str, taken: set[str]) -> str:
    stem = _NOT_IN_NAMES.sub("-", Path(source).stem).strip()[: MAX_NAME - 4] or "adapter"
    return next(name for name in (stem, *(f"{stem} {count}" for count in range(2, 10**6))) if name not in taken)
