import Foundation
import Tensors
import TestSupport
import Testing
import WeightFile

@Suite struct PackRoundTripTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(arguments: [PackCompression.none, .zstd(level: 1), .zstd(level: 9)])
    func everythingComesBack(compression: PackCompression) throws {
        try writePack(folder.file(), SampleWeight.everyKind, compression)
        let pack = try Pack(opening: folder.file())
        try pack.check()

        #expect(pack.components.map(\.name) == ["unet", "vae"])
        #expect(pack.component("unet")?.className == "UNet")
        #expect(pack.component("unet")?.config == Data(#"{"channels": 8}"#.utf8))
        #expect(pack.provenance.map(\.key) == ["source", "licence"])
        #expect(pack.provenance.map(\.value) == ["somewhere", "CC BY-NC-SA 4.0 – ü"])
        #expect(pack.blobs.map(\.name) == ["tokenizer/vocab.json", "empty"])
        #expect(try pack.blob("tokenizer/vocab.json") == Data(String(repeating: #"{"a": 0}"#, count: 50).utf8))
        #expect(try pack.blob("empty").isEmpty)

        for component in pack.components {
            #expect(component.tensors.map(\.name) == SampleWeight.everyKind.map(\.name))
            #expect(component.tensors.map(\.description) == SampleWeight.everyKind.map(\.description))
            let source = try PackSource(pack, component: component.name, backend: HostBackend(), threads: 3)
            for sample in SampleWeight.everyKind {
                let weight = try #require(try source.held(sample))
                #expect(weight.description == sample.description)
                #expect(weight.data.name == "\(component.name).\(sample.name)")
                #expect(try weight.bytes() == sample.bytes, "\(sample.name)")
                #expect(try weight.data.withBytes { Int(bitPattern: $0.baseAddress) % 64 } == 0)
            }
        }
    }

    @Test func onlyWhatShrinksIsCompressed() throws {
        try writePack(folder.file(), SampleWeight.everyKind, .zstd(level: 3))
        let tensors = try #require(try Pack(opening: folder.file()).component("unet")).tensors
        let compressible = try #require(tensors.first { $0.name == "large.compressible" })
        #expect(compressible.isCompressed)
        #expect(compressible.chunkCount == 3)
        #expect(compressible.storedByteCount < compressible.byteCount * 6 / 10)
        let random = try #require(tensors.first { $0.name == "large.random" })
        #expect(!random.isCompressed)
        #expect(random.storedByteCount == random.byteCount)
    }

    /// What shrinks by six hundredths is compressed where it is small, and used in place where it is large.
    @Test(arguments: [(64, true), (512, true), (1024, false), (1500, false)])
    func whatHardlyShrinksIsCompressedWhereItIsSmall(_ rows: Int, _ isCompressed: Bool) throws {
        let description = WeightDescription(role: .matrix(outputs: rows, inputs: 512), format: .float16)
        var random = SplitMix(seed: 3)
        // Of halves the leading byte is one of sixty, so that all are finite.
        let bytes = (0..<description.byteCount).map { UInt8(random.next() % ($0 % 2 == 1 ? 60 : 256)) }
        try writePack(folder.file(), [SampleWeight("w", description, bytes: bytes)], .zstd(level: 3))
        let tensor = try #require(Pack(opening: folder.file()).component("unet")?.tensors.first)
        #expect(tensor.isCompressed == isCompressed)
        #expect(tensor.storedByteCount < tensor.byteCount * 97 / 100 || !isCompressed)
    }

    @Test func addTensorSaysWhatItStored() throws {
        let sample = SampleWeight("x", WeightDescription(role: .matrix(outputs: 64, inputs: 512), format: .float32))
        let writer = try PackWriter(path: folder.file(), compression: .zstd(level: 1))
        try writer.addComponent(name: "c", className: "C", config: Data())
        let stored = try sample.bytes.withUnsafeBytes {
            try writer.addTensor(component: "c", name: "x", sample.description, bytes: $0)
        }
        try writer.finish()
        let tensor = try #require(try Pack(opening: folder.file()).component("c")?.tensors.first)
        #expect(tensor.storedByteCount == stored)
        #expect(stored < sample.bytes.count)
    }

    @Test(arguments: [PackCompression.none, .zstd(level: 5)])
    func writingAgainGivesTheSameBytes(compression: PackCompression) throws {
        for (name, threads) in [("one", 1), ("three", 3)] {
            let writer = try PackWriter(path: folder.file(name), compression: compression, threads: threads)
            try writer.addSamples(SampleWeight.everyKind)
            try writer.finish()
        }
        try writePack(folder.file("one more"), SampleWeight.everyKind, compression)
        let first = try readBytes(folder.file("one"))
        #expect(try readBytes(folder.file("three")) == first)
        #expect(try readBytes(folder.file("one more")) == first)
        #expect(try folder.contents() == ["one", "one more", "three"])
    }

    @Test func chunksAreAlignedAndTensorsContiguous() throws {
        try writePack(folder.file(), SampleWeight.everyKind, .none)
        for tensor in try Pack(opening: folder.file()).components.flatMap(\.tensors) {
            var position = tensor.storage.offset
            for chunk in tensor.storage.chunks {
                #expect(chunk.offset % 64 == 0)
                #expect(chunk.offset == position)
                position += chunk.storedByteCount
            }
        }
    }

    @Test func emptyPack() throws {
        try PackWriter(path: folder.file(), compression: .none).finish()
        let pack = try Pack(opening: folder.file())
        try pack.check()
        #expect(pack.components.isEmpty && pack.blobs.isEmpty && pack.provenance.isEmpty)
        #expect(pack.fileByteCount == 64 + pack.indexByteCount)
    }

    @Test func checkReportsProgress() throws {
        try writePack(folder.file(), SampleWeight.everyKind, .zstd(level: 1))
        let pack = try Pack(opening: folder.file())
        let stored =
            pack.components.flatMap(\.tensors).reduce(0) { $0 + $1.storedByteCount }
            + pack.blobs.reduce(0) { $0 + $1.storedByteCount }
        let log = ProgressLog()
        try pack.check(threads: 2) { log.append($0, of: $1) }
        #expect(log.steps.last == stored)
        #expect(log.steps == log.steps.sorted())
        #expect(log.totals == [stored])
    }

    @Test func formatConstantsHoldStill() throws {
        try PackWriter(path: folder.file(), compression: .none).finish()
        let bytes = try readBytes(folder.file())
        #expect(bytes.prefix(12) == [0x41, 0x4C, 0x44, 0x4D, 0x0D, 0x0A, 0x1A, 0x0A, 1, 0, 0, 0])
        #expect(bytes.count == 64 + 12)
    }
}
