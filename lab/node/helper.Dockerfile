# What the storage provisioner runs to make and remove a volume's folder: a shell, mkdir and rm.
ARG BASE_IMAGE
FROM ${BASE_IMAGE} AS packages
RUN apt-get update -q && apt-get install -y -q --no-install-recommends busybox-static
FROM scratch
COPY --from=packages /bin/busybox /bin/busybox
RUN ["/bin/busybox", "--install", "/bin"]
