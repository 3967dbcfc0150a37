"""From flags to a page that answers, and back to a clean end."""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from mova_studio.errors import StudioError
from mova_studio.ui.flags import free_port, is_loopback, parse_flags

if TYPE_CHECKING:
    from mova_studio.ui.access import Access, Account

MAX_UPLOAD = "64mb"
_HERE = Path(__file__).parent
_STYLES = (
    "studio.css",
    "queue.css",
    "gallery.css",
    "prompt.css",
    "adapters.css",
    "train.css",
    "timeline.css",
    "timeline_tracks.css",
)
_SCRIPTS = ("questions.js", "studio.js", "queue.js", "gallery.js", "compare.js", "adapters.js", "timeline.js")
# The parts of the Timeline's editor, which `timeline.js` puts together when the page attaches it.
_EDITOR = sorted(_HERE.glob("timeline_*.js"))


def run(arguments: Sequence[str] | None = None) -> int:
    """Start the studio and serve until Ctrl-C; returns the exit code."""
    flags = parse_flags(arguments)
    cache = Path(tempfile.mkdtemp(prefix="mova-studio-"))
    # Gradio reads its folder when it is imported, so nothing above imports it.
    os.environ["GRADIO_TEMP_DIR"] = str(cache)
    from mova_studio.ui.access import Access, choose_accounts

    try:
        public = flags.share or not is_loopback(flags.host)
        owner, guest = choose_accounts(flags.auth, flags.guest, public=public)
        port = free_port(flags.host, flags.port)
        if port != flags.port:
            _say(f"Port {flags.port} is taken by another program; using {port}.")
        return _serve(flags, port, Access(owner, guest))
    except StudioError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.exit_code
    finally:
        shutil.rmtree(cache, ignore_errors=True)


def _serve(flags: argparse.Namespace, port: int, access: Access) -> int:
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from mova_studio.jobs.studio import Studio
    from mova_studio.ui.catalogue import say
    from mova_studio.ui.closed_tabs import ClosedTabs
    from mova_studio.ui.page import build_page
    from mova_studio.ui.theme import studio_theme, tokens_css

    logging.getLogger("uvicorn.error").addFilter(ClosedTabs())
    studio = Studio(flags.library, flags.model)
    blocks = build_page(studio, access)
    blocks.queue(default_concurrency_limit=None)
    app_settings = {}
    if access.owner is None and ":" not in flags.host:
        # Without a login, a web page elsewhere must not reach us by a name that it points at this machine.
        hosts = ["localhost", "127.0.0.1", flags.host]
        app_settings["middleware"] = [Middleware(TrustedHostMiddleware, allowed_hosts=hosts)]
    scripts = [*(_HERE / name for name in _SCRIPTS), *_EDITOR]
    stop = threading.Event()
    _on_stop_signals(stop)
    try:
        _app, local, shared = blocks.launch(
            server_name=f"[{flags.host.strip('[]')}]" if ":" in flags.host else flags.host,
            server_port=port,
            share=flags.share,
            auth=access.check if access.owner else None,  # type: ignore[arg-type]
            auth_message=say("en", "login.message"),
            theme=studio_theme(),
            css=tokens_css() + "".join((_HERE / name).read_text("utf-8") for name in _STYLES),
            head="".join(f"<script>{file.read_text('utf-8')}</script>" for file in scripts),
            favicon_path=_HERE / "icon.svg",
            max_file_size=MAX_UPLOAD,
            footer_links=[],
            run_history=False,
            ssr_mode=False,
            enable_monitoring=False,
            quiet=True,
            prevent_thread_lock=True,
            app_kwargs=app_settings,
        )
        _say(f"MOVA Studio is at {local}")
        if flags.share:
            _say(f"and for others at {shared}" if shared else "The public address could not be had; serving here only.")
        for account, may in ((access.owner, "may do everything"), (access.guest, "may make, see and download takes")):
            if account is not None:
                _say(f"  {account.name} {may}; {_password(account)}")
        stop.wait()
    finally:
        blocks.close(verbose=False)
        studio.close()
    return 0


def _password(account: Account) -> str:
    return f"password {account.password}" if account.made else "password as given"


def _on_stop_signals(stop: threading.Event) -> None:
    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
