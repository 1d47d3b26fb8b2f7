// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "AudioLDM2",
    products: [
        .library(name: "AudioLDM2", targets: ["AudioLDM2"]),
        .library(name: "AudioLDM2Diagnostics", targets: ["AudioLDM2Diagnostics"]),
        .library(name: "AudioLDM2Evaluation", targets: ["Evaluation", "ListeningTest"]),
        .library(name: "AudioLDM2DefaultModel", targets: ["AudioLDM2DefaultModel"]),
        .library(name: "AudioLDM2Converter", targets: ["AudioLDM2Converter"]),
        // For C and Python: .dist/build links it as libaudioldm2.so.0.
        .library(name: "audioldm2-c", type: .dynamic, targets: ["AudioLDM2C"]),
        .executable(name: "audioldm2", targets: ["AudioLDM2CLI"]),
        .executable(name: "audioldm2-convert", targets: ["AudioLDM2Convert"]),
        .executable(name: "audioldm2-server", targets: ["AudioLDM2Server"]),
    ],
    // What only the server needs is fetched only for it.
    traits: [.trait(name: "Server", description: "audioldm2-server, with its HTTP library")],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.0.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
    ],
    targets: [
        // C: kernels without dependencies, and the system libraries that Debian packages carry.
        .target(name: "CKernels", linkerSettings: [.linkedLibrary("m")]),
        .systemLibrary(name: "CSndfile", pkgConfig: "sndfile", providers: [.apt(["libsndfile1-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

        // What can be computed, where its weights come from, and one target that computes it.
        .target(name: "CMappings"),
        // For programs alone: what stands before the allocator in the whole process.
        .target(name: "CAllocations", dependencies: ["CMappings"]),
        .target(name: "Files"),
        // Texts without Foundation's 40 MB of Unicode's data.
        .target(name: "Text"),
        .target(name: "Platform", dependencies: ["Text"]),
        .target(name: "Tensors"),
        .target(name: "WeightFile", dependencies: ["Files", "Platform", "Tensors", "CKernels", "CMappings", "CZstd"]),
        // What both backends are made of, and what both must agree on.
        .target(name: "ComputeSupport", dependencies: ["Tensors", "CKernels"]),
        .target(name: "Conformance", dependencies: ["Tensors"]),
        .target(name: "Compute", dependencies: ["ComputeSupport", "Platform", "Tensors", "CKernels"]),
        // NVIDIA's GPUs: nothing of CUDA is needed to build; its libraries are looked for at run time.
        .target(name: "CCUDA"),
        .target(
            name: "ComputeCUDA",
            dependencies: ["CCUDA", "CKernels", "ComputeSupport", "Conformance", "Platform", "Tensors"],
            resources: [
                "arguments.h", "common.cuh", "fragments.cuh", "product.cu", "product_mma.cu", "product_halves.cu",
                "quantize.cu", "attention.cu", "attention_mma.cu", "norms.cu", "elements.cu",
            ].map { .embedInCode("Kernels/" + $0) }),
        .target(name: "Layers", dependencies: ["Tensors", "WeightFile"]),

        // What surrounds the models.
        .target(name: "Tokenizers", dependencies: ["Files", "Text"]),
        .target(name: "Audio", dependencies: ["Files", "Text", "CSndfile", "CKernels", "CMappings"]),
        .target(name: "Checkpoints", dependencies: ["Files", "Tensors", "CKernels"]),
        .target(name: "Diffusion", dependencies: ["Tensors"]),

        // How good sounds are: numbers, and what listeners say.
        .target(name: "Evaluation", dependencies: ["Audio", "CKernels", "Diffusion", "Files", "Tensors"]),
        .target(
            name: "ListeningTest", dependencies: ["Audio", "Diffusion", "Evaluation", "Files", "Text"],
            resources: ["page.html", "page.css", "page.js"].map { .embedInCode("Page/" + $0) }),

        .target(
            name: "AudioLDM2",
            dependencies: [
                "Layers", "Compute", "ComputeCUDA", "WeightFile", "Diffusion", "Audio", "Tokenizers", "Checkpoints",
                "Platform", "Evaluation", "Text",
            ]),
        // Comparing a model's numbers, and timing it: for those who work on models.
        .target(
            name: "AudioLDM2Diagnostics",
            dependencies: ["AudioLDM2", "Layers", "WeightFile", "Diffusion", "Checkpoints", "Tensors", "Text"]),
        // The model that ships, for programs that want one that is always there.
        .target(
            name: "AudioLDM2DefaultModel", dependencies: ["AudioLDM2", "CMappings", "Files"], path: "Weights",
            exclude: ["checkpoint", "gallery", "training", "MODEL_CARD.md"], resources: [.copy("default.aldm")]),
        // The library as C sees it: a header, and what answers its functions.
        .target(name: "CAudioLDM2"),
        .target(name: "AudioLDM2C", dependencies: ["AudioLDM2", "AudioLDM2DefaultModel", "CAudioLDM2", "Files"]),
        .target(
            name: "Terminal",
            dependencies: [
                "CAllocations", "CMappings", "Files", "Platform", "Tensors", "Text",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        // Options that the command and the server share.
        .target(
            name: "CommandOptions",
            dependencies: [
                "AudioLDM2", "AudioLDM2DefaultModel", "Files", "Terminal",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        // Files of prompts, as people write them.
        .target(name: "Batches", dependencies: ["AudioLDM2", "Files"]),
        .executableTarget(
            name: "AudioLDM2CLI",
            dependencies: [
                "AudioLDM2", "CommandOptions", "AudioLDM2Diagnostics", "Audio", "Batches", "Evaluation", "Files",
                "ListeningTest", "Platform", "Terminal", "Text",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        .target(
            name: "AudioLDM2Converter",
            dependencies: [
                "AudioLDM2", "AudioLDM2Diagnostics", "Checkpoints", "Compute", "Files", "Layers", "Platform", "Tensors",
                "WeightFile", "Tokenizers", "CKernels", "Text",
            ],
            path: "Converter", exclude: ["Command"]),
        .executableTarget(
            name: "AudioLDM2Convert",
            dependencies: [
                "AudioLDM2", "AudioLDM2Converter", "AudioLDM2Diagnostics", "Platform", "Terminal", "Text",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Converter/Command"),

        // Sounds for clients: their orders, and what came of them; then HTTP over it.
        .target(
            name: "SoundServer", dependencies: ["AudioLDM2", "Text"],
            resources: [
                "index.html", "page.css", "page.js", "api.js", "cards.js", "form.js", "history.js", "jobs.js",
                "notices.js", "picture.js", "source.js", "spectrum.js", "openapi.yaml",
            ].map { .embedInCode("Page/" + $0) }),
        .executableTarget(
            name: "AudioLDM2Server",
            dependencies: [
                "AudioLDM2", "CommandOptions", "Platform", "SoundServer", "Terminal", "Text",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Server"])),
                .product(name: "HummingbirdCore", package: "hummingbird", condition: .when(traits: ["Server"])),
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Server"])),
                .product(name: "Metrics", package: "swift-metrics", condition: .when(traits: ["Server"])),
                .product(
                    name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: .when(traits: ["Server"])),
            ]),

        // Tests, and what they share.
        .target(
            name: "KernelChecks", dependencies: ["CKernels"], path: "Tests/KernelChecks",
            exclude: ["Command", "Makefile"]),
        .executableTarget(name: "KernelBench", dependencies: ["CKernels"], path: "Tests/KernelBench"),
        // Runs commands while system calls fail, which it sees to by tracing them.
        .target(name: "CFaults", path: "Tests/Faults/Tracer"),
        .executableTarget(
            name: "FaultBench",
            dependencies: [
                "CFaults", "TestSupport", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/Faults/Bench"),
        // Readers of what others wrote, each with inputs that are made up: Tests/Fuzzing/README.md.
        .target(name: "FuzzDriver", path: "Tests/Fuzzing/Driver"),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Audio", "AudioLDM2", "AudioLDM2Converter", "AudioLDM2Diagnostics", "Batches", "Checkpoints",
                "Diffusion", "Evaluation", "Files", "ListeningTest", "SoundServer", "Tensors", "TestSupport",
                "Tokenizers", "WeightFile",
            ], path: "Tests/Fuzzing/Targets"),
        .executableTarget(
            name: "Fuzz", dependencies: ["Files", "FuzzDriver", "FuzzTargets"], path: "Tests/Fuzzing/Command"),
        .testTarget(name: "FuzzingTests", dependencies: ["Fuzz", "FuzzTargets", "TestSupport"]),
        .testTarget(name: "CKernelsTests", dependencies: ["CKernels", "KernelChecks"]),
        .testTarget(
            name: "ComputeTests",
            dependencies: [
                "Compute", "ComputeSupport", "Conformance", "Platform", "Tensors", "CKernels", "TestSupport",
            ]),
        .testTarget(
            name: "ComputeCUDATests",
            dependencies: [
                "ComputeCUDA", "Compute", "ComputeSupport", "Conformance", "Tensors", "AudioLDM2", "AudioLDM2CLI",
                "AudioLDM2Converter",
                "AudioLDM2Diagnostics",
                "TestSupport",
            ]),
        .testTarget(
            name: "LayersTests",
            dependencies: [
                "AudioLDM2", "AudioLDM2Converter", "Checkpoints", "Compute", "Layers", "Tensors", "WeightFile",
                "TestSupport",
            ]),
        .target(name: "TestSupport", dependencies: ["Tensors", "CKernels"], path: "Tests/Support"),
        .testTarget(name: "DiffusionTests", dependencies: ["Diffusion", "Tensors", "TestSupport"]),
        .testTarget(
            name: "ConverterTests",
            dependencies: [
                "AudioLDM2", "AudioLDM2Convert", "AudioLDM2Converter", "AudioLDM2Diagnostics", "Checkpoints", "Tensors",
                "Tokenizers", "WeightFile", "TestSupport",
                "CZstd",
            ]),
        .testTarget(name: "AudioTests", dependencies: ["Audio", "Checkpoints", "TestSupport"]),
        .testTarget(
            name: "EvaluationTests",
            dependencies: ["Evaluation", "Audio", "Checkpoints", "Diffusion", "Files", "TestSupport"]),
        .testTarget(
            name: "ListeningTestTests", dependencies: ["ListeningTest", "Audio", "Evaluation", "Files", "TestSupport"]),
        .testTarget(
            name: "WeightFileTests", dependencies: ["Files", "WeightFile", "Tensors", "CKernels", "TestSupport"]),
        .testTarget(name: "TextTests", dependencies: ["Text"]),
        .testTarget(name: "TokenizersTests", dependencies: ["Tokenizers", "TestSupport"]),
        .testTarget(
            name: "DefaultModelTests",
            dependencies: ["AudioLDM2DefaultModel", "AudioLDM2", "AudioLDM2Diagnostics", "Audio", "TestSupport"]),
        .testTarget(name: "SoundServerTests", dependencies: ["SoundServer", "AudioLDM2", "AudioLDM2DefaultModel"]),
        .testTarget(
            name: "AudioLDM2ServerTests",
            dependencies: ["AudioLDM2", "AudioLDM2DefaultModel", "AudioLDM2Server", "TestSupport"]),
        .testTarget(
            name: "AudioLDM2Tests",
            dependencies: [
                "AudioLDM2", "AudioLDM2Converter", "AudioLDM2Diagnostics", "Checkpoints", "Compute", "WeightFile",
                "Tensors", "Audio", "Evaluation", "Platform", "TestSupport",
            ]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c17
)
