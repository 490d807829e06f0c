"""No form of a password leaves a pod."""

from __future__ import annotations

import json

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.probe_wire import Log, described

PASSWORD = 'p@:/%+ü"x'
FORMS = {
    "raw": PASSWORD,
    "encoded": "p%40%3A%2F%25%2B%C3%BC%22x",
    "lower": "p%40%3a%2f%25%2b%c3%bc%22x",
    "repr": repr(PASSWORD)[1:-1],
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_no_form_of_the_password_is_written(form: str) -> None:
    lines: list[str] = []
    log = Log(lines.append)
    log.hide(f"postgresql://user:{FORMS['encoded']}@host/db", PASSWORD)
    log.put(record="phase", error={"text": f"failed for {form} at host"}, facts={"deep": [{"er": form}]})
    assert json.loads(lines[0]) == {
        "record": "phase",
        "error": {"text": "failed for *** at host"},
        "facts": {"deep": [{"er": "***"}]},
    }


def test_a_url_that_nobody_told_of_loses_its_login() -> None:
    lines: list[str] = []
    Log(lines.append).put(error={"text": "cannot parse redis://:secret@host/0"})
    assert "secret" not in lines[0]
    assert "//***@host/0" in lines[0]


def test_a_password_that_is_a_word_of_the_message_does_not_hide_the_cause() -> None:
    lines: list[str] = []
    log = Log(lines.append)
    log.hide("postgresql://user:password@host/db", "password")
    log.put(error=described(OSError("FATAL:  password authentication failed")))
    said = json.loads(lines[0])["error"]
    assert said["text"] == "FATAL:  *** authentication failed"
    assert said["cause"] == "password"


def test_own_words_of_a_record_stay_what_they_are() -> None:
    lines: list[str] = []
    log = Log(lines.append)
    log.hide("redis://:p@host/0", "p")
    log.put(record="phase", phase="tcp", dependency="postgresql")
    assert json.loads(lines[0]) == {"record": "phase", "phase": "tcp", "dependency": "postgresql"}
