# docker build --build-arg VERSION=1.2.3 -t rota . && docker run -v rota:/data -p 127.0.0.1:2691:2691 rota
FROM golang:1.26 AS build
ARG VERSION=dev
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X github.com/rotaqueue/rota.Version=$VERSION" -o /rota ./cmd/rota

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
	&& useradd --system --home-dir /data --create-home rota && chmod 700 /data
COPY --from=build /rota /usr/local/bin/rota
USER rota
ENV ROTA_DATA=/data
VOLUME /data
EXPOSE 2691
STOPSIGNAL SIGTERM
# The first process of a container: it reaps, and TERM gives what runs five seconds.
ENTRYPOINT ["rota", "up"]
CMD ["--listen", "0.0.0.0:2691"]
