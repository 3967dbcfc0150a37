"""Who may do what. The owner may do everything; guests may make, see and download takes.

The check is made here, on the server, for every call that arrives, from the page or from a program.
"""

from __future__ import annotations

import asyncio
import functools
import hmac
import inspect
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import gradio as gr

from mova_studio.errors import AccessDenied, InputError

MIN_PASSWORD = 8
WRONG_PASSWORD_SECONDS = 1.0
_Handler = TypeVar("_Handler", bound=Callable[..., Awaitable[Any] | AsyncIterator[Any]])


@dataclass(frozen=True)
class Account:
    """A name and its password; `made` says that we made the password and have to print it."""

    name: str
    password: str
    made: bool = False

    def __repr__(self) -> str:
        return f"Account({self.name!r})"


def parse_account(text: str, flag: str) -> Account:
    """The account of "user:password"; the password may hold colons.

    Raises:
        InputError: a part is missing.
    """
    name, colon, password = text.partition(":")
    if not (name.strip() and colon and password.strip()):
        raise InputError(f"{flag} must be user:password, for example {flag} anna:a-long-password.", field=flag)
    if name != name.strip():
        raise InputError(f"{flag}: the user {name!r} begins or ends with a space; leave it out.", field=flag)
    return Account(name, password)


def choose_accounts(auth: str | None, guest: str | None, *, public: bool) -> tuple[Account | None, Account | None]:
    """(owner, guest) for these flags. (None, None) means no login: whoever sits here is the owner.

    Args:
        auth, guest: "user:password" as given, or None.
        public: the page can be reached from other machines; then both accounts exist, with made
            passwords where none is given.

    Raises:
        InputError: malformed, too short for a public page, or both with one name.
    """
    owner = parse_account(auth, "--auth") if auth is not None else None
    visitor = parse_account(guest, "--guest") if guest is not None else None
    if public:
        for account, flag in ((owner, "--auth"), (visitor, "--guest")):
            if account is not None and len(account.password) < MIN_PASSWORD:
                raise InputError(
                    f"The password of {flag} has {len(account.password)} characters; a page that others can reach "
                    f"needs at least {MIN_PASSWORD}.",
                    field=flag,
                )
    if owner is None and (public or visitor is not None):
        owner = Account("owner", secrets.token_urlsafe(12), made=True)
    if visitor is None and public:
        visitor = Account("guest", secrets.token_urlsafe(12), made=True)
    if owner is not None and visitor is not None and owner.name == visitor.name:
        raise InputError(
            f"The owner and the guest are both called {owner.name!r}; give them two names.", field="--guest"
        )
    return owner, visitor


class Access:
    """The one guard of the page.

    Args:
        owner, guest: accounts, or None; without an owner there is no login and everyone is the owner.
    """

    def __init__(self, owner: Account | None = None, guest: Account | None = None) -> None:
        self.owner, self.guest = owner, guest

    async def check(self, name: str, password: str) -> bool:
        """Whether a login is right; a wrong one is answered late, so that guessing is slow."""
        right = False
        for account in (self.owner, self.guest):
            if account is not None:
                same_name = hmac.compare_digest(account.name.encode(), name.encode())
                right |= same_name & hmac.compare_digest(account.password.encode(), password.encode())
        if not right:
            await asyncio.sleep(WRONG_PASSWORD_SECONDS)
        return right

    def is_owner(self, request: gr.Request | None) -> bool:
        """Whether a call comes from the owner. A call without a known user is a guest's."""
        if self.owner is None:
            return True
        return request is not None and request.username == self.owner.name

    def owner_only(self, handler: _Handler) -> _Handler:
        """A handler that refuses everyone but the owner. It has to take a `gr.Request`.

        Raises:
            AccessDenied: from the handler, for a guest, as a `gr.Error` that programs can read.
        """

        def guard(arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
            given = (*arguments, *named.values())
            request = next((value for value in given if isinstance(value, gr.Request)), None)
            if not self.is_owner(request):
                denied = AccessDenied("Only the owner of this studio may do that; guests make and download takes.")
                raise gr.Error(denied.message, print_exception=False) from denied

        call: Callable[..., Any] = handler
        if inspect.isasyncgenfunction(handler):

            @functools.wraps(handler)
            async def guarded_stream(*arguments: Any, **named: Any) -> Any:
                guard(arguments, named)
                async for value in call(*arguments, **named):
                    yield value

            return guarded_stream  # type: ignore[return-value]

        @functools.wraps(handler)
        async def guarded(*arguments: Any, **named: Any) -> Any:
            guard(arguments, named)
            return await call(*arguments, **named)

        return guarded  # type: ignore[return-value]
