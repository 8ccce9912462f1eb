# Loam. Two commands matter: `make run` and `make test`.
.PHONY: help setup build run quickstart test bench bench-inference bench-training bench-server bench-trust bench-safety-mix bench-methods bench-data bench-deidentify bench-safety proof base fuzz-api try-replicas format lint docs clean

help:
	@echo 'make run     a bot to talk to at a local address; what people think of it lands in runs/store.sqlite'
	@echo 'make quickstart   the whole loop on the bundled sample log, then the improved bot at a local address'
	@echo 'make test    every test (a debug build)'
	@echo 'make build   the release binary: .build/release/loam'
	@echo 'make bench   figures as ratios against a peer, see Benchmarks/RESULTS.md'
	@echo 'make bench-server   64 chats, 200 votes/s, wrk and a soak on loam serve; ARGS=chats|feedback|http|soak, SOAK=600'
	@echo 'make format | lint | docs | setup | clean'

setup:
	@Scripts/setup

build: setup
	swift build -c release --product loam

# The model that serves by the registry in runs/registry, and while none does the one that ships. STORE=FILE, ARGS="--port 9000".
run: build
	@mkdir -p runs
	.build/release/loam serve --store $(or $(STORE),runs/store.sqlite) $(ARGS)

quickstart: build
	.build/release/loam quickstart $(ARGS)

# What the tests alone need is installed while they compile. BUILD: more options of `swift build`.
test: setup
	@Scripts/setup --tests & needs=$$!; swift build --build-tests $(BUILD); built=$$?; wait $$needs && exit $$built
	@Scripts/test

bench: build
	Benchmarks/run $(ARGS)

# The loop on five simulated deployments, by the exact judge: docs/proof.md. ARGS=trust, methods or worth for the other tables. Resumes.
proof: build
	swift build -c release --product proof-bench
	Benchmarks/proof $(ARGS)

# The base model from public dialogues (LOAM_DATA), beside a Kneser-Ney model; hours on a CPU, goes on where it was cut. ARGS=--ship.
base: build
	Scripts/make-base $(ARGS)

# Import and export of a made-up log in BB3x's shape, UTTERANCES=600000 of them; the full size is 6000000.
bench-data: build
	Benchmarks/data $(or $(UTTERANCES),600000)
	Benchmarks/deidentify

# De-identification beside presidio on marked texts and on chat; installs it under runs/bench. ARGS=HEAD: with a name head.
bench-deidentify: build
	Benchmarks/deidentify $(ARGS)

# Against plain PyTorch and TRL; installs them under runs/bench (1.5 GB).
bench-training: build
	Benchmarks/training $(ARGS)

# Against transformers; installs it beside random models under runs/bench (1.3 GB).
bench-inference: build
	Benchmarks/inference $(ARGS)

# 64 chats beside llama.cpp's server, 200 votes a second, wrk, ten minutes of soak (SOAK=seconds); exit 1 where an error, a lost vote or growth
# is found. Compiles llama-server under runs/bench once (PEER=wheel: a wheel instead). ARGS=chats|feedback|http|soak: one part alone.
bench-server: build
	Benchmarks/server $(or $(ARGS),all)

# Against crowd-kit, which it installs under runs/bench; needs the sets of real votes in LOAM_DATA.
bench-trust:
	Benchmarks/trust $(ARGS)

# Every method on the same data, and reward models on held-out people; resumes. Needs the data sets (LOAM_DATA).
bench-methods: build
	swift build -c release --product methods-bench
	Benchmarks/compare-methods $(ARGS)

# The safety classifiers on the parts of public sets that they did not learn from; needs the sets in LOAM_DATA.
bench-safety: setup
	swift build -c release --product safety-bench
	.build/release/safety-bench $(or $(LOAM_DATA),../shared/data) .deps/encoder $(ARGS)

# SafetyMix on real safety texts, anchors, bad writers; needs the safety sets in LOAM_DATA.
bench-safety-mix: build
	Benchmarks/safety-mix $(ARGS)

# schemathesis against the served bot and its own description of the API; installs it under .deps/tests. ARGS="--examples 200".
fuzz-api: build
	@Scripts/setup --tests
	Scripts/fuzz-api $(ARGS)

# Two replicas on one PostgreSQL behind nginx, one killed in mid-reply; needs Debian's postgresql and nginx.
try-replicas: build
	Scripts/try-replicas

format:
	swift format --in-place --recursive Package.swift Sources Tests Benchmarks

lint:
	swift format lint --strict --recursive Package.swift Sources Tests Benchmarks
	Scripts/lint-imports

docs: setup
	Scripts/docs

clean:
	rm -rf .build
