# The image of Booked: built in one stage, run in another that holds no build tools.
# Plain instructions only, so that it builds with and without BuildKit.
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /build
COPY requirements.lock ./
RUN python3 -m venv /opt/booked \
 && /opt/booked/bin/pip install --quiet --only-binary :all: --require-hashes -r requirements.lock
COPY pyproject.toml README.md ./
COPY consumer ./consumer
COPY schemas ./schemas
# The two packages are copied as they are: a build back-end would be one more thing to lock and to trust.
RUN site="$(/opt/booked/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')" \
 && cp -r consumer schemas "$site"/ \
 && printf '#!/opt/booked/bin/python\nfrom consumer.__main__ import main\nmain()\n' > /opt/booked/bin/booked \
 && chmod 755 /opt/booked/bin/booked \
 && /opt/booked/bin/pip uninstall --quiet --yes setuptools pip \
 && PYTHONDONTWRITEBYTECODE= /opt/booked/bin/python -m compileall -q "$site" \
 && chmod -R a=rX,u+w /opt/booked

FROM ${BASE_IMAGE}
# A fixed number, so that Kubernetes can prove that it is not root.
RUN groupadd --gid 10001 booked && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin booked
COPY --from=build /opt/booked /opt/booked
ENV PATH=/opt/booked/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONFAULTHANDLER=1
# Nothing is written below the root: it runs with a read-only root file system (docker run --read-only --tmpfs /tmp).
USER 10001:10001
WORKDIR /tmp
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["python", "-m", "consumer.web.probe"]
ENTRYPOINT ["booked"]
CMD ["run"]
