"""Servers that speak OpenAI's protocol: their addresses, and whose key may go where."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from mova_studio.errors import InputError
from mova_studio.settings import PRESETS

FOLDER = PRESETS / "prompting"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ServerPreset(BaseModel):
    """One server.

    Attributes:
        name: in `server:NAME`.
        title: as its makers write it.
        url: base address of the protocol.
        model: asked for unless the person names another; "" takes the only one that is served.
        image_model: asked for pictures unless the person names another; "" as for `model`.
        key_variable: environment variable of the key; None where there is none.
        key_needed: nothing is asked without a key.
        sees: whether `model` takes pictures; None where that depends on the model.
        other_hosts: besides that of `url`, hosts that may be sent the key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    format: int
    kind: str
    name: str
    title: str
    url: str
    model: str
    image_model: str
    key_variable: str | None
    key_needed: bool
    sees: bool | None
    other_hosts: list[str]

    @property
    def local(self) -> bool:
        """It runs on the person's own machine, or on another one of theirs."""
        return urlsplit(self.url).hostname in LOOPBACK

    @property
    def keyring_name(self) -> str:
        """Under which its key lies in the keyring.

        A key belongs to an address: one kept for a server of the person's own is not sent to another that is called
        the same.
        """
        address = urlsplit(self.url)
        known = server_presets().get(self.name)
        return self.name if known is not None and address.hostname in known._hosts else f"{self.name}@{address.netloc}"

    def at(self, url: str) -> ServerPreset:
        """The same server at another address.

        Raises:
            InputError: it is no address, or one to which this server's key must not go.
        """
        checked = check_url(url)
        parts = urlsplit(checked)
        if not self.local and (parts.scheme != "https" or parts.hostname not in self._hosts):
            raise InputError(
                f"{checked} is not an address of {self.title}, whose key is sent only to {', '.join(self._hosts)}. "
                f"Name the server yourself, for example --backend server:mine, with its key in MINE_API_KEY.",
                field="server_url",
            )
        return self.model_copy(update={"url": checked})

    @property
    def _hosts(self) -> list[str]:
        return [urlsplit(self.url).hostname or "", *self.other_hosts]


@lru_cache(maxsize=1)
def server_presets() -> dict[str, ServerPreset]:
    """The servers that come with the studio, by name."""
    presets = [ServerPreset.model_validate_json(file.read_text("utf-8")) for file in sorted(FOLDER.glob("*.json"))]
    return {preset.name: preset for preset in presets}


def find_server(name: str, url: str | None = None) -> ServerPreset:
    """The server of a name, at its own address or at `url`.

    A name that is not known makes a server of the person's own, whose key is in NAME_API_KEY.

    Raises:
        InputError: the name is not known and there is no `url`, or the address is not one.
    """
    known = server_presets().get(name)
    if known is not None:
        return known if url is None else known.at(url)
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,39}", name):
        raise InputError(
            f"{name[:40]!r} is no name of a server; use letters, digits, - and _, or one of "
            f"{', '.join(server_presets())}.",
            field="backend",
        )
    if url is None:
        raise InputError(
            f"There is no preset for a server {name!r}; give its address, for example "
            f"--server-url http://127.0.0.1:8080/v1, or one of {', '.join(server_presets())}.",
            field="server_url",
        )
    return ServerPreset(
        format=1,
        kind="prompting",
        name=name,
        title=name,
        url=check_url(url),
        model="",
        image_model="",
        key_variable=f"{re.sub(r'[^A-Z0-9]', '_', name.upper())}_API_KEY",
        key_needed=False,
        sees=None,
        other_hosts=[],
    )


def check_url(url: str) -> str:
    """A base address without a slash at its end.

    Raises:
        InputError: it is none, or it holds a key or a password, which would end up in messages and records.
    """
    text = url.strip()
    try:
        parts = urlsplit(text)
        port_known = parts.port != 0
    except ValueError:
        parts, port_known = urlsplit(""), False
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InputError(
            "The server's address holds a name, a password or a ?query; give the bare address, and the key in its "
            "environment variable.",
            field="server_url",
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_known:
        raise InputError(
            "What is given as the server's address is none; write it like http://127.0.0.1:8000/v1.",
            field="server_url",
        )
    return text.rstrip("/")
