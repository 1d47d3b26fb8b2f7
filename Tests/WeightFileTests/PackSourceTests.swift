import Foundation
import Tensors
import TestSupport
import Testing
import WeightFile

@Suite struct PackSourceTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func source(_ samples: [SampleWeight], _ compression: PackCompression = .none) throws -> PackSource {
        try writePack(folder.file(), samples, compression)
        return try PackSource(Pack(opening: folder.file()), component: "unet", backend: HostBackend(), threads: 2)
    }

    @Test func missingTensorsAreNamedWithTheirNeighbours() throws {
        let scope = WeightScope(try source(SampleWeight.small))
        let expected = PackError.missingTensor(
            path: folder.file(), tensor: "unet.a.gain", expected: "vector [3]", siblings: ["a.weight", "a.bias"])
        #expect(throws: expected) { try scope["a"].vector("gain", 3) }
        #expect(
            "\(expected)" == "\(folder.file()): unet.a.gain: expected vector [3], found no such tensor; "
                + "beside it there is a.weight, a.bias")
        #expect(throws: PackError.self) { try scope.vector("a", 3) }
    }

    @Test func wrongShapesSayWhatWasFound() throws {
        let scope = WeightScope(try source(SampleWeight.small))["a"]
        let tensor = "unet.a.weight"
        #expect(
            throws: PackError.wrongShape(
                path: folder.file(), tensor: tensor, expected: "matrix [24, 16]", found: "matrix [16, 24]")
        ) { try scope.matrix("weight", outputs: 24, inputs: 16) }
        #expect(
            throws: PackError.wrongShape(
                path: folder.file(), tensor: tensor, expected: "convolution [16, 1, 1, 24]", found: "matrix [16, 24]")
        ) { try scope.convolution("weight", outputs: 16, kernelHeight: 1, kernelWidth: 1, inputs: 24) }
        #expect(throws: PackError.self) { try scope.table("weight", rows: 16, width: 24) }
        // A shape that a configuration made impossible is an ordinary mismatch.
        #expect(throws: PackError.self) {
            try scope.transposedConvolution("weight", outputs: .max, kernel: .max, stride: 0, inputs: -1)
        }
        _ = try scope.matrix("weight", outputs: 16, inputs: 24)
    }

    @Test func unusedTensorsAreKnown() throws {
        let source = try source(SampleWeight.small)
        #expect(source.unusedTensors() == ["a.weight", "a.bias", "b.weight", "b.bias"])
        let scope = WeightScope(source)
        _ = try scope["a"].vector("bias", 17)
        _ = try scope["b"].matrix("weight", outputs: 16, inputs: 64)
        #expect(throws: PackError.self) { try scope["b"].vector("bias", 18) }
        #expect(source.unusedTensors() == ["a.weight", "b.bias"])
    }

    @Test func tiedWeightsAreOneObject() throws {
        let source = try source(SampleWeight.small)
        let first = try source.held(SampleWeight.small[0])
        #expect(first != nil)
        #expect(first === (try source.held(SampleWeight.small[0])))
    }

    @Test(arguments: [PackCompression.none, .zstd(level: 1)])
    func weightsOutliveTheirSource(compression: PackCompression) throws {
        let weight = try #require(try source(SampleWeight.everyKind, compression).held(SampleWeight.everyKind[2]))
        try FileManager.default.removeItem(atPath: folder.file())
        #expect(try weight.bytes() == SampleWeight.everyKind[2].bytes)
    }

    @Test func weightsGoWhenNobodyHoldsThem() throws {
        let requirement = WeightRequirement(path: "a.weight", role: .matrix(outputs: 16, inputs: 24), precision: .float)
        weak var data: (any WeightData)?
        do {
            let weight = try #require(
                try source(SampleWeight.small, .zstd(level: 1)).weight(requirement) as? HeldWeight)
            data = weight.data
            withExtendedLifetime(weight) { #expect(data != nil) }
        }
        #expect(data == nil)
    }

    @Test func memoryReturnsToTheSystem() async {
        await #expect(processExitsWith: .success) { try Self.loadAndLeave(.none) }
        await #expect(processExitsWith: .success) { try Self.loadAndLeave(.zstd(level: 1)) }
    }

    /// Loads 96 MB and lets go of them: nothing else may run in this process.
    private static func loadAndLeave(_ compression: PackCompression) throws {
        let megabytes = 96
        let folder = try TemporaryFolder()
        let description = WeightDescription(role: .matrix(outputs: megabytes << 9, inputs: 512), format: .float32)
        let writer = try PackWriter(path: folder.file(), compression: compression)
        try writer.addComponent(name: "unet", className: "UNet", config: Data())
        try [UInt8](repeating: 1, count: description.byteCount).withUnsafeBytes {
            _ = try writer.addTensor(component: "unet", name: "w", description, bytes: $0)
        }
        try writer.finish()
        let pack = try Pack(opening: folder.file())
        let before = ResidentMemory.bytes() >> 20
        let loaded = try withExtendedLifetime(
            PackSource(pack, component: "unet", backend: HostBackend(), threads: 2)
        ) { _ in ResidentMemory.bytes() >> 20 - before }
        let kept = ResidentMemory.bytes() >> 20 - before
        #expect((megabytes - 8...megabytes + 8).contains(loaded), "\(loaded) MB")
        #expect(kept < 8, "\(kept) MB")
    }

    @Test func cancellation() async throws {
        try writePack(folder.file(), SampleWeight.everyKind, .zstd(level: 1))
        let pack = try Pack(opening: folder.file())
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            _ = try PackSource(pack, component: "unet", backend: HostBackend(), threads: 2)
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        let check = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try pack.check()
        }
        await #expect(throws: CancellationError.self) { try await check.value }
    }

    @Test func unknownComponents() throws {
        try writePack(folder.file(), [], .none)
        let pack = try Pack(opening: folder.file())
        let error = #expect(throws: PackError.self) {
            try PackSource(pack, component: "vocoder", backend: HostBackend(), threads: 1)
        }
        #expect("\(String(describing: error))".contains(#"no component "vocoder"; there is unet, vae"#))
    }
}
