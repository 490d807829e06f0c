"""Released files over HTTPS from a real server, with everything that a closed network's mirror can do wrong."""

from __future__ import annotations

import hashlib
import io
import ssl
import tarfile
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import cache, download, released
from lab.progress import LabError
from lab.released import Release
from tests.mirror_server import Authority, Fault, MirrorServer, serving

PROGRAM = b"#!/bin/sh\necho hello\n" + bytes(range(256)) * 4096


def archive(member: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as packed:
        entry = tarfile.TarInfo(member)
        entry.size = len(content)
        packed.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


PACKED = archive("linux-amd64/tool", PROGRAM)
TOOL = "tools.example.com/v1/tool"
ARCHIVE = "tools.example.com/v1/tool.tar.gz"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def plain(checksum: str = sha256(PROGRAM)) -> Release:
    return Release("tool", "1", f"https://{TOOL}", sha256=checksum)


PUBLISHED = Release(
    "tool", "1", f"https://{ARCHIVE}", sha256_url=f"https://{ARCHIVE}.sha256sum", member="linux-amd64/tool"
)


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of this test."""
    monkeypatch.setattr(cache, "CACHE", tmp_path / "cache")
    for name in ("https_proxy", "HTTPS_PROXY", "LAB_RELEASES"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def mirror(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[MirrorServer]:
    files: dict[str, bytes | Path] = {f"lab/{TOOL}": PROGRAM, f"lab/{ARCHIVE}": PACKED}
    files[f"lab/{ARCHIVE}.sha256sum"] = f"{sha256(PACKED)}  tool.tar.gz\n".encode()
    with serving(authority, files) as server:
        monkeypatch.setenv("LAB_MIRROR", f"{server.url}/lab")
        monkeypatch.setenv("LAB_MIRROR_IMAGES", "mirror.example.com")
        monkeypatch.setenv("LAB_MIRROR_CA", str(authority.file))
        yield server


def left(kept: Path) -> list[str]:
    """What the cache has, its locks aside."""
    return sorted(path.name for path in kept.iterdir() if not path.name.endswith(".lock"))


def test_a_program_is_taken_from_its_verified_archive_once(mirror: MirrorServer) -> None:
    path = released.fetch(PUBLISHED)
    assert path.read_bytes() == PROGRAM
    assert path.stat().st_mode & 0o111
    assert [one.name for one in path.parent.iterdir()] == ["tool"]
    asked = mirror.paths()
    assert released.fetch(PUBLISHED) == path
    assert mirror.paths() == asked == [f"lab/{ARCHIVE}.sha256sum", f"lab/{ARCHIVE}"]


def test_what_does_not_match_its_checksum_is_not_kept(mirror: MirrorServer, kept: Path) -> None:
    with pytest.raises(LabError, match=rf"{mirror.url}/lab/{TOOL} has the SHA-256 .* it is not used"):
        released.fetch(plain("0" * 64))
    assert left(kept) == []


def test_an_archive_that_was_exchanged_is_not_kept(mirror: MirrorServer, kept: Path) -> None:
    mirror.files[f"lab/{ARCHIVE}"] = archive("linux-amd64/tool", b"another")
    with pytest.raises(LabError, match=r"has the SHA-256 .* it is not used"):
        released.fetch(PUBLISHED)
    assert left(kept) == []


def test_an_archive_without_the_program_is_named(mirror: MirrorServer, kept: Path) -> None:
    packed = archive("linux-amd64/other", b"another")
    mirror.files |= {f"lab/{ARCHIVE}": packed, f"lab/{ARCHIVE}.sha256sum": sha256(packed).encode()}
    with pytest.raises(LabError, match="has no file linux-amd64/tool in it"):
        released.fetch(PUBLISHED)
    assert not [name for name in left(kept) if name.startswith("released-")]


@pytest.mark.parametrize("kind", ["cut", "reset", "chunked-cut"])
def test_a_broken_download_is_continued_by_the_second_run(mirror: MirrorServer, kept: Path, kind: str) -> None:
    mirror.faults[f"lab/{TOOL}"] = Fault(kind, 300_000)
    with pytest.raises(LabError, match=rf"{TOOL} broke off before its end: run the same command again"):
        released.fetch(plain())
    assert not [name for name in left(kept) if name.startswith("released-")]
    assert released.fetch(plain()).read_bytes() == PROGRAM
    begin = int(mirror.asked[-1][2].removeprefix("bytes=").removesuffix("-"))
    # What a reset connection, or a chunk that has no end, had not handed over yet is lost with it.
    assert begin == 300_000 if kind == "cut" else 0 < begin <= 300_000
    assert left(kept) == [released.fetch(plain()).parent.name]


@pytest.mark.parametrize(
    "error", [BrokenPipeError(32, "Broken pipe"), ConnectionResetError(), ssl.SSLEOFError(8, "EOF occurred")]
)
def test_a_connection_that_broke_says_how_to_go_on(error: OSError) -> None:
    for told in (error, urllib.error.URLError(error)):
        assert "run the same command again" in download.explain("https://tools.example.com/tool", told)


def test_a_connection_that_was_refused_did_not_break() -> None:
    told = urllib.error.URLError(ConnectionRefusedError(111, "Connection refused"))
    assert "could not be fetched" in download.explain("https://tools.example.com/tool", told)


def test_a_server_without_ranges_sends_everything_again(mirror: MirrorServer) -> None:
    mirror.faults[f"lab/{TOOL}"] = Fault("cut", 300_000)
    with pytest.raises(LabError, match="broke off"):
        released.fetch(plain())
    mirror.ranges = False
    assert released.fetch(plain()).read_bytes() == PROGRAM
    assert mirror.asked[-1][2] == "bytes=300000-"


def test_a_shorter_content_that_calls_itself_whole_is_not_kept(mirror: MirrorServer, kept: Path) -> None:
    mirror.faults[f"lab/{TOOL}"] = Fault("short", 300_000)
    with pytest.raises(LabError, match=r"has the SHA-256 .* it is not used"):
        released.fetch(plain())
    assert left(kept) == []
    assert released.fetch(plain()).read_bytes() == PROGRAM


@pytest.mark.parametrize("rest", [b"x" * 300_000, PROGRAM + b"more", PROGRAM])
def test_a_beginning_of_something_else_costs_one_more_download(mirror: MirrorServer, kept: Path, rest: bytes) -> None:
    kept.mkdir()
    (kept / f".part-{sha256(PROGRAM)}").write_bytes(rest)
    assert released.fetch(plain()).read_bytes() == PROGRAM


def test_a_checksum_file_that_breaks_off_is_none(mirror: MirrorServer) -> None:
    mirror.faults[f"lab/{ARCHIVE}.sha256sum"] = Fault("cut", 70)
    with pytest.raises(LabError, match=r"sha256sum broke off before its end"):
        released.fetch(PUBLISHED)
    assert released.fetch(PUBLISHED).read_bytes() == PROGRAM


def test_what_the_mirror_lacks_is_named(mirror: MirrorServer) -> None:
    del mirror.files[f"lab/{TOOL}"]
    with pytest.raises(LabError, match=rf"{mirror.url}/lab/{TOOL} is not there \(HTTP 404\): make lab-mirror lists"):
        released.fetch(plain())


@pytest.mark.parametrize(
    ("status", "words"),
    [("401", "let the mirror be read without one"), ("403", "may not be read"), ("503", "HTTP 503")],
)
def test_a_mirror_that_refuses_is_named(mirror: MirrorServer, status: str, words: str) -> None:
    mirror.faults[f"lab/{TOOL}"] = Fault(status)
    with pytest.raises(LabError, match=words) as caught:
        released.fetch(plain())
    assert "\n" not in str(caught.value)


def test_an_unknown_authority_is_not_trusted(mirror: MirrorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAB_MIRROR_CA")
    with pytest.raises(LabError, match=rf"certificate of 127.0.0.1:{mirror.port} is not trusted .*LAB_MIRROR_CA"):
        released.fetch(plain())
    assert mirror.asked == []


def test_another_authority_of_the_same_name_is_not_trusted(
    mirror: MirrorServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_MIRROR_CA", str(Authority(tmp_path).file))
    with pytest.raises(LabError, match="is not trusted"):
        released.fetch(plain())
    assert mirror.asked == []


def test_an_authority_in_this_machines_store_is_trusted(
    mirror: MirrorServer, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAB_MIRROR_CA")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    assert released.fetch(plain()).read_bytes() == PROGRAM


def test_a_certificate_of_another_server_is_not_trusted(mirror: MirrorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_MIRROR", f"https://localhost:{mirror.port}/lab")
    with pytest.raises(LabError, match=r"is not trusted \(Hostname mismatch"):
        released.fetch(plain())


def test_a_mirror_that_does_not_run_is_named(mirror: MirrorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_MIRROR", "https://127.0.0.1:9/lab")
    with pytest.raises(LabError, match=r"https://127.0.0.1:9/.*Connection refused.*check LAB_MIRROR and the network"):
        released.fetch(plain())


def test_a_table_of_checksums_stands_above_the_publishers(
    mirror: MirrorServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "releases.yml"
    monkeypatch.setenv("LAB_RELEASES", str(table))
    table.write_text(f"{PUBLISHED.url}: {'0' * 64}\n")
    with pytest.raises(LabError, match=f"not {'0' * 64}: it is not used"):
        released.fetch(PUBLISHED)
    table.write_text(f"{PUBLISHED.url}: sha256:{sha256(PACKED)}\n")
    assert released.fetch(PUBLISHED).read_bytes() == PROGRAM
    assert f"lab/{ARCHIVE}.sha256sum" not in mirror.paths()


def test_what_a_mirror_alone_vouched_for_is_not_the_publishers(
    mirror: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = released.fetch(PUBLISHED)
    monkeypatch.setenv("LAB_MIRROR", f"{mirror.url}/other")
    with pytest.raises(LabError, match="is not there"):
        released.fetch(PUBLISHED)
    monkeypatch.setenv("LAB_MIRROR", f"{mirror.url}/lab")
    assert released.fetch(PUBLISHED) == path
