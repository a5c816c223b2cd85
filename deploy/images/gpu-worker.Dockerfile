# trainer and evaluator: what computes on an NVIDIA GPU.
# Built from the root of the repository (deploy/README.md says how its base image is pinned by digest):
#
#     docker build --file deploy/images/gpu-worker.Dockerfile --build-arg REVISION="$(git rev-parse HEAD)" \
#       --tag pretrain-gpu-worker:0.1.0 .

FROM debian:12.11-slim AS build
# Debian's own Node only starts pnpm, which brings the Node that everything runs on. Versions are those of the release
# above and its updates; what of them gets into the image is named in its bill of materials.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates g++ nodejs npm python3 python3-pip \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/pretrain
COPY . .
ENV PRETRAIN_TENSORFLOW=gpu
ENV PATH=/opt/pretrain/node_modules/.bin:$PATH
RUN npx --yes pnpm@12.21.0 install --frozen-lockfile \
 && node setup/src/main.ts
RUN node deploy/src/images/main.ts assemble gpu-worker --into /rootfs

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="pretrain gpu-worker" \
      org.opencontainers.image.description="Workers of pretrain that compute on an NVIDIA GPU: trainer, evaluator" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /rootfs/ /
COPY --from=build --chown=65532:65532 /rootfs/var/lib/pretrain/ /var/lib/pretrain/
# NVIDIA's runtime puts the driver's libraries into the last two of these folders; XLA finds ptxas and libdevice in the
# folder of its flag.
ENV PRETRAIN_TENSORFLOW=gpu \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    XLA_FLAGS=--xla_gpu_cuda_data_dir=/opt/pretrain/libs/engine/tensorflow-native/.native/nvidia/cuda_nvcc \
    LD_LIBRARY_PATH=/opt/pretrain/libs/engine/tensorflow-native/.native/nvidia/cublas/lib:\
/opt/pretrain/libs/engine/tensorflow-native/.native/nvidia/cuda_cupti/lib:\
/opt/pretrain/libs/engine/tensorflow-native/.native/nvidia/cuda_nvrtc/lib:\
/opt/pretrain/libs/engine/tensorflow-native/.native/nvidia/cuda_runtime/lib:\
/opt/pretrain/libs/engine/tensorflow-native/.native/nvidia/cudnn/lib:\
/opt/pretrain/libs/engine/tensorflow-native/.native/nvidia/cufft/lib:\
/opt/pretrain/libs/engine/tensorflow-native/.native/nvidia/curand/lib:\
/opt/pretrain/libs/engine/tensorflow-native/.native/nvidia/cusolver/lib:\
/opt/pretrain/libs/engine/tensorflow-native/.native/nvidia/cusparse/lib:\
/opt/pretrain/libs/engine/tensorflow-native/.native/nvidia/nccl/lib:\
/opt/pretrain/libs/engine/tensorflow-native/.native/nvidia/nvjitlink/lib:\
/usr/lib64:/usr/lib/x86_64-linux-gnu
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
