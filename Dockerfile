# The server as an image: `ocint serve` behind API keys. How it is used, and what holds in it: docs/containers.md
ARG PYTHON_IMAGE=docker.io/library/python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS built
WORKDIR /build
COPY requirements/base.txt requirements/base.txt
RUN python3 -m venv /opt/ocint \
    && /opt/ocint/bin/python -m pip install --no-cache-dir --only-binary :all: --require-hashes -r requirements/base.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/ocint/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation .

FROM ${PYTHON_IMAGE}
COPY --from=built /opt/ocint /opt/ocint
# Sessions and models lie in /data: everything that is to outlive the container.
# The user is written down by hand, since the smallest images have no useradd.
RUN echo "ocint:x:10001:10001::/data:/usr/sbin/nologin" >> /etc/passwd \
    && echo "ocint:x:10001:" >> /etc/group \
    && install --directory --owner 10001 --group 10001 --mode 0700 /data
ENV PATH=/opt/ocint/bin:$PATH \
    HOME=/data \
    PYTHONUNBUFFERED=1 \
    OCINT_MODELS_FOLDER=/data/models \
    OCINT_SESSIONS_FOLDER=/data/sessions
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["ocint"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000", "--keys", "/run/secrets/ocint-keys"]
