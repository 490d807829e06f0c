"""A Kubernetes cluster as the modules need it: objects as plain dictionaries, every failure as one sentence.

Who is asked, and as whom, is decided by kubernetes.core's options, K8S_AUTH_* variables and kubeconfig search.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import context as contexts
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import origin as origins
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.refusals import (
    Forbidden,
    Refused,
    forbidden,
    status_message,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.target import assert_meant

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
# Metadata without data: enough to know that a Secret exists.
METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

Object = dict[str, t.Any]


class Cluster:
    """The API of one cluster. A resource is named by its API version and plural, `apps/v1` and `deployments`."""

    def __init__(
        self,
        client: t.Any,
        origin: str = "kubeconfig, context and host",
        source: origins.Source = "options",
        context: str = "",
    ) -> None:
        """:param client: kubernetes.client.ApiClient
        :param origin: what address and account were taken from, for messages
        :param source: the same as a kind
        :param context: of the kubeconfig, also where it was the current one; empty without one
        """
        from kubernetes.dynamic import DynamicClient

        self.api, self.origin, self.source, self.context = client, origin, source, context
        # Discovery would ask for every API of the cluster, without a time limit.
        self._dynamic = DynamicClient(client, discoverer=lambda _client, _cache: None)

    @property
    def address(self) -> str:
        """URL of the API server, for messages."""
        return str(self.api.configuration.host)

    def get(
        self, version: str, plural: str, name: str, namespace: str | None = None, *, metadata_only: bool = False
    ) -> Object | None:
        """One object, None where there is none.

        :raises FindingError: the API server refuses or does not answer
        """
        try:
            accept = METADATA_ONLY if metadata_only else None
            return self._json("get", version, plural, namespace, name, accept=accept)
        except Refused as error:
            if error.status == 404:
                return None
            raise

    def list(
        self, version: str, plural: str, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> list[Object]:
        """Objects by label and field selector.

        :raises FindingError: the API server refuses or does not answer
        """
        chosen = {"labelSelector": labels, "fieldSelector": fields}
        query = {name: value for name, value in chosen.items() if value}
        found: list[Object] = self._json("list", version, plural, namespace, query=query)["items"]
        return found

    def create(self, version: str, plural: str, body: Object, namespace: str | None = None) -> Object:
        """The object as the server keeps it.

        :raises FindingError: the API server refuses or does not answer
        """
        return self._json("create", version, plural, namespace, body=body)

    def patch(
        self,
        version: str,
        plural: str,
        name: str,
        body: Object,
        namespace: str | None = None,
        *,
        form: str = "merge-patch+json",
        query: dict[str, str] | None = None,
    ) -> Object:
        """The object after a patch, by default a JSON merge patch.

        :param form: its content type, without `application/`
        :raises FindingError: the API server refuses or does not answer
        """
        return self._json("patch", version, plural, namespace, name, body=body, query=query, form=form)

    def read(self, path: str) -> Object:
        """What the API server says of itself at a path, such as `apis/apps/v1`.

        :raises FindingError: the API server refuses or does not answer
        """
        return self._json("get", "", path, None)

    def update(self, version: str, plural: str, name: str, body: Object, namespace: str | None = None) -> Object:
        """The object after its replacement; with the `resourceVersion` of another state it is refused, status 409.

        :raises FindingError: the API server refuses or does not answer
        """
        return self._json("update", version, plural, namespace, name, body=body)

    def delete(self, version: str, plural: str, name: str, namespace: str | None = None) -> None:
        """Delete an object now and soon what it owns; one that is not there is no error.

        :raises FindingError: the API server refuses or does not answer
        """
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        try:
            self._json("delete", version, plural, namespace, name, body=body)
        except Refused as error:
            if error.status != 404:
                raise

    def may(self, verb: str, resource: str, namespace: str | None) -> bool:
        """Whether the account has a right.

        :param resource: plural[.group][/subresource], `jobs.batch`, `pods/exec`
        """
        whole, _slash, subresource = resource.partition("/")
        plural, _dot, group = whole.partition(".")
        wanted = {"verb": verb, "resource": plural, "group": group, "subresource": subresource}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": wanted | ({"namespace": namespace} if namespace else {})},
        }
        answer = self.create("authorization.k8s.io/v1", "selfsubjectaccessreviews", review)
        return bool(answer.get("status", {}).get("allowed"))

    def log(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        follow: bool = False,
        unfinished: bool = True,
        limit_bytes: int,
        seconds: float,
        query: dict[str, str] | None = None,
    ) -> t.Iterator[str]:
        """Lines of a container's log, as they come; with `follow` until it ends or `seconds` pass without a line.

        :param unfinished: a last line without an end counts. A kubelet that cannot follow any longer ends the stream
            with words of its own in such a line
        :param query: more of the API, `tailLines`, `previous`
        :raises Refused: with status 400: nothing has started yet
        :raises FindingError: the API server does not answer
        """
        query = {"container": container, "limitBytes": str(limit_bytes), "follow": str(follow).lower()} | (query or {})
        response = self._ask("get", "v1", "pods", namespace, pod, subresource="log", query=query, seconds=seconds)
        return self._lines(response, unfinished=unfinished)

    def proxied(self, namespace: str, pod: str, port: int, path: str, seconds: float) -> t.Iterator[bytes]:
        """What a pod answers to GET, in pieces, asked by the API server.

        :param path: begins with a slash
        :raises FindingError: the account may not, the pod answers with an error, or nobody answers
        """
        subresource, name = f"proxy{path}", f"{pod}:{port}"
        response = self._ask("get", "v1", "pods", namespace, name, subresource=subresource, seconds=seconds)
        try:
            yield from response.stream(1 << 16)
        except Exception as error:
            raise self._unreachable(error) from None
        finally:
            response.close()

    def _lines(self, response: t.Any, *, unfinished: bool) -> t.Iterator[str]:
        rest = b""
        try:
            for chunk in response.stream(1 << 16):
                *lines, rest = (rest + chunk).split(b"\n")
                yield from (line.decode("utf-8", "replace") for line in lines)
        except Exception as error:
            raise self._unreachable(error) from None
        finally:
            response.close()
        if rest and unfinished:
            yield rest.decode("utf-8", "replace")

    def serves(self, group: str) -> bool | None:
        """Whether the API server has an API group, also one that another server answers for; None where the account may
        not ask.

        :raises FindingError: the API server does not answer
        """
        try:
            self._ask("get", "", f"apis/{group}", None)
        except Forbidden:
            return None
        except Refused as error:
            # 404: nobody registered it. 503: who did does not answer.
            if error.status in {404, 503}:
                return False
            raise
        return True

    def server_minor(self) -> int:
        """The minor version of the API server, 34 of 1.34."""
        return int("".join(filter(str.isdigit, self.read("version")["minor"])) or 0)

    def _json(
        self,
        verb: str,
        version: str,
        plural: str,
        namespace: str | None,
        name: str = "",
        *,
        body: Object | None = None,
        query: dict[str, str] | None = None,
        accept: str | None = None,
        form: str = "json",
    ) -> Object:
        response = self._ask(verb, version, plural, namespace, name, body=body, query=query, accept=accept, form=form)
        try:
            answer: Object = json.loads(response.data)
        except Exception as error:
            raise self._unreachable(error) from None
        return answer

    def _ask(
        self,
        verb: str,
        version: str,
        plural: str,
        namespace: str | None,
        name: str = "",
        *,
        subresource: str = "",
        body: Object | None = None,
        query: dict[str, str] | None = None,
        accept: str | None = None,
        form: str = "json",
        seconds: float = 0,
    ) -> t.Any:
        from kubernetes.client.rest import ApiException

        prefix = f"api/{version}" if version == "v1" else f"apis/{version}" if version else ""
        parts = [prefix, f"namespaces/{namespace}" if namespace else "", plural, name, subresource]
        method = {"list": "get", "create": "post", "update": "put"}.get(verb, verb)
        try:
            return self._dynamic.request(
                method,
                "/" + "/".join(filter(None, parts)),
                body=body,
                query_params=list((query or {}).items()),
                header_params={"Accept": accept} if accept else {},
                content_type=f"application/{form}",
                serialize=False,
                _request_timeout=(CONNECT_SECONDS, seconds or ANSWER_SECONDS),
            )
        except ApiException as error:
            group = version.partition("/")[0] if "/" in version else ""
            resource = f"{plural}.{group}" if group else plural
            resource += f"/{subresource}" if subresource else ""
            raise self._failure(error, verb, resource, namespace, name) from None
        except Exception as error:
            raise self._unreachable(error) from None

    def _failure(self, error: t.Any, verb: str, resource: str, namespace: str | None, name: str) -> FindingError:
        """The error for an HTTP answer that is no success."""
        said = status_message(error)
        where = f"namespace {namespace}" if namespace else "the cluster"
        if error.status == 401:
            account = f"The cluster at {self.address} refuses the account's credentials ({self.origin})"
            words = f"{account}; renew the token or certificate."
            return FindingError("cluster-auth", words)
        if error.status == 403 and ("exceeded quota" in said or "failed quota" in said):
            return Refused("quota-exceeded", f"A quota of {where} stands in the way: {said}.", 403, said)
        if error.status == 403 and "is forbidden: User" in said:
            return Forbidden(verb, resource, namespace, said.partition('is forbidden: User "')[2].partition('"')[0])
        what = f"{resource} {name}" if name else resource
        words = f"The cluster at {self.address} refuses to {verb} {what} in {where} ({error.status}): {said}."
        return Refused("cluster-refused", words, int(error.status or 0), said)

    def _unreachable(self, error: Exception) -> FindingError:
        """The error where there is no HTTP answer; of the library's words only the cause is kept."""
        text = str(error)
        causes = {
            "refused": "refuses connections",
            "imed out": "does not answer in time",
            "CERTIFICATE": "has a certificate that ca_cert does not vouch for",
            "resolve": "has a name that cannot be resolved",
        }
        cause = next((words for sign, words in causes.items() if sign in text), f"gives no answer ({_kind(error)})")
        words = f"The cluster at {self.address} {cause}; check {self.origin}, and that it runs."
        return FindingError("cluster-unreachable", words)


def namespace_exists(cluster: Cluster, name: str) -> bool | None:
    """Whether a namespace exists, None where the account may not look.

    :raises FindingError: the API server does not answer
    """
    try:
        return cluster.get("v1", "namespaces", name) is not None
    except Forbidden:
        return None


def connect(params: dict[str, t.Any]) -> Cluster:
    """The cluster that kubernetes.core's options in `params` name, which is the one that `cluster_expected` means.

    Beyond what `assert_meant` asks, nothing is asked yet.

    :raises FindingError: a library is missing, there is no configuration, or it is another cluster
    """
    cluster = whichever(params)
    if params.get("cluster_expected"):
        assert_meant(cluster, params["cluster_expected"])
    return cluster


def whichever(params: dict[str, t.Any]) -> Cluster:
    """The cluster that kubernetes.core's options in `params` name, whether or not it is meant. Nothing is asked yet.

    :raises FindingError: a library is missing, there is no configuration, or it names an account that no module can be
    """
    try:
        from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_MAP
        from ansible_collections.kubernetes.core.plugins.module_utils.k8s.client import (
            # get_api_client() would talk to the cluster without a time limit; tests/unit holds these names.
            _create_auth_spec,
            _create_configuration,
            _create_headers,
            _set_header,
        )
        from kubernetes import client, config
        from yaml import YAMLError
    except ImportError as error:
        words = f"The Python package {error.name} is missing; install requirements.txt for the module's interpreter."
        raise FindingError("library-missing", words) from None
    # kubernetes.core's `accept` is a media type; a module's own option of that name is something else.
    given = {name: value for name, value in params.items() if name != "accept"}
    # An earlier connection with a kubeconfig left its own as the default of the process.
    client.Configuration.set_default(None)
    auth = _create_auth_spec(**given)
    pod = origins.in_a_pod()
    origin = origins.words(auth, given, AUTH_ARG_MAP, os.environ, pod)
    source = origins.source(auth, pod)
    context, user = "", t.cast("Object", {})
    try:
        if source == "kubeconfig":
            # By its name: the current context may be another one when the file is read again.
            context, user = contexts.chosen(auth.get("kubeconfig"), auth.get("context"))
        configuration = _create_configuration(auth | ({"context": context} if context else {}))
    except (config.ConfigException, YAMLError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        words = f"No configuration of a cluster can be had from {origin} ({_kind(error)}); check them."
        raise FindingError("cluster-unreachable", words) from None
    if fields := contexts.impersonation(user):
        words = f"The user of context {context} acts for another account ({', '.join(fields)}; {origin})"
        raise FindingError("cluster-auth", f"{words}, which Python's client leaves out: use that account's own token.")
    if any(set("\r\n") & set(str(value)) for value in configuration.api_key.values()):
        words = f"The token of {origin} holds a line break, which no HTTP header may have: remove it"
        raise FindingError("cluster-auth", f"{words} (`printf %s` instead of `echo`).")
    # urllib3 tries four times, each up to the whole time limit.
    configuration.retries = 0
    api = client.ApiClient(configuration)
    for name, value in _create_headers(**given).items():
        _set_header(api, name, value)
    return Cluster(api, origin, source, context)


def _kind(error: BaseException) -> str:
    return type(error).__name__


__all__ = ("Cluster", "Forbidden", "Object", "Refused", "connect", "forbidden", "namespace_exists", "whichever")
