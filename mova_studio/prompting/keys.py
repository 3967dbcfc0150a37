"""Keys of servers: from the environment or the operating system's keyring, and never anywhere else."""

from __future__ import annotations

import os
import re

from mova_studio.errors import InputError

SERVICE = "mova_studio"
HIDDEN = "[key]"
MAX_CHARACTERS = 4000
_RECOGNISABLE = 6  # characters of a key by which a masked copy of it is known


class Secret:
    """A key that no repr, log line, error or pickle shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The key itself, for the one place that sends it."""
        return self._value

    def scrub(self, text: str) -> str:
        """`text` without the key, and without words that repeat its beginning or its end."""
        text = text.replace(self._value, HIDDEN)
        size = min(_RECOGNISABLE, len(self._value))
        start, end = re.escape(self._value[:size]), re.escape(self._value[-size:])
        return re.sub(rf"\S*(?:{start}|{end})\S*", HIDDEN, text)

    def __repr__(self) -> str:
        return "Secret()"

    def __reduce__(self) -> tuple:
        raise TypeError("A key is not to be pickled.")


def find_key(server: str, variable: str | None) -> Secret | None:
    """The key of a server: from the environment variable, else from the keyring; None without one.

    Raises:
        InputError: it holds what no key can, such as a line break.
    """
    value = os.environ.get(variable, "").strip() if variable else ""
    value = value or _from_keyring(server)
    return Secret(_checked(server, value)) if value else None


def keep_key(server: str, key: str) -> None:
    """Keep a key in the operating system's keyring; "" takes it out.

    Raises:
        InputError: the key holds what no key can, or this machine has no keyring that works.
    """
    import keyring
    from keyring.errors import PasswordDeleteError

    if key:
        _checked(server, key)
    try:
        if key:
            keyring.set_password(SERVICE, server, key)
        else:
            keyring.delete_password(SERVICE, server)
    except PasswordDeleteError:
        return
    except Exception:  # noqa: BLE001 (every keyring fails in its own way, and its words might hold the key)
        raise InputError(
            "This machine has no keyring that works; set the key as an environment variable instead.", field="key"
        ) from None


def _checked(server: str, value: str) -> str:
    if len(value) > MAX_CHARACTERS or not re.fullmatch(r"[!-~]+", value):
        raise InputError(
            f"The key of {server} holds a space, a line break or a letter that no key has, or more than "
            f"{MAX_CHARACTERS} characters; copy it again.",
            field="key",
        )
    return value


def _from_keyring(server: str) -> str:
    try:
        import keyring

        return (keyring.get_password(SERVICE, server) or "").strip()
    except Exception:  # noqa: BLE001 (no keyring is a normal case)
        return ""
