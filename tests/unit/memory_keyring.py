"""A keyring for tests that is gone with the process. The studio takes it by PYTHON_KEYRING_BACKEND too."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keyring
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class MemoryKeyring(KeyringBackend):
    """Keeps passwords in a dict by (service, user)."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("There is none.")


@contextlib.contextmanager
def keyring_of(backend: KeyringBackend) -> Iterator[None]:
    """This machine's keyring is `backend` until the block ends."""
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    try:
        yield
    finally:
        keyring.set_keyring(before)


@contextlib.contextmanager
def memory_keyring() -> Iterator[dict[tuple[str, str], str]]:
    """An empty one; gives what is in it."""
    made = MemoryKeyring()
    with keyring_of(made):
        yield made.kept
