# SUA workflow engine. Everything a person types stands here; "make" alone lists it.
# Settings come from the environment (PORT, SUA_*), see configs/sua.example.yaml.

SHELL := /bin/sh
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BUILD := CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"

# Packages whose tests run under the race detector in make test: there several goroutines meet, also inside the engine, which the
# jobs drive. The engine's own tests would take six minutes more; check-all runs them so.
RACE_PKGS ?= ./internal/store/... ./internal/jobs/...
# What make bench measures, and how often check-all repeats each test and how long it fuzzes each target.
BENCH_PKGS ?= ./...
BENCH ?= .
COUNT ?= 3
FUZZTIME ?= 30s

.DEFAULT_GOAL := help
.PHONY: help run demo-reset build assets generate test check check-all bench clean

help: ## elenca i comandi
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## compila, carica i dati dimostrativi e serve su http://localhost:8080 (dati in ./data)
	@$(MAKE) --no-print-directory assets || echo "assets: non scaricati: senza di essi le pagine sono in HTML semplice"
	@$(MAKE) --no-print-directory build
	@exec ./bin/sua serve --demo

demo-reset: build ## cancella i dati dimostrativi e li ricarica
	./bin/sua demo --reset

build: ## compila bin/sua
	@mkdir -p bin
	$(BUILD) -o bin/sua ./cmd/sua

assets: ## scarica stile, icone, caratteri e htmx (serve Node; senza, le pagine restano in HTML semplice)
	@sh internal/web/assets/copy.sh

generate: ## rigenera pagine templ, docs/workflows e la descrizione OpenAPI
	go tool templ generate -path internal
	go run ./cmd/sua workflow docs --out docs/workflows
	go run ./cmd/sua openapi --out docs/api

test: ## tutte le prove su SQLite, PostgreSQL e Redis privati
	go run ./internal/testrun -race "$(RACE_PKGS)" ./...

check: ## formato, vet, staticcheck, file generati aggiornati
	@sh .ci/format
	go vet ./...
	go tool staticcheck ./...
	@sh .ci/generated

check-all: check ## la serie lunga: ogni prova ripetuta con -race, la dimostrazione in ogni giorno, 300 percorsi simulati, poi ogni Fuzz per FUZZTIME
	SUA_TEST_LONG=1 go run ./internal/testrun -race ./... ./... -- -count=$(COUNT) -timeout 120m
	SUA_DEMO_DAYS=all go test -run TestDemoOnEachDay -timeout 60m ./internal/play
	SUA_SIM_SEEDS=300 SUA_TEST_LONG=1 go run ./internal/testrun -services-only -- go test -run TestSeeds -timeout 180m ./internal/play/sim
	@sh .ci/fuzz $(FUZZTIME)

bench: ## misure, su un PostgreSQL privato che scrive davvero su disco
	go run ./internal/testrun -services-only -durable -- go test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 60m $(BENCH_PKGS)

clean: ## cancella ciò che è stato compilato o scaricato (non ./data)
	rm -rf bin internal/web/assets/node_modules
	find internal/web/assets/dist -mindepth 1 ! -name README.txt -delete
