# The node's operating system: Debian trixie with kind's own base files (copied from kind's Go module by the build, files/).
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
RUN apt-get update -q \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        bash ca-certificates conntrack containerd containernetworking-plugins curl dbus ebtables ethtool iproute2 ipset \
        iptables jq kmod mount nftables pigz procps runc socat systemd systemd-sysv util-linux \
    && rm -rf /var/lib/apt/lists/*
COPY files/usr/local/bin/ /usr/local/bin/
COPY files/kind/ /kind/
COPY files/etc/ /etc/
# Debian's containerd and CNI plugins live where kind does not look; negative OOM scores are refused on machines
# without CAP_SYS_RESOURCE, with the service not starting at all.
RUN chmod 0755 /usr/local/bin/entrypoint /kind/bin/* \
    && ln -s /usr/bin/containerd /usr/local/bin/containerd \
    && mkdir -p /opt/cni /etc/cni/net.d /etc/kubernetes/manifests && ln -s /usr/lib/cni /opt/cni/bin \
    && sed -i '/^OOMScoreAdjust=/d' /etc/systemd/system/containerd.service \
    && sed -i 's/restrict_oom_score_adj = false/restrict_oom_score_adj = true/; s#"registry.k8s.io/pause:[^"]*"#"registry.k8s.io/pause:3.10.1"#' \
        /etc/containerd/config.toml \
    && ctr oci spec | jq '.hooks.createContainer[0] = {"path": "/kind/bin/mount-product-files.sh"} | del(.process.rlimits)' \
        > /etc/containerd/cri-base.json \
    && find /usr/lib/systemd/system/sysinit.target.wants/ -name systemd-tmpfiles-setup.service -delete \
    && rm -f /etc/systemd/system/*.wants/* /usr/lib/systemd/system/multi-user.target.wants/* \
        /usr/lib/systemd/system/local-fs.target.wants/* /usr/lib/systemd/system/sockets.target.wants/*udev* \
    && echo "ReadKMsg=no" >> /etc/systemd/journald.conf \
    && systemctl enable containerd.service kubelet.service undo-mount-hacks.service \
    && systemctl mask systemd-binfmt.service \
    && grep -q 'restrict_oom_score_adj = true' /etc/containerd/config.toml
ENV container=docker
STOPSIGNAL SIGRTMIN+3
ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]
