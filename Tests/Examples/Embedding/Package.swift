// swift-tools-version: 6.1
import PackageDescription

let library: [Target.Dependency] = [
    .product(name: "AudioLDM2", package: "AudioLDM2"),
    .product(name: "AudioLDM2DefaultModel", package: "AudioLDM2"),
]

/// Programs of somebody else's, one for each tutorial.
let package = Package(
    name: "Embedding",
    dependencies: [.package(name: "AudioLDM2", path: "../../..")],
    targets: [
        .executableTarget(name: "Embedding", dependencies: library),
        .executableTarget(name: "SoundService", dependencies: library),
        .executableTarget(
            name: "Converting",
            dependencies: [
                .product(name: "AudioLDM2Converter", package: "AudioLDM2"),
                .product(name: "AudioLDM2", package: "AudioLDM2"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
