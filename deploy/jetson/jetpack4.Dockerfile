# Image for a Jetson with JetPack 4.6 (TX2, Nano, Xavier), whose own glibc 2.27 is too old for Node.js. Build it on the
# Jetson, in the root of the checkout, and run it by deploy/jetson/run-jetpack4.sh:
#
#   docker build -f deploy/jetson/jetpack4.Dockerfile -t depthline:jetpack4 .
#
# It was never built nor run. NVIDIA's libraries and GStreamer elements come from the host: docs/jetson.md.
FROM node:20-bullseye-slim AS node

FROM ubuntu:20.04
ENV DEBIAN_FRONTEND=noninteractive
WORKDIR /opt/depthline
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
  && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \
  && apt-get update && apt-get install -y --no-install-recommends make ca-certificates \
  && rm -rf /var/lib/apt/lists/*
# The packages are those of the Makefile, installed as on any machine.
COPY Makefile ./
COPY scripts ./scripts
RUN make setup
COPY package.json package-lock.json .npmrc ./
COPY docs/package.json ./docs/
RUN make node_modules/.package-lock.json
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY web ./web
RUN npm run build && npm prune --omit=dev --no-audit --no-fund
COPY bin ./bin
COPY engines ./engines
COPY models ./models
COPY pipelines ./pipelines
# What the container runtime of NVIDIA mounts, and where the loader finds it.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=all
RUN printf '/usr/lib/aarch64-linux-gnu/tegra\n/usr/lib/aarch64-linux-gnu/tegra-egl\n' \
    > /etc/ld.so.conf.d/nvidia-tegra.conf \
  && groupadd -f video && useradd --create-home --groups video depthline \
  && mkdir -p /data && chown depthline:depthline /data \
  && ln -s /opt/depthline/bin/depthline /usr/local/bin/depthline
ENV LD_LIBRARY_PATH=/usr/lib/aarch64-linux-gnu/tegra:/usr/lib/aarch64-linux-gnu/tegra-egl
USER depthline
WORKDIR /data
ENTRYPOINT ["depthline"]
CMD ["list"]
