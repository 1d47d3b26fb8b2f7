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
        .executable(name: "audioldm2", targets: ["AudioLDM2CLI"]),
        .executable(name: "audioldm2-convert", targets: ["AudioLDM2Convert"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
    ],
    targets: [
        // C: kernels without dependencies, and the system libraries that Debian packages carry.
        .target(name: "CKernels", linkerSettings: [.linkedLibrary("m")]),
        .systemLibrary(name: "CSndfile", pkgConfig: "sndfile", providers: [.apt(["libsndfile1-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

        // What can be computed, where its weights come from, and one target that computes it.
        .target(name: "CMappings"),
        .target(name: "Files"),
        .target(name: "Platform"),
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
        .target(name: "Tokenizers", dependencies: ["Files"]),
        .target(name: "Audio", dependencies: ["Files", "CSndfile", "CKernels", "CMappings"]),
        .target(name: "Checkpoints", dependencies: ["Files", "Tensors", "CKernels"]),
        .target(name: "Diffusion", dependencies: ["Tensors"]),

        // How good sounds are: numbers, and what listeners say.
        .target(name: "Evaluation", dependencies: ["Audio", "CKernels", "Diffusion", "Files", "Tensors"]),
        .target(
            name: "ListeningTest", dependencies: ["Audio", "Diffusion", "Evaluation", "Files"],
            resources: ["page.html", "page.css", "page.js"].map { .embedInCode("Page/" + $0) }),

        .target(
            name: "AudioLDM2",
            dependencies: [
                "Layers", "Compute", "ComputeCUDA", "WeightFile", "Diffusion", "Audio", "Tokenizers", "Checkpoints",
                "Platform", "Evaluation",
            ]),
        // Comparing a model's numbers, and timing it: for those who work on models.
        .target(
            name: "AudioLDM2Diagnostics",
            dependencies: ["AudioLDM2", "Layers", "WeightFile", "Diffusion", "Checkpoints", "Tensors"]),
        // The model that ships, for programs that want one that is always there.
        .target(
            name: "AudioLDM2DefaultModel", dependencies: ["AudioLDM2", "CMappings", "Files"], path: "Weights",
            exclude: ["checkpoint", "gallery", "training", "MODEL_CARD.md"], resources: [.copy("default.aldm")]),
        .target(
            name: "Terminal",
            dependencies: [
                "CMappings", "Files", "Platform", "Tensors",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "AudioLDM2CLI",
            dependencies: [
                "AudioLDM2", "AudioLDM2DefaultModel", "AudioLDM2Diagnostics", "Audio", "Evaluation", "Files",
                "ListeningTest", "Platform", "Terminal",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        .target(
            name: "AudioLDM2Converter",
            dependencies: [
                "AudioLDM2", "AudioLDM2Diagnostics", "Checkpoints", "Compute", "Files", "Layers", "Platform", "Tensors",
                "WeightFile", "Tokenizers", "CKernels",
            ],
            path: "Converter", exclude: ["Command"]),
        .executableTarget(
            name: "AudioLDM2Convert",
            dependencies: [
                "AudioLDM2", "AudioLDM2Converter", "AudioLDM2Diagnostics", "Platform", "Terminal",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Converter/Command"),

        // Tests, and what they share.
        .target(
            name: "KernelChecks", dependencies: ["CKernels"], path: "Tests/KernelChecks",
            exclude: ["Command", "Makefile"]),
        .executableTarget(name: "KernelBench", dependencies: ["CKernels"], path: "Tests/KernelBench"),
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
        .testTarget(name: "TokenizersTests", dependencies: ["Tokenizers"]),
        .testTarget(
            name: "DefaultModelTests",
            dependencies: ["AudioLDM2DefaultModel", "AudioLDM2", "AudioLDM2Diagnostics", "Audio", "TestSupport"]),
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
