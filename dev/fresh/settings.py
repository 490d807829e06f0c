"""What the package clients of this machine are told, so that those of a machine made on it find their servers as well.

Read from the clients themselves and from the environment: no server's name stands here.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from lab import shell

NAMES = re.compile(
    r"(?:https?|ftp|all|no)_proxy|PIP_\w+|UV_\w+|GO(?:PROXY|SUMDB|NOSUMDB|PRIVATE|NOPROXY|INSECURE)"
    r"|\w*SSL_CERT_(?:FILE|DIR)|\w*_CA_BUNDLE|GIT_SSL_CAINFO|NODE_EXTRA_CA_CERTS",
    re.IGNORECASE,
)
APT = re.compile(r"Acquire::(?:https?::(?:Proxy|CaInfo|Verify-\w+)[\w:.-]*|Check-(?:Valid-Until|Date)) \".*\";")


def environment() -> dict[str, str]:
    """Variables about indexes, proxies and certificates.

    A path is handed on only where it leads to certificates: other files of this machine are not on the new one.
    """
    found = {name: value for name, value in os.environ.items() if NAMES.fullmatch(name)}
    return {name: value for name, value in found.items() if not value.startswith("/") or _certificates(name, value)}


def certificates() -> list[Path]:
    """Files of certificates that :func:`environment` and pip's configuration name."""
    values = {*environment().values(), *_pip().values()}
    return sorted(path for value in values if value.startswith("/") and (path := Path(value)).is_file())


def pip() -> str:
    """A pip.conf with what this machine's pip is configured with beside the environment."""
    lines = [f"{key} = {value}\n" for key, value in _pip().items()]
    return "".join(["[global]\n", *lines]) if lines else ""


def apt() -> str:
    """Proxies and checks out of apt's configuration; empty where this machine has no apt."""
    lines = shell.capture(["apt-config", "dump", "Acquire"]).stdout.splitlines()
    return "".join(f"{line}\n" for line in lines if APT.fullmatch(line))


def _pip() -> dict[str, str]:
    text = shell.capture([sys.executable, "-m", "pip", "config", "list"]).stdout
    found = dict(re.findall(r"^global\.([\w-]+)='(.*)'$", text, re.MULTILINE))
    return {key: value for key, value in found.items() if not value.startswith("/") or _certificates(key, value)}


def _certificates(name: str, value: str) -> bool:
    return bool(re.search(r"cert|ca_|cainfo", name, re.IGNORECASE)) and Path(value).exists()
