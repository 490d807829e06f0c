"""Look for passwords in everything below some folders, and say in which files they are. Exit code 1 where there is one.

    CANARIES='["..."]' python search.py FOLDER...

Each folder is one place, counted by itself. A password is found as it is; as URLs, JSON, Python, YAML, SQL, HTML and
shells escape it; in base64 at each of its three alignments; and in what is compressed: bundles in logs of pods, and
Helm's own records of a release, which are compressed and twice in base64. Each way is tried on a file made for it
first: a search that could not find anything proves nothing.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import json
import os
import re
import shlex
import sys
import tempfile
import typing as t
import urllib.parse
import zlib
from pathlib import Path

TOKEN = re.compile(rb"[A-Za-z0-9+/]{24,}={0,2}")
DEPTH = 3
GZIP_TOO = 32 + zlib.MAX_WBITS


def escaped(secret: str) -> set[str]:
    """How a password may be written as text."""
    in_shell = "".join(f"\\{each}" if each in "'\\" else each for each in secret)
    in_double = "".join(f"\\{each}" if each in '"$`\\' else each for each in secret)
    return {
        secret,
        urllib.parse.quote(secret),
        urllib.parse.quote(secret, safe=""),
        urllib.parse.quote_plus(secret),
        urllib.parse.quote(secret, safe="").lower(),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        html.escape(secret),
        secret.replace("'", "''"),
        shlex.quote(secret)[1:-1] if "'" in shlex.quote(secret) else secret,
        in_shell,
        in_double,
    }


def forms(secret: str) -> set[bytes]:
    """How a password may be written."""
    found = {text.encode() for text in escaped(secret)}
    for text in list(found):
        for alignment in range(3):
            # Without the characters that also depend on what stands before and behind.
            encoded = base64.b64encode(b"\0" * alignment + text)
            found.add(encoded[(0, 2, 3)[alignment] : len(encoded) - 4])
    return found


def texts(content: bytes, depth: int = DEPTH) -> t.Iterator[bytes]:
    """The content, and everything that is compressed or encoded in it."""
    yield content
    if not depth:
        return
    for token in TOKEN.findall(content):
        try:
            inner = base64.b64decode(token)
        except binascii.Error:
            continue
        try:
            yield from texts(zlib.decompress(inner, GZIP_TOO), depth - 1)
        except zlib.error:
            # Text in base64 is among the forms; what is in base64 once more has to be unpacked.
            if TOKEN.fullmatch(inner.strip()):
                yield from texts(inner, depth - 1)


def hits(content: bytes, wanted: set[bytes]) -> bool:
    """Whether one of the forms is in it."""
    return any(form in text for text in texts(content) for form in wanted)


def check(secrets: list[str]) -> None:
    """Each form of each password is found where it was put."""
    for secret in secrets:
        plain = secret.encode()
        url = f"postgresql://u:{urllib.parse.quote(secret, safe='')}@h/d".encode()
        hidden = [url, *(text.encode() for text in escaped(secret))]
        hidden += [base64.b64encode(b"x" * n + text + b"y" * 5) for n in range(3) for text in (plain, url)]
        hidden += [base64.b64encode(zlib.compress(url)), json.dumps({"p": secret}).encode()]
        record = base64.b64encode(gzip.compress(json.dumps({"config": secret}).encode()))
        hidden += [record, base64.b64encode(record)]
        for content in hidden:
            with tempfile.NamedTemporaryFile() as file:
                Path(file.name).write_bytes(b"before " + content + b" behind")
                if not hits(Path(file.name).read_bytes(), forms(secret)):
                    sys.exit("the search itself does not find what it should")


def main() -> int:
    """Print what was searched and where a password is, JSON."""
    canaries: list[str] = json.loads(os.environ["CANARIES"])
    check(canaries)
    wanted = set().union(*map(forms, canaries))
    places: dict[str, t.Any] = {}
    found: list[str] = []
    for folder in sys.argv[1:]:
        files = [path for path in sorted(Path(folder).rglob("*")) if path.is_file()]
        places[folder] = {"files": len(files), "bytes": sum(path.stat().st_size for path in files)}
        found += [str(path) for path in files if hits(path.read_bytes(), wanted)]
    total = {key: sum(place[key] for place in places.values()) for key in ("files", "bytes")}
    print(json.dumps({"places": places, **total, "found": found}))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
