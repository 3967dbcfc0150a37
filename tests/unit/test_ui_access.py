"""Accounts from flags, and the one guard."""

from __future__ import annotations

import asyncio
import re
import time
from types import SimpleNamespace

import gradio as gr
import pytest

from mova_studio.errors import InputError
from mova_studio.ui.access import MIN_PASSWORD, Access, Account, choose_accounts, parse_account
from mova_studio.ui.flags import free_port, is_loopback, parse_flags

LONG = "long-enough-password"


def request_of(name: str | None) -> gr.Request:
    return gr.Request(request=SimpleNamespace(), username=name)


def test_password_may_hold_colons():
    account = parse_account("anna:a:b:c", "--auth")
    assert (account.name, account.password) == ("anna", "a:b:c")
    assert "a:b:c" not in repr(account)


@pytest.mark.parametrize("text", ["", "anna", "anna:", ":secret", " :secret", "anna: ", ":"])
def test_malformed_account_is_refused_with_an_example(text):
    with pytest.raises(InputError, match="--auth must be user:password, for example"):
        parse_account(text, "--auth")


def test_no_login_on_this_machine_alone():
    assert choose_accounts(None, None, public=False) == (None, None)


def test_short_password_is_allowed_on_this_machine_alone():
    owner, guest = choose_accounts("anna:x", None, public=False)
    assert owner == Account("anna", "x") and guest is None


def test_public_page_always_has_both_accounts():
    owner, guest = choose_accounts(None, None, public=True)
    assert (owner.name, guest.name) == ("owner", "guest")
    assert owner.made and guest.made and owner.password != guest.password
    assert min(len(owner.password), len(guest.password)) >= 12


@pytest.mark.parametrize(("auth", "guest", "flag"), [("a:1234567", None, "--auth"), (None, "b:1234567", "--guest")])
def test_short_password_is_refused_on_a_public_page(auth, guest, flag):
    with pytest.raises(InputError, match=f"{flag} has 7 characters; .* at least {MIN_PASSWORD}"):
        choose_accounts(auth, guest, public=True)


def test_guest_flag_alone_makes_an_owner():
    owner, guest = choose_accounts(None, "bob:x", public=False)
    assert owner is not None and owner.made and guest == Account("bob", "x")


def test_two_accounts_with_one_name_are_refused():
    with pytest.raises(InputError, match="both called 'anna'"):
        choose_accounts(f"anna:{LONG}", f"anna:{LONG}2", public=True)


def test_login():
    access = Access(Account("anna", LONG), Account("bob", LONG + "2"))
    assert asyncio.run(access.check("anna", LONG))
    assert asyncio.run(access.check("bob", LONG + "2"))


@pytest.mark.parametrize(
    ("name", "password"), [("anna", LONG + "2"), ("bob", LONG), ("eve", LONG), ("", ""), ("安", "é")]
)
def test_wrong_login_is_refused_late(name, password):
    access = Access(Account("anna", LONG), Account("bob", LONG + "2"))
    started = time.monotonic()
    assert not asyncio.run(access.check(name, password))
    assert time.monotonic() - started > 0.5


@pytest.mark.parametrize(
    ("name", "owner"), [("anna", True), ("bob", False), (None, False), ("", False), ("ANNA", False)]
)
def test_only_the_owners_name_is_the_owner(name, owner):
    assert Access(Account("anna", LONG), Account("bob", LONG)).is_owner(request_of(name)) is owner


def test_without_logins_everyone_is_the_owner():
    assert Access().is_owner(request_of(None))


def test_guard_on_a_handler_and_on_a_stream():
    access = Access(Account("anna", LONG))

    @access.owner_only
    async def handler(value: int, request: gr.Request) -> int:
        return value

    @access.owner_only
    async def stream(value: int, request: gr.Request):
        yield value

    async def first(request: gr.Request) -> int:
        return await anext(stream(3, request))

    assert asyncio.run(handler(3, request_of("anna"))) == asyncio.run(first(request_of("anna"))) == 3
    for call in (handler(3, request_of("bob")), first(request_of("bob")), handler(3, request=request_of(None))):
        with pytest.raises(gr.Error, match="Only the owner"):
            asyncio.run(call)


def test_guard_refuses_a_call_without_a_request():
    @Access(Account("anna", LONG)).owner_only
    async def handler(value: int) -> int:
        return value

    with pytest.raises(gr.Error, match="Only the owner"):
        asyncio.run(handler(3))


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("127.8.8.8", True),
        ("0.0.0.0", False),
        ("192.168.1.2", False),
        ("::", False),
        ("example.org", False),
    ],
)
def test_loopback(host, alone):
    assert is_loopback(host) is alone


def test_port_taken_gives_the_next_one():
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < free_port("127.0.0.1", port) < port + 50


def test_flags_by_default():
    flags = parse_flags([])
    assert (flags.host, flags.port, flags.share, flags.auth, flags.model) == ("127.0.0.1", 7860, False, None, "demo")


@pytest.mark.parametrize("port", ["0", "65536", "x"])
def test_impossible_port_is_refused(port, capsys):
    with pytest.raises(SystemExit):
        parse_flags(["--port", port])
    assert re.search("--port", capsys.readouterr().err)
