"""What pods and servers say is shown on terminals: it must not drive them."""

from __future__ import annotations

import re
import sys
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.report import report
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import all_printable, printable
from ansible_collections.ai_platform.agent.plugins.module_utils._release.diagnosis import as_dict, diagnose

# Into the clipboard, clear the screen, the same in one character each, ring, back to the line's begin, read backwards.
HOSTILE = "a\x1b]52;c;UFdORUQ=\x07\x1b[2J\x9b2J\x9d0;t\x9c\x00\r\u202eb"
DRIVING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def assert_harmless(value: t.Any) -> None:
    if isinstance(value, str):
        assert not DRIVING.search(value), value
    elif isinstance(value, dict):
        for name, item in value.items():
            assert_harmless(name)
            assert_harmless(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            assert_harmless(item)


def test_every_character_that_is_kept_is_one_to_read() -> None:
    kept = printable("".join(map(chr, range(sys.maxunicode + 1)))).replace("\ufffd", "")
    assert not DRIVING.search(kept)
    assert "\n\t" in printable("\n\t")
    assert {"ä", "‰", "漢", "🙂", "\u200d"} <= set(kept)
    kept.encode()


@pytest.mark.parametrize("where", ["error", "finding", "report", "diagnosis"])
def test_foreign_words_drive_no_terminal(where: str) -> None:
    found = finding("pod-refused", HOSTILE)
    waiting = {"state": {"waiting": {"reason": "ErrImagePull", "message": HOSTILE}}, "name": "agent", "image": HOSTILE}
    pod = {"metadata": {"name": "demo-1"}, "spec": {"containers": []}, "status": {"containerStatuses": [waiting]}}
    event = {"message": HOSTILE, "reason": HOSTILE, "involvedObject": {"kind": "Pod", "name": "demo-1"}}
    said: dict[str, t.Any] = {
        "error": FindingError("pod-refused", HOSTILE).message,
        "finding": found.as_dict(),
        "report": report("k", HOSTILE, [found], {HOSTILE: {"sql": [HOSTILE, {"n": (1, HOSTILE, None)}]}}),
        "diagnosis": as_dict(diagnose("demo", [pod], [event], f"Error: {HOSTILE}")),
    }
    assert "UFdORUQ=" in str(said[where])
    assert_harmless(said[where])


def test_what_is_no_text_stays_what_it_is() -> None:
    assert all_printable({"a": [1, 2.5, True, None, ("x",)], 3: "y"}) == {"a": [1, 2.5, True, None, ["x"]], 3: "y"}
