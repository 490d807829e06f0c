# The control plane's programs, kube-proxy and etcd: one file under several names, so the five images are one.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
COPY bin/ /usr/local/bin/
