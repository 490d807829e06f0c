"""Why the endpoint of the model was not usable: the finding for each failed phase and each status. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.facts import Observation, PhaseRecord

MODEL: t.Final = "model"
# OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_EXPIRED = 10
# socket.gaierror: there is no such name, as opposed to a name service that does not answer.
_NO_NAME = frozenset({-2, -5})
_UNKNOWN_CALLER = 401
_OF_STATUS = {
    _UNKNOWN_CALLER: "model-key-refused",
    403: "model-forbidden",
    404: "model-path-unknown",
    405: "model-path-unknown",
    407: "model-proxy",
    410: "model-path-unknown",
    429: "model-rate-limited",
}
_REDIRECTED = range(300, 400)
_SERVER_FAILED = range(500, 600)
_SUCCESS = 200
# Layers at which nothing has come back yet, so that a policy may be the cause.
_SILENT = frozenset({"model-filtered"})


def model_cause(phase: PhaseRecord) -> str:
    """The id of the finding for a failed phase of the model's endpoint."""
    name, error = phase["phase"], phase["error"]
    known = error.get("errno") in _NO_NAME
    by_phase = {
        "url": "model-url-invalid",
        "dns": _near(phase, "model-host-unknown") if known else "dns-unavailable",
        "tcp": _near(
            phase, "model-connection-refused" if error.get("errno") == errno.ECONNREFUSED else "model-filtered"
        ),
        "proxy": "model-proxy",
    }
    if name in by_phase:
        return by_phase[name]
    if error.get("cause") == "timeout":
        return "model-silent"
    # TLS 1.3 asks for a client's certificate in the handshake and refuses after it.
    if name == "tls" or error.get("cause") == "client-certificate":
        return "certificate-expired" if is_expired(phase) else "model-tls"
    return _of_answer(phase["facts"])


def _near(phase: PhaseRecord, cause: str) -> str:
    """The cause, or the proxy where it is the one that was asked."""
    return "model-proxy" if phase["facts"].get("proxy") else cause


def _of_answer(facts: t.Mapping[str, t.Any]) -> str:
    """The cause of a request without success."""
    if (status := facts.get("status")) is None:
        return "model-not-http"
    if status in _OF_STATUS:
        return "model-key-missing" if status == _UNKNOWN_CALLER and not facts.get("key") else _OF_STATUS[status]
    if status in _REDIRECTED:
        return "model-redirected"
    # After a success it broke off.
    return "model-unavailable" if status in {*_SERVER_FAILED, _SUCCESS} else "model-refused"


def is_expired(phase: PhaseRecord) -> bool:
    """Whether a handshake failed because the certificate is past its end."""
    return phase["phase"] == "tls" and not phase["ok"] and phase["error"].get("verify_code") == _EXPIRED


def told(phase: PhaseRecord) -> str:
    """What a refusal said besides its status: where to, and when again."""
    facts = phase["facts"]
    more = [f"it leads to {facts['location']}"] if facts.get("location") else []
    more += [f"try again after {facts['retry_after']}"] if facts.get("retry_after") else []
    return "".join(f"; {words}" for words in more)


def not_tested(observation: Observation, cause: str) -> bool:
    """Whether a failure says nothing of the agent: the policies let its own pods alone to the model's endpoint."""
    return observation["from"] == "probe" and cause in _SILENT


__all__ = ("MODEL", "is_expired", "model_cause", "not_tested", "told")
