"""launch.sh as a person meets it, with stand-ins for the interpreter, so that nothing is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt" or shutil.which("bash") is None, reason="launch.sh needs bash")

SCRIPT = Path(__file__).parents[2] / "launch.sh"

# Answers -c like the real interpreter, makes an environment by copying itself, and notes every install and tool.
STAND_IN = """#!{bash}
fail() {{ case " $FAIL " in *" $1 "*) exit 1 ;; esac; }}
case "$1 $2" in
  "-c "*venv*) fail venv; exit 0 ;;
  "-c "*) exec "{real}" -c "import sys; sys.base_prefix = '{home}'; sys.version_info = {version}
$2" "${{@:3}}" ;;
  "-m venv") mkdir -p "$4/bin" && cp "$0" "$4/bin/python" && echo "venv {home}" >>"$NOTES" ;;
  "-m pip") [ "$3" = install ] || exit 0
    echo "install ${{@: -1}}" >>"$NOTES"; fail pip
    [ "$FAIL" != killed ] || kill -9 $PPID ;;
  "-m "*) echo "$2" >>"$NOTES"; fail "$2" ;;
  "--version "*) echo "Python of {home}" ;;
  *) exec "{real}" "$@" ;;
esac
"""

APP = "import json, os, sys; print(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]))"


class Checkout:
    """A copy of launch.sh in a folder with a space, and the PATH that it is started with."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "my videos" / "studio"
        self.root.mkdir(parents=True)
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.notes = folder / "notes"
        shutil.copy(SCRIPT, self.root)
        (self.root / "app.py").write_text(APP)
        for name in ("requirements.txt", "requirements-dev.txt"):
            (self.root / name).write_text("torch==2\n")
        for tool in ("bash", "cat", "cp", "dirname", "mkdir", "mv", "rm"):
            (self.bin / tool).symlink_to(str(shutil.which(tool)))

    def add_python(self, name: str, version: tuple[int, int] = (3, 12), home: str = "/usr") -> Path:
        path = self.bin / name
        path.write_text(
            STAND_IN.format(bash=shutil.which("bash"), real=sys.executable, version=version, home=home), "utf-8"
        )
        path.chmod(0o755)
        return path

    def start(self, *arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        clean = {"PATH": str(self.bin), "NOTES": str(self.notes), "HOME": str(self.root), "FAIL": ""}
        self.notes.write_text("")
        return subprocess.run(
            ["bash", str(self.root / "launch.sh"), *arguments],
            env=clean | environment,
            cwd=cwd or self.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    @property
    def noted(self) -> list[str]:
        return [line.replace(str(self.root) + "/", "") for line in self.notes.read_text().splitlines()]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_no_python_at_all(checkout: Checkout) -> None:
    done = checkout.start()
    assert done.returncode == 20
    assert "needs Python 3.10, 3.11, 3.12 or 3.13, and none was found" in done.stderr
    assert "apt install python3 python3-venv" in done.stderr
    assert not (checkout.root / ".venv").exists()


def test_only_unsuitable_pythons(checkout: Checkout) -> None:
    checkout.add_python("python3", (3, 9))
    checkout.add_python("python", (3, 14))
    broken = checkout.bin / "python3.12"
    broken.write_text("#!/bin/sh\necho 'version not installed' >&2; exit 127\n")
    broken.chmod(0o755)
    done = checkout.start()
    assert done.returncode == 20
    assert "none was found" in done.stderr
    assert "version not installed" not in done.stderr


def test_the_newest_suitable_python_is_taken(checkout: Checkout) -> None:
    checkout.add_python("python3", (3, 10), home="/ten")
    checkout.add_python("python3.11", (3, 11), home="/eleven")
    checkout.add_python("python3.13", (3, 9), home="/not really")
    assert checkout.start().returncode == 0
    assert checkout.noted == ["venv /eleven", "install requirements.txt"]


def test_a_python_that_is_named_and_wrong(checkout: Checkout) -> None:
    checkout.add_python("python3")
    old = checkout.add_python("old", (3, 8))
    for name in (str(old), "/no/such/python"):
        done = checkout.start(PYTHON=name)
        assert done.returncode == 20
        assert f"PYTHON={name} is not a working Python 3.10 to 3.13" in done.stderr


def test_a_python_without_its_venv_module(checkout: Checkout) -> None:
    checkout.add_python("python3.12")
    done = checkout.start(FAIL="venv")
    assert done.returncode == 20
    assert "lacks its venv module" in done.stderr
    assert "sudo apt install python3.12-venv" in done.stderr


def test_the_first_start_installs_and_the_second_does_not(checkout: Checkout, tmp_path: Path) -> None:
    checkout.add_python("python3.12")
    first = checkout.start("--port", "7000", "--library", "my takes", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert checkout.noted == ["venv /usr", "install requirements.txt"]
    assert "first time takes several minutes" in first.stderr

    second = checkout.start("--port", "7000", "--library", "my takes", cwd=tmp_path)
    assert (second.returncode, second.stderr, checkout.noted) == (0, "", [])
    for done in (first, second):
        arguments, cwd, environment = json.loads(done.stdout)
        assert arguments == ["--port", "7000", "--library", "my takes"]
        assert Path(cwd) == tmp_path, "paths that the person gives stay relative to where they are"
        assert environment["GRADIO_ANALYTICS_ENABLED"] == "False"
        assert environment["HF_HUB_DISABLE_TELEMETRY"] == "1"


def test_the_programs_exit_code_comes_through(checkout: Checkout) -> None:
    checkout.add_python("python3.12")
    (checkout.root / "app.py").write_text("raise SystemExit(7)")
    assert checkout.start().returncode == 7


def test_changed_requirements_are_installed(checkout: Checkout) -> None:
    checkout.add_python("python3.12")
    checkout.start()
    (checkout.root / "requirements.txt").write_text("torch==3\n")
    assert checkout.start().returncode == 0
    assert checkout.noted == ["install requirements.txt"]


def test_another_interpreter_gets_a_new_environment(checkout: Checkout) -> None:
    checkout.add_python("python3.12", home="/usr")
    checkout.start()
    other = checkout.add_python("mine", (3, 11), home="/opt/mine")
    assert checkout.start(PYTHON=str(other)).returncode == 0
    assert checkout.noted == ["venv /opt/mine", "install requirements.txt"]
    assert checkout.start(PYTHON=str(other)).returncode == 0
    assert checkout.noted == []
    assert checkout.start().returncode == 0, "without PYTHON, the environment that is there is kept"
    assert checkout.noted == []


def test_an_interpreter_that_went_away(checkout: Checkout) -> None:
    checkout.add_python("python3.12")
    checkout.start()
    (checkout.root / ".venv" / "bin" / "python").unlink()
    assert checkout.start().returncode == 0
    assert checkout.noted == ["venv /usr", "install requirements.txt"]


@pytest.mark.parametrize(("how", "code"), [("pip", 21), ("killed", -9)])
def test_an_install_that_did_not_finish_is_done_again(checkout: Checkout, how: str, code: int) -> None:
    checkout.add_python("python3.12")
    done = checkout.start(FAIL=how)
    assert done.returncode == code
    if how == "pip":
        assert "Check the internet connection and the free disk space" in done.stderr
    assert checkout.start().returncode == 0
    assert checkout.noted == ["install requirements.txt"]
    assert checkout.start().returncode == 0
    assert checkout.noted == []


def test_an_update_that_did_not_finish_is_done_again(checkout: Checkout) -> None:
    checkout.add_python("python3.12")
    checkout.start()
    original = (checkout.root / "requirements.txt").read_text()
    (checkout.root / "requirements.txt").write_text("torch==3\n")
    assert checkout.start(FAIL="pip").returncode == 21
    (checkout.root / "requirements.txt").write_text(original)
    assert checkout.start().returncode == 0
    assert checkout.noted == ["install requirements.txt"], "half of another set may be there"


def test_the_tests_run_every_check_and_fail_if_one_fails(checkout: Checkout) -> None:
    checkout.add_python("python3.12")
    checks = ["ruff", "ruff", "mypy", "pytest"]
    done = checkout.start("test", "-q")
    assert done.returncode == 0, done.stderr
    assert checkout.noted == ["venv /usr", "install requirements-dev.txt", *checks]
    for failing in checks:
        done = checkout.start("test", FAIL=failing)
        assert done.returncode == 1
        assert f"FAILED: {failing}" in done.stderr
        assert checkout.noted == [*checks, "pytest"], "without flags, the browser tests run by themselves"
    checkout.start()
    assert checkout.noted == [], "the test tools include what the studio needs"


def test_the_studio_alone_does_not_have_the_test_tools(checkout: Checkout) -> None:
    checkout.add_python("python3.12")
    checkout.start()
    checkout.start("test")
    assert checkout.noted[0] == "install requirements-dev.txt"
