# Everything that a maintainer runs. `make test` is what CI runs, with nothing left out.
GO      ?= go
VERSION ?= $(shell git describe --always --dirty 2>/dev/null || echo dev)
LDFLAGS  = -s -w -X main.version=$(VERSION)
export GOTOOLCHAIN = local
# One way of building for everything but the race detector, which needs cgo: what lint compiled, build and the tests use again, in every clone.
export GOFLAGS = -mod=readonly -trimpath
export CGO_ENABLED = 0

.PHONY: test judges lint build cross tests tools race smoke reproducible soak fuzz bench dist image clean

test: judges lint build cross reproducible tests tools smoke

# Programs that we did not write and that judge what we make. Without apt or root the tests that
# need them skip with a loud line; under CI=true a missing judge is a failure.
judges:
	@scripts/judges

lint:
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo "gofmt: the files above are not formatted"; exit 1; }
	$(GO) vet ./...
	cd tools && $(GO) build -o ../.cache/staticcheck honnef.co/go/tools/cmd/staticcheck
	.cache/staticcheck ./...
	cd tools && $(GO) vet ./... && ../.cache/staticcheck ./...

build:
	$(GO) build ./...
	$(GO) build -ldflags '$(LDFLAGS)' -o .cache/jitsuin ./cmd/jitsuin
	@! ldd .cache/jitsuin >/dev/null 2>&1 || { echo "the binary is not static"; exit 1; }

# The program is well-typed for the other systems that it is released for; dist compiles it for them.
cross:
	cd tools && $(GO) run ./cross windows/amd64 darwin/arm64

# What makes releases: licences of what is linked, archives, the OCI image.
tools:
	cd tools && $(GO) test ./...

# The same sources make the same bytes, wherever they lie.
reproducible:
	@scripts/reproducible

# The packages that play a whole country, a platform or pages, without the race detector, which takes five times as long; then all others
# with it, the tour through a whole country among them, and of the long ones those tests whose names say that they are about several things at a
# time. `make race` plays everything with it.
LONG = ./country ./platform ./holder/site ./country/console ./cmd/jitsuin ./country/doctor ./jlis ./municipality/counter ./services/securities
AT_A_TIME = Once|Two|AtATime|Restart|Kill|Parallel
RACE = CGO_ENABLED=1 $(GO) test -race -vet=off -count=1

# One package more at a time than there are processors: their tests wait for browsers, clocks and disks for half of their time. The ten
# thousand histories of the feeds and mutations of an operation log are too slow under the race detector. lint has vetted everything already.
tests:
	$(GO) test -vet=off -count=1 -timeout 25m -p $$(($$(nproc 2>/dev/null || echo 2) + 1)) $(LONG)
	$(RACE) -timeout 25m $$($(GO) list ./... | grep -vxF "$$($(GO) list $(LONG))")
	$(RACE) -timeout 25m -run "$(AT_A_TIME)" ./country ./platform ./holder/site ./jlis ./services/securities
	$(GO) test -vet=off -timeout 10m -run 'Histories' ./internal/feed
	$(GO) test -vet=off -timeout 10m -run 'EveryMutation' ./internal/audit

# Everything under the race detector: an hour or so.
race:
	$(RACE) -timeout 4h ./...

# Short runs of what has a long target of its own.
smoke:
	FUZZTIME=2s scripts/fuzz

soak:
	JITSUIN_SOAK=1 $(GO) test -timeout 4h -run 'Kill|Fault|Histories|Restart' ./...
	$(MAKE) race

# Each fuzz target for five minutes, and ten million commands to chips against the model of TestStreams.
fuzz:
	JITSUIN_APDUS=$${APDUS:-10000000} $(GO) test -timeout 1h -count=1 -v -run '^TestStreams$$' ./card
	FUZZTIME=$${FUZZTIME:-5m} scripts/fuzz

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

# Archives for every system in dist/, with the licences of what is linked, and their SHA256SUMS.
dist:
	cd tools && $(GO) run ./release dist -version '$(VERSION)'

# An OCI image in dist/, without a container engine: skopeo copy oci-archive:dist/jitsuin-VERSION-oci.tar docker-daemon:jitsuin:VERSION
image:
	cd tools && $(GO) run ./release image -version '$(VERSION)'

clean:
	rm -rf .cache dist jitsuin-data
