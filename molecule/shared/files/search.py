"""Look for passwords in everything below some folders, and say in which files they are. Exit code 1 where there is one.

    CANARIES='["..."]' python search.py FOLDER...

A password is found as it is, percent-encoded, in base64 at each of its three alignments, and in what pods compress
for their logs. Each way is tried on a file made for it first: a search that could not find anything proves nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import sys
import tempfile
import urllib.parse
import zlib
from collections.abc import Iterator
from pathlib import Path

TOKEN = re.compile(rb"[A-Za-z0-9+/]{24,}={0,2}")


def forms(secret: str) -> set[bytes]:
    """How a password may be written."""
    plain = secret.encode()
    found = {plain, urllib.parse.quote(secret).encode(), urllib.parse.quote(secret, safe="").encode()}
    found.add(json.dumps(secret)[1:-1].encode())
    for alignment in range(3):
        # Without the characters that also depend on what stands before and behind.
        encoded = base64.b64encode(b"\0" * alignment + plain)
        found.add(encoded[(0, 2, 3)[alignment] : len(encoded) - 4])
    return found


def texts(content: bytes) -> Iterator[bytes]:
    """The content, and everything compressed in it."""
    yield content
    for token in TOKEN.findall(content):
        try:
            yield zlib.decompress(base64.b64decode(token))
        except (binascii.Error, zlib.error):
            continue


def hits(content: bytes, wanted: set[bytes]) -> int:
    """How many of the forms are in it."""
    return sum(any(form in text for text in texts(content)) for form in wanted)


def check(secrets: list[str]) -> None:
    """Each form of each password is found where it was put."""
    for secret in secrets:
        plain = secret.encode()
        url = f"postgresql://u:{urllib.parse.quote(secret, safe='')}@h/d".encode()
        hidden = [plain, url, *(base64.b64encode(b"x" * n + plain + b"y" * 5) for n in range(3))]
        hidden += [base64.b64encode(zlib.compress(url)), json.dumps({"p": secret}).encode()]
        for content in hidden:
            with tempfile.NamedTemporaryFile() as file:
                Path(file.name).write_bytes(b"before " + content + b" behind")
                if not hits(Path(file.name).read_bytes(), forms(secret)):
                    sys.exit("the search itself does not find what it should")


canaries: list[str] = json.loads(os.environ["CANARIES"])
check(canaries)
wanted = set().union(*map(forms, canaries))
files = [path for folder in sys.argv[1:] for path in Path(folder).rglob("*") if path.is_file()]
found = [str(path) for path in files if hits(path.read_bytes(), wanted)]
print(json.dumps({"files": len(files), "bytes": sum(path.stat().st_size for path in files), "found": found}))
sys.exit(1 if found else 0)
