# kube-proxy calls the packet filter's command line tools, so it cannot live in an empty image.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
RUN apt-get update -q \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends conntrack iptables ipset kmod nftables \
    && rm -rf /var/lib/apt/lists/*
COPY program /usr/local/bin/kube-proxy
