// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "Embedding",
    dependencies: [.package(name: "AudioLDM2", path: "../../..")],
    targets: [
        .executableTarget(
            name: "Embedding",
            dependencies: [
                .product(name: "AudioLDM2", package: "AudioLDM2"),
                .product(name: "AudioLDM2DefaultModel", package: "AudioLDM2"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
