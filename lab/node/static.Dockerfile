# One static program in an empty image; the build adds the program's name as entry point.
FROM scratch
COPY bin/ /usr/local/bin/
ENV PATH=/usr/local/bin
