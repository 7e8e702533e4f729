# All of Oko in one image: gateway, encoder, decoder and the embedded cache in one container.
#   docker build -t oko .
#   docker run -e PORT=8000 -p 8000:8000 oko
# For one machine, or a platform that gives a container a $PORT. docker-compose.yml and k8s/ run
# the same services apart, from services/*/Dockerfile. Works with the classic builder as well as
# with BuildKit. To pin the bases to the byte:
#   --build-arg PYTHON_IMAGE=python:3.11-slim@sha256:… --build-arg NODE_IMAGE=node:20-slim@sha256:…
ARG PYTHON_IMAGE=python:3.11-slim
ARG NODE_IMAGE=node:20-slim

FROM ${NODE_IMAGE} AS page
WORKDIR /build/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY web ./
RUN npm run build

# Packages change least often, so they come first; pip and the build's leftovers stay behind.
FROM ${PYTHON_IMAGE} AS packages
WORKDIR /build
COPY requirements requirements
RUN python -m venv /opt/oko \
 && /opt/oko/bin/pip install --quiet --no-cache-dir --disable-pip-version-check \
      -r requirements/encoder.txt -r requirements/decoder.txt -r requirements/gateway.txt \
 && /opt/oko/bin/pip uninstall --quiet --yes setuptools pip \
 && find /opt/oko -type d \( -name tests -o -name test \) -prune -exec rm -rf {} +

# Readable by every user, whatever the umask of the checkout was.
FROM ${PYTHON_IMAGE} AS files
WORKDIR /app
COPY models models
COPY LICENSE ./
COPY oko/__init__.py oko/container.py oko/
COPY services services
COPY --from=page /build/services/gateway/static services/gateway/static
RUN rm services/*/Dockerfile \
 && python -m compileall -q oko services \
 && chmod -R a+rX .

FROM ${PYTHON_IMAGE}
RUN groupadd --gid 10001 oko \
 && useradd --uid 10001 --gid oko --no-create-home --home-dir /nonexistent \
      --shell /usr/sbin/nologin oko
COPY --from=packages /opt/oko /opt/oko
COPY --from=files /app/models /app/models
COPY --from=files /app/LICENSE /app/LICENSE
COPY --from=files /app/oko /app/oko
COPY --from=files /app/services /app/services
WORKDIR /app
ENV PATH=/opt/oko/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ORT_DISABLE_TELEMETRY=1 \
    PORT=8000
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --retries=3 \
  CMD ["sh", "-c", "OKO_GATEWAY_PORT=$PORT exec python -m services.common.healthcheck gateway"]
# Process 1 passes SIGTERM on: the gateway drains first, then the services behind it.
CMD ["python", "-m", "oko.container"]

ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="Oko" \
      org.opencontainers.image.description="Says what is in a photo and where, all in one container" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
