"""The program cosign, which signs what is in an OCI registry and says what is attested of it, with a key pair.

Nothing is written to a transparency log, which would publish the name of what is signed.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._release import helm as program
from ansible_collections.ai_platform.agent.plugins.module_utils._release.attestations import bare, predicates
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import FETCH_SECONDS, ChartError

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterator, Mapping, Sequence

    from ansible_collections.ai_platform.agent.plugins.module_utils._release.helm import Ended

NO_LOG: t.Final = "--insecure-ignore-tlog=true"
_UPLOAD_NO_LOG: t.Final = ("--tlog-upload=false", "--yes")


class Cosign:
    """Runs the program cosign on one artefact of a registry."""

    def __init__(
        self, binary: str, reference: str, environment: Mapping[str, str] | None, *, plain_http: bool = False
    ) -> None:
        """Nothing is asked yet.

        :param reference: with a digest, with or without ``oci://``
        :param environment: variables besides those of this process; COSIGN_PASSWORD has the password of a private key
        :param plain_http: the registry has no TLS
        """
        self._binary, self._environment = binary, environment
        self._subject = reference.removeprefix("oci://")
        self._plain = ("--allow-http-registry",) if plain_http else ()

    def _ask(self, *words: str) -> Ended:
        return program.run([self._binary, *words], seconds=FETCH_SECONDS, environment=self._environment)

    @contextlib.contextmanager
    def public(self, private: str) -> Iterator[str]:
        """The public key that belongs to a private one, as a file.

        :raises ChartError: there is no cosign, or it cannot use the key
        """
        with tempfile.TemporaryDirectory(prefix="key-") as temporary:
            file = str(Path(temporary, "key.pub"))
            derived = self._ask("public-key", "--key", private, "--outfile", file)
            if derived.code == program.NOT_FOUND:
                raise ChartError(
                    f"There is no program {self._binary}, which signs: install cosign, or give no signing_key."
                )
            if derived.code:
                raise ChartError(
                    f"The signing key {private} cannot be used: {derived.complaint} (COSIGN_PASSWORD has its password)."
                )
            yield file

    def signed(self, public: str) -> Ended:
        """Ask whether it has a signature that a public key accepts; exit code 0 is yes."""
        return self._ask("verify", "--key", public, NO_LOG, *self._plain, self._subject)

    def sign(self, private: str) -> None:
        """Sign it.

        :raises ChartError: cosign could not
        """
        done = self._ask("sign", "--key", private, *_UPLOAD_NO_LOG, *self._plain, self._subject)
        if done.code:
            raise ChartError(f"cosign could not sign {self._subject}: {done.complaint}")

    def ask_attested(self, public: str, kind: str) -> Ended:
        """Ask what is attested of it; what is printed is for attestations.predicates().

        :param kind: a name of cosign's, or a URI
        """
        words = ["verify-attestation", "--key", public, "--type", kind, NO_LOG]
        return self._ask(*words, *self._plain, self._subject)

    def attest(self, private: str, wanted: Sequence[tuple[str, t.Any]], *, only_ask: bool = False) -> bool:
        """Attest what is not attested yet with this key; whether anything was missing.

        :param wanted: predicates with their kinds
        :param only_ask: attest nothing, and say whether anything would be
        :raises ChartError: cosign could not
        """
        changed = False
        there: dict[str, list[t.Any]] = {}
        with self.public(private) as public, tempfile.TemporaryDirectory(prefix="predicate-") as temporary:
            for kind in dict.fromkeys(kind for kind, _predicate in wanted):
                seen = self.ask_attested(public, kind)
                there[kind] = [] if seen.code else [bare(each) for each in predicates(seen.output)]
            file = Path(temporary, "predicate.json")
            for kind, predicate in wanted:
                if bare(predicate) in there[kind]:
                    continue
                changed = True
                if only_ask:
                    continue
                file.write_text(json.dumps(predicate, sort_keys=True), encoding="utf-8")
                words = ["attest", "--key", private, "--type", kind, "--predicate", str(file)]
                done = self._ask(*words, *_UPLOAD_NO_LOG, *self._plain, self._subject)
                if done.code:
                    raise ChartError(f"cosign could not attest {kind} of {self._subject}: {done.complaint}")
        return changed


__all__ = ("Cosign",)
