"""Messages of ansible-core's own check, as it makes them, and what a person reads of them."""

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.ai_platform.agent.plugins.module_utils._common.argument_errors import in_words

SPECIFICATION: dict[str, t.Any] = {
    "values": {"type": "dict"},
    "count": {"type": "int"},
    "loud": {"type": "bool"},
    "names": {"type": "list", "elements": "str"},
    "images": {"type": "dict", "options": {"agent": {"type": "dict"}, "tag": {"type": "str"}}},
    "mode": {"type": "str", "choices": ["a", "b"]},
}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"values": ["x"]}, "values must be a dictionary, and is a list"),
        ({"count": "many"}, "count must be a whole number, and is a text"),
        ({"loud": {"a": 1}}, "loud must be true or false, and is a dictionary"),
        ({"names": {"a": 1}}, "names must be a list, and is a dictionary"),
        ({"images": {"agent": 3}}, "images.agent must be a dictionary, and is a whole number"),
        ({"images": {"agnet": {}}}, "images.agnet does not exist: there are agent, tag"),
        ({"mode": "c"}, "value of mode must be one of: a, b, got: c"),
    ],
)
def test_what_ansible_says_is_said_in_words(given: dict[str, t.Any], said: str) -> None:
    found = ArgumentSpecValidator(SPECIFICATION).validate(given).error_messages
    assert in_words(found) == [said]
