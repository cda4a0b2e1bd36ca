# Needs Go, git and make. "make help" says what there is.

VERSION ?= $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null | sed 's/^v//')
LDFLAGS := $(if $(VERSION),-X github.com/rotaqueue/rota.Version=$(VERSION))

# Packages with tests that have a long form: those that ask for ROTA_SOAK.
SOAKED = ./cron ./crash ./keeper ./packaging ./server ./store/sqlstore

.DEFAULT_GOAL := build
.PHONY: build test soak screenshots bench release clean help

build: ## the static binary ./rota; VERSION=1.2.3 names it, else the nearest tag does
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o rota ./cmd/rota

test: ## everything that CI runs; PKGS=./cron/... does it for some packages only
	@scripts/test

soak: ## the long forms of what make test does in short, some hours; SOAK=TestRestarts does one of them
	ROTA_SOAK=1 CGO_ENABLED=0 go test -buildvcs=false -v -count=1 -timeout 12h -run '$(or $(SOAK),.)' $(SOAKED)

screenshots: ## pictures of the pages, into docs/screens; needs Chromium
	@scripts/servers chromium >&2
	mkdir -p docs/screens
	ROTA_SCREENSHOTS=$(CURDIR)/docs/screens CGO_ENABLED=0 go test -buildvcs=false -count=1 -timeout 15m -run TestScreenshots ./web

bench: build ## Rota beside its limits, then beside its peers, each in turns within one run
	@scripts/servers postgresql redis-server beanstalkd >&2 || true
	./rota bench
	cd bench && go run . -rota ../rota

release: ## dist/: static binaries, packages (deb, rpm) and their sums; VERSION=1.2.3 names it
	scripts/release $(or $(VERSION),0.0.0-dev)

clean: ## removes what build made
	rm -rf rota dist

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14
