# The image of Booked: built in one stage, run in another that holds no build tools.
# Plain instructions only, so that it builds with and without BuildKit. What is for whom: docs/compose.md, docs/deploy.md.
#
# The base is a setting: name it by digest (--build-arg BASE_IMAGE=python:3.11-slim-bookworm@sha256:...) and two builds
# of one commit hold the same files; `make image` does so where IMAGE_BASE is set.
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /build
# What is installed beside the program's own packages: nothing, or `tracing` (--build-arg EXTRAS=tracing, docs/tracing.md).
# Each choice has a lock of its own, with all packages and their hashes; a choice without one ends the build.
ARG EXTRAS=
COPY requirements.lock requirements-tracing.lock ./
RUN python3 -m venv /opt/booked \
 && /opt/booked/bin/pip install --quiet --no-compile --only-binary :all: --require-hashes -r "requirements${EXTRAS:+-$EXTRAS}.lock"
COPY consumer ./consumer
COPY schemas ./schemas
# Whole seconds since 1970 that every file is dated with: the same for every build unless the build says otherwise.
ARG SOURCE_DATE_EPOCH=0
# The two packages are copied as they are: a build back-end would be one more thing to lock and to trust.
# The bytecode names its source by hash and is not looked up again: it does not depend on when the build ran, and a
# start reads no source. The libraries' own tests and C sources are of no use at run time.
RUN site="$(/opt/booked/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')" \
 && cp -r consumer schemas "$site"/ \
 && printf '#!/opt/booked/bin/python\nfrom consumer.__main__ import main\nmain()\n' > /opt/booked/bin/booked \
 && chmod 755 /opt/booked/bin/booked \
 && /opt/booked/bin/pip uninstall --quiet --yes setuptools pip \
 && find "$site" \( -type d \( -name tests -o -name testing \) -path '*/sqlalchemy/*' -o -name '*.pyx' -o -name '*.c' \) \
    -prune -exec rm -rf {} + \
 && PYTHONDONTWRITEBYTECODE= PYTHONHASHSEED=0 /opt/booked/bin/python -m compileall -q -f --invalidation-mode unchecked-hash "$site" \
 && printf 'booked:x:10001:10001::/nonexistent:/usr/sbin/nologin\n' >> /etc/passwd \
 && printf 'booked:x:10001:\n' >> /etc/group \
 && chmod -R a=rX,u+w /opt/booked \
 && find /opt/booked /etc/passwd /etc/group -exec touch -h -d "@${SOURCE_DATE_EPOCH}" {} +

FROM ${BASE_IMAGE}
ARG VERSION=0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="Booked" \
      org.opencontainers.image.description="Turns every paid order of a shop into one correct invoice in Zoho Books, and keeps it correct." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}"
# A fixed number, so that Kubernetes can prove that it is not root; its name is for whoever looks at a list of processes.
COPY --from=build /etc/passwd /etc/group /etc/
COPY --from=build /opt/booked /opt/booked
ENV PATH=/opt/booked/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONFAULTHANDLER=1
# Nothing is written below the root: it runs with a read-only root file system (docker run --read-only --tmpfs /tmp).
USER 10001:10001
WORKDIR /tmp
EXPOSE 8080
STOPSIGNAL SIGTERM
# For Docker and compose; Kubernetes does not look at it and has probes of its own. For `booked run`: another command
# ends before it is ever asked.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["python", "-m", "consumer.web.probe"]
ENTRYPOINT ["booked"]
CMD ["run"]
