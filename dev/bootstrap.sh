#!/bin/sh
# Finds a Python that is new enough, and makes .venv from the pinned requirements. Quiet when there is nothing to do.
set -eu
cd "$(dirname "$0")/.."

fail() { echo "error: $*" >&2; exit 1; }

[ "$(uname -s)" = Linux ] || fail "the lab needs Linux, this is $(uname -s): use a Linux machine or virtual machine"
command -v git >/dev/null || fail "git is missing: install it, then run this again"

stamp=.venv/.requirements-$(cksum < requirements-dev.txt | tr ' ' -)
complete() { [ -e "$stamp" ] && [ -x .venv/bin/python ]; }
! complete || exit 0
# Two at once would each remove what the other makes. The lock is this file's, and ends with whoever holds it.
exec 9<dev/bootstrap.sh
flock --nonblock 9 || { echo "another make is making .venv: waiting for it"; flock 9; }
! complete || exit 0

# A pyenv shim on PATH may refuse to run, so a candidate counts only when it answers; venv needs ensurepip.
usable() { "$1" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; }
python=
pyenv=${PYENV_ROOT:-$HOME/.pyenv}/versions
uv=${UV_PYTHON_INSTALL_DIR:-$HOME/.local/share/uv/python}
# 3.13 first: the version that everything is tested with.
for candidate in "${PYTHON:-}" python3.13 "$pyenv"/3.13*/bin/python3 "$uv"/cpython-3.13*/bin/python3 \
    python3.14 "$pyenv"/3.14*/bin/python3 "$uv"/cpython-3.14*/bin/python3 \
    python3.12 "$pyenv"/3.12*/bin/python3 "$uv"/cpython-3.12*/bin/python3 python3; do
    if [ -n "$candidate" ] && usable "$candidate"; then
        python=$candidate
        break
    fi
done
# What to do depends on the distribution: an older one has no newer Python to offer.
remedy() {
    NAME="this distribution" ID= VERSION_ID=
    [ ! -r "${OS_RELEASE:=/etc/os-release}" ] || . "$OS_RELEASE"
    case $ID-${VERSION_ID%%.*} in
        debian-1[3-9] | ubuntu-2[4-9]) echo "run as root apt-get install python3-venv" ;;
        *) echo "${PRETTY_NAME:-$NAME} brings none, so install one with pyenv (pyenv install 3.13)" \
            "or uv (uv python install 3.13)" ;;
    esac
}
[ -n "$python" ] || fail "no Python 3.12 or newer with venv was found on PATH, under pyenv or uv: $(remedy)," \
    "or name one: make PYTHON=/path/to/python3"

echo "making .venv with $("$python" --version) from requirements-dev.txt (under a minute)"
# Made beside and moved into place would break its scripts' paths; a stamp written last marks it complete instead.
rm -rf .venv
"$python" -m venv .venv
# uv links what its cache holds, where pip unpacks and compiles the 30,000 files of `ansible` for minutes in each clone.
# uv does not read pip's configuration, so an index or certificate that the machine needs is passed to it.
pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }
# A setting that is not there makes pip fail, and is answered by nothing, which the callers look for.
configured() { pip config get "global.$1" 2>/dev/null || true; }
uv_install() {
    index=${UV_DEFAULT_INDEX:-${PIP_INDEX_URL:-$(configured index-url)}}
    certificate=${SSL_CERT_FILE:-${PIP_CERT:-$(configured cert)}}
    [ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
    [ -z "$certificate" ] || export SSL_CERT_FILE="$certificate"
    .venv/bin/uv pip install --quiet --python .venv/bin/python -r requirements-dev.txt
}
{ pip install --quiet --require-virtualenv "$(grep '^uv==' requirements-dev.txt)" && (uv_install); } ||
    pip install --quiet --require-virtualenv -r requirements-dev.txt ||
    fail "installing requirements-dev.txt into .venv failed: see pip's message above, then run this again"
# The thousands of modules of other collections are not loaded here, those of kubernetes.core are. Compiling only saves
# time later, so a file that does not compile is left to whoever imports it.
packages=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
find "$packages" -mindepth 1 -maxdepth 1 ! -name ansible_collections \( -type d -o -name '*.py' \) -print0 |
    xargs -0 .venv/bin/python -m compileall -q -j0 "$packages/ansible_collections/kubernetes" >/dev/null 2>&1 || true
[ -x .venv/bin/python ] || fail "something removed .venv while it was made: run this again"
touch "$stamp"
