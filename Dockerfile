FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /opt/segbatch
COPY pyproject.toml setup.py README.md ./
COPY mapping mapping
COPY sink sink
COPY streams streams
# faust-streaming is built from source where it has no wheel, and the modules that every event goes through are compiled;
# the compiler stays in this stage.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && SEGBATCH_COMPILE=1 /opt/segbatch/bin/pip install --no-cache-dir . \
    && /opt/segbatch/bin/pip uninstall --yes pip

FROM python:3.11-slim
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin segbatch
COPY --from=build /opt/segbatch /opt/segbatch
ENV PATH=/opt/segbatch/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /tmp
EXPOSE 6066
ENTRYPOINT ["segbatch"]
CMD ["run"]
