# calico-node: its program and the service tree of its module, on the packet filter's tools (lab/node).
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
COPY etc/ /etc/
COPY sbin/ /usr/sbin/
COPY calico-node /bin/calico-node
ENV SVDIR=/etc/service/enabled
CMD ["start_runit"]
