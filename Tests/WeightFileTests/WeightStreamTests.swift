import Foundation
import Synchronization
import Tensors
import TestSupport
import Testing
import WeightFile

@Suite struct WeightStreamTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Compressible matrices of several sizes, a table of several chunks, a vector.
    private static let samples: [SampleWeight] =
        (0..<12).map { index in
            let role = WeightRole.matrix(outputs: 100 + 97 * index, inputs: 400)
            return SampleWeight("m\(index)", WeightDescription(role: role, format: .int8), seed: UInt64(index + 1))
        } + [
            SampleWeight("table", WeightDescription(role: .table(rows: 3000, width: 700), format: .int8), seed: 90),
            SampleWeight("vector", WeightDescription(role: .vector(count: 900), format: .float32), seed: 91),
        ]

    private static let names = samples.filter { $0.name.hasPrefix("m") }.map(\.name)

    private func source(window: Int, order: [String], _ streamed: [String] = names + ["table"]) throws -> PackSource {
        try writePack(folder.file(), Self.samples, .zstd(level: 3))
        let successors = Dictionary(uniqueKeysWithValues: zip(order, order.dropFirst() + order.prefix(1)))
        let plan = WeightStreaming(window: window, streamed: Set(streamed), successors: successors)
        return try PackSource(
            Pack(opening: folder.file()), component: "unet", backend: HostBackend(), threads: 2,
            residency: .streamed(plan))
    }

    private func data(_ source: PackSource, _ name: String) throws -> any WeightData {
        let sample = try #require(Self.samples.first { $0.name == name })
        return try #require(try source.held(sample)).data
    }

    private func expectStored(_ data: any WeightData, _ name: String) throws {
        let sample = try #require(Self.samples.first { $0.name == name })
        #expect(try data.withBytes { $0.elementsEqual(sample.bytes) }, "\(name)")
    }

    @Test(arguments: [1, 100_000, 700_000, 100_000_000])
    func streamedIsStored(window: Int) throws {
        let source = try source(window: window, order: Self.names)
        let weights = try Self.names.map { ($0, try data(source, $0)) }
        for _ in 0..<4 { for (name, weight) in weights { try expectStored(weight, name) } }
        try expectStored(data(source, "vector"), "vector")
        try expectStored(data(source, "table"), "table")
    }

    @Test func anyOrderWorksAndSoDoSeveralUsers() throws {
        let source = try source(window: 300_000, order: Self.names)
        var generator = SplitMix(seed: 5)
        let weights = try Self.names.map { ($0, try data(source, $0)) }
        for _ in 0..<40 {
            let (name, weight) = weights[Int.random(in: 0..<weights.count, using: &generator)]
            try expectStored(weight, name)
        }
        // Weights held by one another's users are all there, whatever the window.
        try weights[0].1.withBytes { _ in
            try weights[11].1.withBytes { _ in try expectStored(weights[5].1, weights[5].0) }
        }
        let failures = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 4) { task in
            for step in 0..<20 {
                let (name, weight) = weights[(task * 5 + step * 7) % weights.count]
                let bytes = Self.samples.first { $0.name == name }?.bytes ?? []
                if (try? weight.withBytes { $0.elementsEqual(bytes) }) != true { failures.withLock { $0 += 1 } }
            }
        }
        #expect(failures.withLock { $0 } == 0)
    }

    @Test func someStay() throws {
        let order = Array(Self.names.prefix(4))
        let source = try source(window: 200_000, order: order, order)
        for name in Self.names + ["table", "vector"] { try expectStored(data(source, name), name) }
    }

    @Test func tablesAreReadInPieces() throws {
        let sample = try #require(Self.samples.first { $0.name == "table" })
        let table = try data(source(window: 1, order: []), "table")
        for range in [0..<700, 1_048_500..<1_048_600, 2_099_000..<sample.bytes.count, 5..<5] {
            #expect(try table.withBytes(in: range) { $0.elementsEqual(sample.bytes[range]) })
        }
    }

    @Test func damageIsFoundWhenItIsReached() throws {
        let source = try source(window: 1, order: Self.names)
        let weights = try Self.names.map { try data(source, $0) }
        let pack = try Pack(opening: folder.file())
        let tensor = try #require(pack.component("unet")?.tensors.first { $0.name == "m3" })
        let handle = try #require(FileHandle(forUpdatingAtPath: folder.file()))
        try handle.seek(toOffset: UInt64(tensor.storage.chunks[0].offset + 40))
        try handle.write(contentsOf: Data(repeating: 0xA5, count: 16))
        try handle.close()
        #expect(throws: PackError.self) { try weights[3].withBytes { _ in } }
        try expectStored(weights[4], "m4")
    }

    @Test func plannedWeightsHaveSizesAndNoContents() throws {
        try writePack(folder.file(), Self.samples, .zstd(level: 3))
        let uses = WeightUses()
        let source = try PackSource(
            Pack(opening: folder.file()), component: "unet", backend: HostBackend(), threads: 2,
            residency: .planned(uses))
        for name in ["m2", "m0", "vector", "m1", "m2", "m0"] {
            let bytes = try #require(Self.samples.first { $0.name == name }).bytes
            #expect(try data(source, name).withBytes { $0.count == bytes.count && $0.allSatisfy { $0 == 0 } })
        }
        #expect(uses.order == ["m2", "m0", "vector", "m1"])
        #expect(uses.successors(among: ["m0", "m1", "m2"]) == ["m2": "m0", "m0": "m1", "m1": "m2"])
        #expect(uses.successors(among: ["m0", "m2"]) == ["m2": "m0", "m0": "m2"])
    }
}
