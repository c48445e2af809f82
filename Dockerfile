# syntax=docker/dockerfile:1

# One image for every component: `paymesh` runs everything in one process, `paymesh serve account` one of them.
# The image is read-only friendly: everything that is written goes to /var/lib/paymesh.

FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
# The caches stay on the builder, so the binary is copied out of the target folder in the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/source/target,sharing=locked \
    cargo build --release --locked --package paymesh --bin paymesh \
    && install -D --mode=0755 target/release/paymesh /image/usr/local/bin/paymesh \
    && install -d --mode=0750 --owner=65532 --group=65532 /image/var/lib/paymesh

FROM gcr.io/distroless/cc-debian12:nonroot
ARG VERSION=development
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Paymesh" \
      org.opencontainers.image.description="A payment platform that is installed with one Kubernetes resource" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/paymesh/paymesh" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image/ /
# By number: Kubernetes can then see that it is not root.
USER 65532:65532
WORKDIR /var/lib/paymesh
VOLUME ["/var/lib/paymesh"]
# The gateway; the other components follow up to 3016.
EXPOSE 3000
STOPSIGNAL SIGTERM
# Kubernetes probes the admin port instead.
HEALTHCHECK NONE
ENTRYPOINT ["/usr/local/bin/paymesh"]
