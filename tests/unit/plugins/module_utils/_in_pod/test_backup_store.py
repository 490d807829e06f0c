"""What a store of backups answers becomes one sentence, in which nothing stands that the store quoted."""

from __future__ import annotations

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import CATALOGUE
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import backup_store_failure as failure
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.backup_store import Place, Store
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError

WHERE = str(Place("b", "p/q", "https://s3.example.com"))


def test_every_code_has_a_finding_of_the_catalogue() -> None:
    for code, (found, words) in failure._CODES.items():
        error = failure.refused(WHERE, code, 400)
        assert (error.id, found in CATALOGUE) == (found, True)
        assert error.message == f"The store s3://b/p/q at https://s3.example.com {words}."
        assert error.message.count(". ") == 0


@pytest.mark.parametrize(
    ("code", "status", "message", "wanted", "words"),
    [
        (
            "AuthorizationHeaderMalformed",
            400,
            'the region "x" is wrong; expecting "eu-1"',
            "backup-store-bucket",
            "eu-1;",
        ),
        ("PermanentRedirect", 301, "Moved Permanently; use region eu-2", "backup-store-bucket", "eu-2;"),
        ("PermanentRedirect", 301, None, "backup-store-bucket", "another region"),
        (None, 507, None, "backup-store-full", "no room"),
        (None, 503, None, "backup-store-failed", "overloaded"),
        ("NotImplemented", 501, "s3cr3t", "backup-store-failed", "NotImplemented"),
        ("s3cr3t with words", 400, "s3cr3t", "backup-store-failed", "HTTP 400"),
    ],
)
def test_what_a_store_answers(code: str | None, status: int, message: str | None, wanted: str, words: str) -> None:
    error = failure.refused(WHERE, code, status, message)
    assert (error.id, words in error.message, "s3cr3t" in error.message) == (wanted, True, False)


@pytest.mark.parametrize(
    "endpoint", ["s3.example.com", "ftp://x", "https://", "https://h/path", "https://h:port", "a b"]
)
def test_an_endpoint_that_is_none(endpoint: str) -> None:
    with pytest.raises(CollectorError, match="correct endpoint") as caught:
        Store(Place("bucket", endpoint=endpoint))
    assert caught.value.id == "argument-invalid"
