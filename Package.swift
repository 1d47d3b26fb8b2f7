// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "AudioLDM2",
    products: [
        .library(name: "AudioLDM2", targets: ["AudioLDM2"]),
        .executable(name: "audioldm2", targets: ["AudioLDM2CLI"]),
        .executable(name: "audioldm2-convert", targets: ["AudioLDM2Convert"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
    ],
    targets: [
        // C: kernels without dependencies, and the system libraries that Debian packages carry.
        .target(name: "CKernels"),
        .systemLibrary(name: "CSndfile", pkgConfig: "sndfile", providers: [.apt(["libsndfile1-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),

        // What can be computed, where its weights come from, and one target that computes it.
        .target(name: "Tensors"),
        .target(name: "WeightFile", dependencies: ["Tensors", "CKernels", "CZstd"]),
        .target(name: "Compute", dependencies: ["Tensors", "CKernels", "COpenBLAS"]),
        .target(name: "Layers", dependencies: ["Tensors", "WeightFile"]),

        // What surrounds the models.
        .target(name: "Tokenizers"),
        .target(name: "Audio", dependencies: ["CSndfile"]),
        .target(name: "Diffusion", dependencies: ["Tensors"]),

        .target(
            name: "AudioLDM2",
            dependencies: ["Layers", "Compute", "WeightFile", "Diffusion", "Audio", "Tokenizers"]),
        .executableTarget(
            name: "AudioLDM2CLI",
            dependencies: ["AudioLDM2", .product(name: "ArgumentParser", package: "swift-argument-parser")]),

        .target(
            name: "Converter", dependencies: ["AudioLDM2", "WeightFile", "Tokenizers", "CKernels"],
            path: "Converter", exclude: ["Command"]),
        .executableTarget(
            name: "AudioLDM2Convert",
            dependencies: ["Converter", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Converter/Command"),

        .testTarget(name: "TokenizersTests", dependencies: ["Tokenizers"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c17
)
