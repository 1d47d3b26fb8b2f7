# Two commands do everything on a fresh Debian machine with Swift:
#
#   make run PROMPT="heavy rain"       sets up, builds, and makes a sound
#   make test                          sets up, builds, and passes the tests

PROMPT ?= heavy rain and thunder
OUTPUT ?= out/sound.wav
# Of which model, and how long? Empty: the model that ships, and what the model was trained on.
MODEL ?=
SECONDS_OF_SOUND ?=

# By the environment and as they were given, so that neither make nor a shell reads the words.
override PROMPT := $(value PROMPT)
override OUTPUT := $(value OUTPUT)
override MODEL := $(value MODEL)
run: export PROMPT := $(PROMPT)
run: export OUTPUT := $(OUTPUT)
run: export MODEL := $(MODEL)

PACKAGES := pkg-config libsndfile1-dev libzstd-dev libopenblas-dev libespeak-ng1
BUILD := .build/release
# What is tested, the server too.
TESTED := swift build -c release --traits Server
SWIFT_FILES := Package.swift Sources Converter Tests Weights/DefaultModel.swift

.PHONY: help setup build run serve model test example dist wheel check-dist check-arm64 check-cuda faults faults-mutants \
    fuzz fuzz-keep fuzz-mutants sanitize sanitize-kernels sanitize-address sanitize-thread bench-kernels format lint clean

help:
	@echo 'make run PROMPT="heavy rain"   sets up, builds, and makes a sound'
	@echo 'make test                      sets up, builds, and passes the tests'
	@echo 'make serve                     sets up, builds, and serves a page for browsers'
	@echo 'Also: build, model, example, dist, wheel, check-dist, check-arm64, check-cuda, faults, fuzz, sanitize, bench-kernels, format,'
	@echo 'lint, clean.'

setup:
	@missing=""; for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	  echo "installing$$missing"; \
	  sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq $$missing >/dev/null; \
	fi

build: setup
	swift build -c release --product audioldm2

run: build
	@mkdir -p "$$(dirname "$$OUTPUT")"
	@set -- generate "$$PROMPT" --output "$$OUTPUT" $(if $(MODEL),--model "$$MODEL") $(if \
	    $(SECONDS_OF_SOUND),--seconds $(SECONDS_OF_SOUND)); \
	printf '%s' "$(BUILD)/audioldm2"; printf " '%s'" "$$@"; echo; $(BUILD)/audioldm2 "$$@"

# A page for browsers, and HTTP for programs; options by SERVE, such as SERVE="--port 9000 -m audioldm2.aldm".
serve: setup
	swift build -c release --traits Server --product audioldm2-server
	$(BUILD)/audioldm2-server $(SERVE)

# The model that ships, again from the checkpoint that was trained.
model: setup
	swift build -c release --product audioldm2-convert
	$(BUILD)/audioldm2-convert Weights/checkpoint --output Weights/default.aldm --compression 19 --no-calibrate

# Kernels are slow unoptimized, so everything is tested as it is released.
test: setup
	$(TESTED) --build-tests
	AUDIOLDM2_DEVICE=cpu swift test -c release --traits Server --skip-build
	$(MAKE) example

# A package of its own that depends on this one by path: catches what would make us impossible to depend on. And a program in
# C, which must make the command's sound.
example: setup
	swift build --package-path Tests/Examples/Embedding
	$(TESTED) --product audioldm2-c
	$(TESTED) --product audioldm2
	@mkdir -p out/example
	$$(command -v $(CC) || command -v clang) -std=c11 -Wall -Wextra -Werror -ISources/CAudioLDM2/include Tests/Examples/c/client.c -L$(BUILD) -laudioldm2-c \
	    -Wl,-rpath,$(CURDIR)/$(BUILD) -lm -o out/example/client
	out/example/client "heavy rain" out/example/c.wav
	$(BUILD)/audioldm2 generate "heavy rain" --seconds 1 --steps 2 --seed 7 --device cpu --quiet -o out/example/command.wav
	cmp out/example/c.wav out/example/command.wav

# What somebody without Swift installs: out/dist/*.deb and .tar.gz, the same bytes whenever they are made of one commit.
dist: setup
	.dist/build
	.dist/pack

# The Python module, library and model for pip, beside those.
wheel: setup
	.dist/build
	.dist/wheel out/dist

# Installs it in Debian systems without Swift (needs root, debootstrap, lintian, valgrind and python3-numpy; some minutes).
check-dist:
	.dist/check

# The kernels' checks for aarch64 under emulation (needs qemu-user and gcc-aarch64-linux-gnu).
check-arm64:
	$(MAKE) -C Tests/KernelChecks aarch64

# The GPU's kernels through NVIDIA's compiler, which needs no GPU. NVRTC=… names its library, else PyPI's is fetched.
check-cuda: setup
	@[ -n "$(NVRTC)" ] || [ -d out/nvrtc ] || python3 -m pip install -q --target out/nvrtc nvidia-cuda-nvrtc-cu12
	$(TESTED) --build-tests
	AUDIOLDM2_NVRTC=$${NVRTC:-$$(ls $(CURDIR)/out/nvrtc/nvidia/cuda_nvrtc/lib/libnvrtc.so.1*)} \
	    swift test -c release --traits Server --skip-build --filter CompilerTests

# Lets system calls, memory, disks and limits fail under the commands, each once and in turn: a sample, an hour or two.
# ARGUMENTS="--quick" for a few minutes, "--all" for days, "--scenario convert --fault 'write*'" for one thing; "--list" names them.
faults: setup
	$(TESTED) --product audioldm2
	$(TESTED) --product audioldm2-convert
	$(TESTED) --product audioldm2-server
	$(TESTED) --product FaultBench
	@mkdir -p out
	clang -std=c17 -O2 -Wall -Wextra -Werror -Wno-frame-address -fno-omit-frame-pointer -shared -fPIC \
	    Tests/Faults/Allocator/allocator.c -o out/allocator.so
	$(BUILD)/FaultBench --products $(BUILD) --allocator out/allocator.so $(ARGUMENTS)

# Readers of what others wrote, by inputs that are made up (Tests/Fuzzing/README.md): SECONDS for each, TARGET="pack yaml" for some.
fuzz: setup
	FUZZ_SECONDS=$(or $(SECONDS),60) Tests/Fuzzing/run $(TARGET)

# Keeps the few inputs that reach all that was reached; then deliberate bugs that have to be found.
fuzz-keep:
	Tests/Fuzzing/keep $(TARGET)

faults-mutants: setup
	Tests/Faults/Mutants/run

fuzz-mutants: setup
	Tests/Fuzzing/mutants

# Under sanitizers: the kernels; the tests; those of what runs at the same time. Tests/Sanitizers/run says what is left out and why.
sanitize: sanitize-kernels sanitize-address sanitize-thread

sanitize-kernels:
	$(MAKE) -C Tests/KernelChecks sanitize

sanitize-address: setup
	Tests/Sanitizers/run address $(FILTER)

sanitize-thread: setup
	Tests/Sanitizers/run thread $(FILTER)

bench-kernels: setup
	swift run -c release KernelBench

format:
	swift format --in-place --recursive --configuration .swift-format $(SWIFT_FILES)

lint:
	swift format lint --strict --recursive --configuration .swift-format $(SWIFT_FILES)
	@# The deliberate bugs still fit the sources.
	git apply --check Tests/Faults/Mutants/mutants.patch
	Tests/Fuzzing/mutants --check

clean:
	rm -rf .build out Tests/Examples/Embedding/.build
