#!/bin/sh
# Runs helm with the authentication of kubernetes.core: its K8S_AUTH_* variables under the names that helm reads.
# The values stay in the environment, so that no token appears in a command line or in Ansible's output.
# usage: helm.sh HELM [ARGUMENT...]
set -eu

[ -z "${K8S_AUTH_KUBECONFIG:-}" ] || export KUBECONFIG="$K8S_AUTH_KUBECONFIG"
[ -z "${K8S_AUTH_CONTEXT:-}" ] || export HELM_KUBECONTEXT="$K8S_AUTH_CONTEXT"
[ -z "${K8S_AUTH_HOST:-}" ] || export HELM_KUBEAPISERVER="$K8S_AUTH_HOST"
[ -z "${K8S_AUTH_API_KEY:-}" ] || export HELM_KUBETOKEN="$K8S_AUTH_API_KEY"
[ -z "${K8S_AUTH_SSL_CA_CERT:-}" ] || export HELM_KUBECAFILE="$K8S_AUTH_SSL_CA_CERT"
case "${K8S_AUTH_VERIFY_SSL:-}" in
    [Ff]alse | [Nn]o | 0) export HELM_KUBEINSECURE_SKIP_TLS_VERIFY=true ;;
esac

exec "$@"
