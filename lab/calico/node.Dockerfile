# calico-node: its program, the service tree of its module, and the packet filter's tools from Debian.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
RUN apt-get update -q \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        conntrack iproute2 ipset iptables kmod procps runit \
    && rm -rf /var/lib/apt/lists/*
COPY etc/ /etc/
COPY sbin/ /usr/sbin/
COPY calico-node /bin/calico-node
ENV SVDIR=/etc/service/enabled
CMD ["start_runit"]
