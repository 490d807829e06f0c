# Debian with the packet filter's command line tools, which kube-proxy and calico-node call, and what else the latter needs.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
RUN apt-get update -q \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        conntrack iproute2 ipset iptables kmod nftables procps runit \
    && rm -rf /var/lib/apt/lists/*
