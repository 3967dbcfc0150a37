#!/usr/bin/env bash
# Starts MOVA Studio, installing what it needs into .venv beside this file on the first run.
#
#   ./launch.sh [flags of app.py]     install if needed, then start the studio
#   ./launch.sh test [pytest flags]   install the test tools if needed, then lint, type-check and test
#   PYTHON=/path/to/python ./launch.sh    build .venv from this interpreter
#
# Exit codes of its own: 20 no suitable Python, 21 the install failed. Otherwise those of app.py or the tests.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
venv="$here/.venv"
python="$venv/bin/python"

say() { printf '%s\n' "$*" >&2; }

# Prints what an install depends on, one line; fails where the interpreter does not start.
signature() {
  "$1" -c '
import hashlib, sys
digest = hashlib.sha256()
for path in sys.argv[1:]:
    with open(path, "rb") as stream:
        digest.update(stream.read())
print("%d.%d" % sys.version_info[:2], sys.base_prefix, digest.hexdigest())' "${@:2}" 2>/dev/null
}

supported() {
  "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

# Sets `base` to the interpreter that .venv is built from.
find_python() {
  local name
  if [ -n "${PYTHON:-}" ]; then
    if ! supported "$PYTHON"; then
      say "PYTHON=$PYTHON is not a working Python 3.10 to 3.13. Give another one, or unset PYTHON to search for it."
      exit 20
    fi
    base="$PYTHON"
    return
  fi
  for name in python3.13 python3.12 python3.11 python3.10 python3 python; do
    if supported "$name"; then
      base="$name"
      return
    fi
  done
  say "MOVA Studio needs Python 3.10, 3.11, 3.12 or 3.13, and none was found on the PATH."
  say "Install one (Debian and Ubuntu: sudo apt install python3 python3-venv; macOS: brew install python@3.13;"
  say "elsewhere: python.org), or name one: PYTHON=/path/to/python3.12 ./launch.sh"
  exit 20
}

make_venv() {
  local version
  if ! "$base" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    version="$("$base" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
    say "Python $version ($base) lacks its venv module. On Debian and Ubuntu: sudo apt install python$version-venv"
    say "(or python3-venv); then run ./launch.sh again. Or name another Python: PYTHON=/path/to/python ./launch.sh"
    exit 20
  fi
  say "Making $venv with $("$base" --version 2>&1)."
  if ! "$base" -m venv --clear "$venv"; then
    say "The folder $venv could not be made. Check that the disk has room and that you may write there."
    exit 21
  fi
}

# True if .venv holds exactly what FILE... ask for: is_installed NAME FILE...
is_installed() {
  local stamp="$venv/.installed-$1" wanted
  shift
  wanted="$(signature "$python" "$@")" || return 1
  [ -z "${PYTHON:-}" ] || [ "$(signature "$PYTHON" "$@")" = "$wanted" ] || return 1
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]
}

# Written last and by renaming: an install that was interrupted leaves no stamp, and so is done again.
write_stamp() {
  local stamp="$venv/.installed-$1"
  shift
  signature "$python" "$@" >"$stamp.new"
  mv "$stamp.new" "$stamp"
}

# True if .venv can be installed into: a supported Python (the one that PYTHON names, if it does) with pip.
usable_venv() {
  supported "$python" && "$python" -m pip --version >/dev/null 2>&1 || return 1
  [ -z "${PYTHON:-}" ] || [ "$(signature "$PYTHON")" = "$(signature "$python")" ]
}

install() {
  if ! usable_venv; then
    find_python
    make_venv
  fi
  rm -f "$venv"/.installed-*
  say "Installing the packages of ${1##*/} into $venv. The first time takes several minutes; later starts skip it."
  if ! "$python" -m pip install --disable-pip-version-check -r "$1" >&2; then
    say "The install failed; the lines above say why. Check the internet connection and the free disk space,"
    say "then run ./launch.sh again: what has been fetched is not fetched twice."
    exit 21
  fi
}

# Many tests wait for a process or a page, so two run at a time, each with one thread for its arithmetic.
run_pytest() {
  OMP_NUM_THREADS=1 "$python" -m pytest -n 2 --dist loadfile "$@"
}

run_tests() {
  local failed="" name
  cd "$here"
  "$python" -m ruff check . || failed="$failed ruff-check"
  "$python" -m ruff format --check . || failed="$failed ruff-format"
  "$python" -m mypy || failed="$failed mypy"
  if [ "$#" -gt 0 ]; then
    run_pytest "$@" || failed="$failed pytest"
  else
    # The page is driven by itself: a worker gives way to everything else on the machine, tests that compute included.
    run_pytest --ignore=tests/browser || failed="$failed pytest"
    run_pytest tests/browser || failed="$failed pytest-browser"
  fi
  for name in $failed; do
    say "FAILED: $name"
  done
  [ -z "$failed" ]
}

export GRADIO_ANALYTICS_ENABLED=False HF_HUB_DISABLE_TELEMETRY=1

studio_needs=("$here/requirements.txt")
tests_need=("$here/requirements.txt" "$here/requirements-dev.txt")

if [ "${1:-}" = test ]; then
  shift
  if ! is_installed tests "${tests_need[@]}"; then
    install "$here/requirements-dev.txt"
    write_stamp studio "${studio_needs[@]}"
    write_stamp tests "${tests_need[@]}"
  fi
  run_tests "$@"
else
  if ! is_installed studio "${studio_needs[@]}"; then
    install "$here/requirements.txt"
    write_stamp studio "${studio_needs[@]}"
  fi
  exec "$python" "$here/app.py" "$@"
fi
