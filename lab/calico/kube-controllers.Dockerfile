# Runs as user 999, whose liveness probe reads a file in /status.
FROM scratch
COPY bin/ /usr/bin/
COPY --chown=999:999 status /status
COPY --chown=999:999 profiles /profiles
USER 999
ENTRYPOINT ["/usr/bin/kube-controllers"]
