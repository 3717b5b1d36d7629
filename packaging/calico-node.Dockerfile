# Calico's node image with godwit in BIRD's place; nothing else of Calico changes. The way back is Calico's own image.
#   docker build -f calico-node.Dockerfile --build-arg CALICO_NODE=quay.io/calico/node:v3.32.1 -t REGISTRY/node:v3.32.1 .
ARG CALICO_NODE=quay.io/calico/node:v3.32.1

# Of Debian 11: Node.js wants a C++ library, which Calico's image lacks, and this one runs on the C library there.
FROM node:22-bullseye-slim AS godwit
ARG GODWIT=godwit
RUN npm install -g ${GODWIT}
RUN mkdir /libraries && cp -L /usr/lib/*-linux-gnu/libstdc++.so.6 /lib/*-linux-gnu/libgcc_s.so.1 /libraries/

FROM ${CALICO_NODE}
COPY --from=godwit /usr/local/bin/node /usr/local/bin/node
COPY --from=godwit /usr/local/lib/node_modules/godwit/ /usr/local/lib/node_modules/godwit/
COPY --from=godwit /libraries/ /usr/local/lib/node_modules/godwit/libraries/
RUN cp -n /usr/local/lib/node_modules/godwit/libraries/* /usr/lib64/
RUN for name in bird bird6 birdcl birdcl6 godwit; do \
      ln -sf /usr/local/lib/node_modules/godwit/bin/godwit.js /bin/$name || exit 1; \
    done && bird --version
