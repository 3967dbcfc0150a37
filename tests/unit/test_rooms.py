"""Imports point downward only, and the picture in docs/architecture.md is the code's own."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PACKAGE = PROJECT / "mova_studio"
LEVELS = {
    "errors": 0,
    "faults": 0,
    "bounded_json": 0,
    "versioned_json": 0,
    "atomic": 0,
    "framing": 0,
    "adapter_use": 0,
    "settings": 0,
    "network": 1,
    "diffusion": 2,
    "media": 2,
    "placement": 2,
    "library": 3,
    "prompting": 3,
    "timeline": 4,
    "training": 4,
    "jobs": 5,
    "ui": 6,
    "cli": 6,
    "__main__": 7,
    "__init__": 0,
}
FORBIDDEN = {
    "network": ("gradio", "sqlite3"),
    "diffusion": ("gradio", "sqlite3"),
    "placement": ("gradio", "sqlite3"),
    "media": ("gradio", "torch"),
    "prompting": ("gradio", "sqlite3"),
    "timeline": ("gradio", "sqlite3", "torch"),
    "training": ("gradio", "sqlite3"),
}
PAGE_SIDE = ("gradio",)


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative imports hide the room"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


FILES = sorted(PACKAGE.rglob("*.py"))


def edges() -> set[tuple[str, str]]:
    found = set()
    for file in FILES:
        for name in imports_of(file):
            parts = name.split(".")
            if parts[0] == "mova_studio" and len(parts) > 1 and parts[1] in LEVELS and parts[1] != room_of(file):
                found.add((room_of(file), parts[1]))
    return found


def test_every_room_has_a_level():
    assert {room_of(file) for file in FILES} <= set(LEVELS)


def test_imports_point_downward():
    upward = sorted(edge for edge in edges() if LEVELS[edge[0]] <= LEVELS[edge[1]] and LEVELS[edge[0]] > 0)
    assert upward == []


@pytest.mark.parametrize("room", FORBIDDEN)
def test_lower_rooms_know_nothing_of_pages_and_databases(room):
    for file in (PACKAGE / room).rglob("*.py"):
        roots = {name.split(".")[0] for name in imports_of(file)}
        assert not roots & set(FORBIDDEN[room]), file


def test_only_the_page_imports_gradio():
    for file in FILES:
        if room_of(file) != "ui":
            assert "gradio" not in {name.split(".")[0] for name in imports_of(file)}, file


def test_the_architecture_picture_matches_the_code():
    text = (PROJECT / "docs" / "architecture.md").read_text("utf-8")
    drawn = set(re.findall(r"^\s+(\w+) --> (\w+)$", text, flags=re.MULTILINE))
    small = {room for room, level in LEVELS.items() if level == 0} | {"__main__"}
    assert drawn == {edge for edge in edges() if not small & set(edge)}


def test_modules_stay_short():
    long = {str(file.relative_to(PROJECT)): len(file.read_text("utf-8").splitlines()) for file in FILES}
    assert {name: lines for name, lines in long.items() if lines > 400} == {}
