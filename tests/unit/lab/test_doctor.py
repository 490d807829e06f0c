from __future__ import annotations

import base64

import pytest

from lab import doctor, logs


def test_memory_is_what_is_not_available() -> None:
    text = "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    600 kB\nHugePages_Total:   0\n"
    assert doctor.memory(text) == (400 * 1024, 1000 * 1024)


@pytest.mark.parametrize(
    ("text", "size"), [("1.5GiB", 1.5 * 2**30), ("321MiB", 321 * 2**20), ("12kB", 12e3), ("0B", 0), ("2GB", 2e9)]
)
def test_sizes_as_docker_prints_them(text: str, size: float) -> None:
    assert doctor.docker_bytes(text) == size


def test_what_is_no_size_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a size"):
        doctor.docker_bytes("--")


def test_a_masked_text_holds_no_secret() -> None:
    text = "password=correct-horse url=postgres://u:correct-horse-battery@db\nport 5432"
    masked = logs.mask(text, {"correct-horse", "correct-horse-battery", "5432"})
    assert masked == "password=******** url=postgres://u:********@db\nport 5432"


def test_values_of_secrets_whole_by_line_and_encoded() -> None:
    def encoded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    items: list[dict[str, object]] = [
        {"type": "Opaque", "data": {"password": encoded("first-one"), "file": encoded("line-one\nline-two")}},
        {"type": "helm.sh/release.v1", "data": {"release": encoded("huge")}},
        {"type": "Opaque", "data": {"binary": base64.b64encode(b"\xff\xfe").decode()}},
        {"type": "Opaque"},
    ]
    found = logs.decoded(items)
    assert {"first-one", "line-one", "line-two", encoded("first-one")} <= found
    assert "huge" not in found


@pytest.mark.parametrize(
    ("instances", "state", "advice"), [(64, "broken", True), (128, "ok", True), (512, "ok", False)]
)
def test_inotify_instances_for_one_cluster_and_for_several(instances: int, state: str, *, advice: bool) -> None:
    found = doctor.inotify(instances)
    assert (found.state, "sysctl fs.inotify.max_user_instances=512" in found.text) == (state, advice)
