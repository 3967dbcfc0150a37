"""JSON files of ours that say the version of their format: read in bounded size, checked, refused in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from mova_studio.bounded_json import parse_json
from mova_studio.errors import InputError
from mova_studio.faults import first_fault


class Part(BaseModel):
    """An object in such a file: every field is known and of exactly its type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Versioned(Part):
    """The whole of such a file."""

    format: int


Content = TypeVar("Content", bound=Versioned)


@dataclass(frozen=True)
class VersionedJson(Generic[Content]):
    """One kind of file.

    Attributes:
        content: what it holds.
        format: the version that is read.
        name: what an error calls the text, as in "The preset".
        max_bytes: the longest file that is read.
        field: of the errors on a file, see `StudioError`.
    """

    content: type[Content]
    format: int
    name: str
    max_bytes: int
    field: str | None = None

    def check(self, values: Any) -> Content:
        """The content in a JSON value.

        Raises:
            InputError: a newer version wrote it, or a field is unknown, missing, of another type or out of range.
        """
        version = values.get("format") if isinstance(values, dict) else None
        if isinstance(version, int) and version > self.format:
            raise InputError(f"The format is {version} and this version reads {self.format}; update MOVA Studio.")
        try:
            content = self.content.model_validate(values)
        except ValidationError as error:
            raise InputError(first_fault(error, self.content)) from error
        if content.format != self.format:
            raise InputError(f"The format is {content.format}, but must be {self.format}.")
        return content

    def read(self, path: Path) -> Content:
        """The content of a file.

        Raises:
            InputError: the file cannot be read, is no JSON, or is wrong as `check` says; it names the file.
        """
        try:
            size = path.stat().st_size
            if size > self.max_bytes:
                raise InputError(f"it has {size} bytes and at most {self.max_bytes} are read.")
            return self.check(parse_json(path.read_text("utf-8"), self.name))
        except InputError as error:
            raise InputError(f"{path.name}: {error.message}", field=self.field) from error
        except UnicodeDecodeError as error:
            raise InputError(f"{path.name} is not a text in UTF-8.", field=self.field) from error
        except OSError as error:
            raise InputError(f"{path.name} cannot be read ({error.strerror or error}).", field=self.field) from error
