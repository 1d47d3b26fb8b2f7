# Two commands do everything on a fresh Debian machine with Swift:
#
#   make run PROMPT="a dog barking"    sets up, builds, and makes a sound
#   make test                          sets up, builds, and passes the tests

PROMPT ?= a dog barking in the distance while rain falls
OUTPUT ?= out/sound.wav
SECONDS_OF_SOUND ?= 2.56
# Until a trained model ships: a tiny checkpoint with random weights, so what comes out is noise.
CHECKPOINT := Tests/Fixtures/Checkpoints/tiny
MODEL ?= out/tiny.aldm

# By the environment, so that no shell reads the words.
export PROMPT

PACKAGES := pkg-config libsndfile1-dev libzstd-dev libopenblas-dev libespeak-ng1
BUILD := .build/release
SWIFT_FILES := Package.swift Sources Converter Tests

.PHONY: setup build run test example check-arm64 check-cuda bench-kernels format lint clean

setup:
	@missing=""; for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	  echo "installing$$missing"; \
	  sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq $$missing >/dev/null; \
	fi

build: setup
	swift build -c release --product audioldm2
	swift build -c release --product audioldm2-convert

out/tiny.aldm: $(CHECKPOINT) | build
	@mkdir -p out
	$(BUILD)/audioldm2-convert $(CHECKPOINT) --output $@

run: build $(MODEL)
	$(BUILD)/audioldm2 generate "$$PROMPT" --model $(MODEL) --output $(OUTPUT) --seconds $(SECONDS_OF_SOUND)

# Kernels are slow unoptimized, so everything is tested as it is released.
test: setup
	swift build -c release --build-tests
	AUDIOLDM2_DEVICE=cpu swift test -c release --skip-build
	$(MAKE) example

# A package of its own that depends on this one by path: catches what would make us impossible to depend on.
example: setup
	swift build --package-path Tests/Examples/Embedding

# The kernels' checks for aarch64 under emulation (needs qemu-user and gcc-aarch64-linux-gnu).
check-arm64:
	$(MAKE) -C Tests/KernelChecks aarch64

# The GPU's kernels through NVIDIA's compiler, which needs no GPU. NVRTC=… names its library, else PyPI's is fetched.
check-cuda: setup
	@[ -n "$(NVRTC)" ] || [ -d out/nvrtc ] || python3 -m pip install -q --target out/nvrtc nvidia-cuda-nvrtc-cu12
	swift build -c release --build-tests
	AUDIOLDM2_NVRTC=$${NVRTC:-$$(ls $(CURDIR)/out/nvrtc/nvidia/cuda_nvrtc/lib/libnvrtc.so.1*)} \
	    swift test -c release --skip-build --filter CompilerTests

bench-kernels: setup
	swift run -c release KernelBench

format:
	swift format --in-place --recursive --configuration .swift-format $(SWIFT_FILES)

lint:
	swift format lint --strict --recursive --configuration .swift-format $(SWIFT_FILES)

clean:
	rm -rf .build out Tests/Examples/Embedding/.build
