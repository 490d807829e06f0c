"""Lines of logs as programs write them."""

from __future__ import annotations

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.log_line import spoken

TRACEBACK = '"Traceback (most recent call last):\\n  File \\"a.py\\", line 1\\nKeyError: \'PG\'\\n"'


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("plain words", "plain words"),
        ('{"level": "info", "message": "ready on 8000"}', "ready on 8000"),
        # structlog, with the traceback of an exception
        (f'{{"event": "start failed", "exception": {TRACEBACK}, "level": "error"}}', "start failed: KeyError: 'PG'"),
        # zap
        (
            '{"level":"fatal","msg":"no database","error":"dial tcp: refused"}',
            "no database: dial tcp: refused",
        ),
        # pino
        ('{"level":60,"msg":"gone","err":{"type":"Error","message":"ECONNREFUSED","stack":"…"}}', "gone: ECONNREFUSED"),
        ('{"level":60,"err":{"message":"gone"},"msg":"gone"}', "gone"),
        ('{"message": "", "error": null}', '{"message": "", "error": null}'),
        ('{"count": 3}', '{"count": 3}'),
        ('{"message": 5}', '{"message": 5}'),
        ('{"cut": "o', '{"cut": "o'),
        ('{"a":' * 5000, '{"a":' * 5000),
        ('["message"]', '["message"]'),
    ],
)
def test_what_a_line_says(line: str, said: str) -> None:
    assert spoken(line) == said
