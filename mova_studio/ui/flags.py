"""The flags of `python app.py`, and what follows from them for logins and ports."""

from __future__ import annotations

import argparse
import ipaddress
import socket
from collections.abc import Sequence
from pathlib import Path

from mova_studio.errors import OutputError

PORTS_TRIED = 50


def parse_flags(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python app.py", description="MOVA Studio: video and sound together, in the browser."
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1: only this machine)"
    )
    parser.add_argument(
        "--port", type=_port, default=7860, help="port (default 7860); the next free one if it is taken"
    )
    parser.add_argument("--share", action="store_true", help="a public gradio.live address; always with passwords")
    parser.add_argument("--auth", metavar="USER:PASSWORD", help="the owner's login")
    parser.add_argument("--guest", metavar="USER:PASSWORD", help="a login that may make, see and download takes only")
    parser.add_argument("--model", default="demo", metavar="demo|DIR|HUB_ID", help="checkpoint to start with")
    parser.add_argument("--library", type=Path, default=Path("library"), metavar="DIR", help="folder of the takes")
    return parser.parse_args(arguments)


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def free_port(host: str, wanted: int) -> int:
    """`wanted`, or the next free port after it.

    Raises:
        OutputError: the address is not this machine's, or none of the next 50 ports is free.
    """
    address = host.strip("[]")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for port in range(wanted, min(wanted + PORTS_TRIED, 65536)):
        with socket.socket(family) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((address, port))
                return port
            except socket.gaierror as error:
                raise OutputError(f"--host {host} is no address of this machine ({error.strerror}).") from error
            except PermissionError:
                continue
            except OSError as error:
                if port == wanted and not _taken(error):
                    raise OutputError(f"--host {host} cannot be used: {error.strerror}.") from error
    raise OutputError(f"No port from {wanted} to {wanted + PORTS_TRIED - 1} is free; name another with --port.")


def _taken(error: OSError) -> bool:
    import errno

    return error.errno in (errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", errno.EADDRINUSE))


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port; ports go from 1 to 65535")
    return port
