# Installs the network plugin on a node: calico-ipam is the plugin under another name.
FROM scratch
COPY bin/ /opt/cni/bin/
ENV PATH=/opt/cni/bin
WORKDIR /opt/cni/bin
CMD ["/opt/cni/bin/install"]
