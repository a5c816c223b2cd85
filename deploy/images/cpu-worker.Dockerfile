# trainer and evaluator: what answers, and what computes on processors.
# Built from the root of the repository (deploy/README.md says how its base image is pinned by digest):
#
#     docker build --file deploy/images/cpu-worker.Dockerfile --build-arg REVISION="$(git rev-parse HEAD)" \
#       --tag pretrain-cpu-worker:0.1.0 .

# The same steps up to `assemble` in both images on processors, so that their layers are shared.
FROM debian:12.11-slim AS build
# Debian's own Node only starts pnpm, which brings the Node that everything runs on. Versions are those of the release
# above and its updates; what of them gets into the image is named in its bill of materials.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates g++ nodejs npm python3 python3-pip \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/pretrain
COPY . .
ENV PATH=/opt/pretrain/node_modules/.bin:$PATH
RUN npx --yes pnpm@12.21.0 install --frozen-lockfile \
 && node setup/src/main.ts
RUN node deploy/src/images/main.ts assemble cpu-worker --into /rootfs

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="pretrain cpu-worker" \
      org.opencontainers.image.description="Services and workers of pretrain that compute on processors: trainer, evaluator" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /rootfs/ /
COPY --from=build --chown=65532:65532 /rootfs/var/lib/pretrain/ /var/lib/pretrain/
ENV NODE_ENV=production \
    PRETRAIN_STATE=/var/lib/pretrain
WORKDIR /opt/pretrain
USER 65532:65532
# A worker's training is kept before it ends; nothing else waits for anything but calls in progress.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 \
    CMD ["/usr/local/bin/node", "/opt/pretrain/health-check.ts"]
# The program is the argument: `services/trainer/src/worker-main.ts`. It is process 1 without an init beside
# it: it waits for its own children, and they leave none behind (deploy/README.md says when one does).
ENTRYPOINT ["/usr/local/bin/node"]
