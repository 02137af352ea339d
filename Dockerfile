# The gateway as an image: docker build -t objectgateway .
# The compiler and what Debian brings for it stay in the first stage.
FROM swift:6.3-bookworm AS build
WORKDIR /src
COPY scripts scripts
RUN apt-get update -qq && scripts/install-build-packages
COPY . .
RUN scripts/swift build -c release --static-swift-stdlib --product ogw \
    && scripts/swift build -c release --static-swift-stdlib --product ogw-media \
    && mkdir /out && cp "$(scripts/swift build -c release --show-bin-path)"/ogw "$(scripts/swift build -c release --show-bin-path)"/ogw-media /out/

FROM debian:12-slim
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends \
        ca-certificates curl ffmpeg libcurl4 libexpat1 libhiredis0.14 libmongoc-1.0-0 libnats3.4 libpoppler-glib8 \
        librabbitmq4 librdkafka1 libsqlite3-0 libssl3 \
        libvips42 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --create-home ogw
COPY --from=build /out/ /usr/local/bin/
USER ogw
VOLUME /data
EXPOSE 9000 9001
# Within a container the addresses are those of its own network.
ENV OGW_DATA=/data/store OGW_S3_LISTEN=0.0.0.0:9000 OGW_SERVICES_LISTEN=0.0.0.0:9001 OGW_LOG_FORMAT=json
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD curl -fsS http://127.0.0.1:9001/health/live
ENTRYPOINT ["ogw"]
CMD ["serve"]
