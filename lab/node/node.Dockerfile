# The node: Kubernetes' binaries on the base; the images of its control plane are put in by a later step (docker commit).
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
COPY bin/ /usr/bin/
COPY version /kind/version
COPY manifests/ /kind/manifests/
