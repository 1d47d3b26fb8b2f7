import Foundation
import Tensors
import TestSupport
import Testing
import WeightFile

/// Packs whose checksums are right and whose index lies.
@Suite struct PackIndexTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Part of the message.
        let complaint: String
        let edit: @Sendable (inout ForgedPack) -> Void

        init(_ name: String, _ complaint: String, _ edit: @escaping @Sendable (inout ForgedPack) -> Void) {
            testDescription = name
            self.complaint = complaint
            self.edit = edit
        }
    }

    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func open(_ bytes: [UInt8]) throws -> Pack { try Pack(opening: try folder.file(holding: bytes)) }

    private func expectMalformed(_ bytes: [UInt8], _ complaint: String) throws {
        let error = #expect(throws: PackError.self) { try open(bytes) }
        guard case .malformed = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect("\(String(describing: error))".contains(complaint), "\(String(describing: error))")
    }

    @Test func theForgedPackIsFine() throws {
        let pack = try open(ForgedPack().encoded())
        try pack.check()
        #expect(pack.components[0].tensors.map(\.name) == ["first", "second"])
    }

    @Test(arguments: [
        Case("zero extent", "extents [0]") { $0.describe(.vector(count: 0)) },
        Case("extent of 32 bits", "extents [4294967295]") { $0.describe(.vector(count: 0xFFFF_FFFF)) },
        Case("huge product", "too large") {
            $0.describe(
                .convolution(outputs: 0x7FFF_FFFF, kernelHeight: 0x7FFF_FFFF, kernelWidth: 0x7FFF_FFFF, inputs: 9))
        },
        Case("huge table", "too large") { $0.describe(.table(rows: 1 << 21, width: 1 << 20), .int8) },
        Case("stride 0", "extents [1, 1, 0, 1]") {
            $0.describe(.transposedConvolution(outputs: 1, kernel: 1, stride: 0, inputs: 1))
        },
        Case("huge stride", "too large") {
            $0.describe(.transposedConvolution(outputs: 0x7FFF_FFFF, kernel: 1, stride: 0x7FFF_FFFF, inputs: 3))
        },
        Case("float16 vector", "a vector in float16") { $0.describe(.vector(count: 32), .float16) },
        Case("float weights, int8 activations", "quantized activations") {
            $0.describe(.matrix(outputs: 4, inputs: 4), .float32, .quantized)
        },
        Case("int8 activations of a table", "quantized activations") {
            $0.describe(.table(rows: 4, width: 4), .int8, .quantized)
        },
        Case("other size than its chunks", "takes 68 bytes, has 64") { $0.describe(.vector(count: 17)) },
        Case("large but possible size", "has 64") { $0.describe(.matrix(outputs: 1 << 20, inputs: 1 << 20)) },
    ])
    func impossibleDescriptions(_ test: Case) throws {
        var forged = ForgedPack()
        test.edit(&forged)
        try expectMalformed(forged.encoded(), test.complaint)
    }

    @Test(arguments: [
        Case("offset overflows", "offset") { $0.index.entries[1].storage.offset = .max },
        Case("offset in the header", "offset") { $0.index.entries[0].storage.offset = 0 },
        Case("overlap", "the chunks before end at 128") { $0.index.entries[1].storage.offset = 64 },
        Case("hole", "the chunks before end at 128") { $0.index.entries[1].storage.offset = 192 },
        Case("chunk past the index", "the index starts at 192") {
            $0.setChunk(0, entry: 1, stored: 65, content: 65)
        },
        Case("chunk of 4 GB", "the index starts at 192") {
            $0.setChunk(0, entry: 0, stored: 0xFFFF_FFFF, content: 0xFFFF_FFFF)
        },
        Case("bytes nobody owns", "chunks end at byte 192, the index starts at 256") {
            $0.chunks += [UInt8](repeating: 0, count: 64)
        },
        Case("no chunks", "takes 64 bytes, has 0") { $0.index.entries[0].storage.chunks = [] },
        Case("small first chunk", "chunk 0 of 2 holds 32 bytes") {
            $0.setChunk(0, entry: 0, stored: 32, content: 32)
            $0.index.entries[0].storage.chunks.append($0.index.entries[0].storage.chunks[0])
            $0.index.entries.removeLast()
        },
        Case("raw chunk that grows", "128 bytes stored in 64") { $0.setChunk(0, entry: 0, stored: 64, content: 128) },
        Case("empty compressed chunk", "64 bytes stored in 0") {
            $0.index.entries[0].storage.encoding = .zstd
            $0.setChunk(0, entry: 0, stored: 0, content: 64)
            $0.index.entries[1].storage.offset = 64
            $0.chunks.removeLast(64)
        },
        Case("chunk larger than chunks are", "holds 2097152 bytes") {
            $0.index.entries[0].storage.encoding = .zstd
            $0.setChunk(0, entry: 0, stored: 64, content: 1 << 21)
        },
        Case("zstd without the feature", "features") {
            $0.index.entries[0].storage.encoding = .zstd
            $0.features = 0
        },
    ])
    func impossiblePlaces(_ test: Case) throws {
        var forged = ForgedPack()
        test.edit(&forged)
        try expectMalformed(forged.encoded(), test.complaint)
    }

    @Test(arguments: [
        Case("component twice", "\"unet\" is there twice") { $0.index.components.append($0.index.components[0]) },
        Case("tensor twice", "unet.first: is there twice") { $0.index.entries[1].kind = $0.index.entries[0].kind },
        Case("file twice", "x: is there twice") {
            $0.index.entries[0].kind = .blob(name: "x")
            $0.index.entries[1].kind = .blob(name: "x")
        },
        Case("component without a name", "empty name") { $0.index.components[0].name = "" },
        Case("file without a name", "empty name") { $0.index.entries[0].kind = .blob(name: "") },
        Case("provenance without a key", "empty name") { $0.index.provenance[0].key = "" },
        Case("unknown component", "number 1 of 1") {
            let description = WeightDescription(role: .vector(count: 16), format: .float32)
            $0.index.entries[0].kind = .tensor(component: 1, name: "first", description: description)
        },
    ])
    func impossibleNames(_ test: Case) throws {
        var forged = ForgedPack()
        test.edit(&forged)
        try expectMalformed(forged.encoded(), test.complaint)
    }

    @Test func impossibleCounts() throws {
        // The index starts with the number of components and the length of the first one's name.
        for place in [0, 4] {
            let bytes = ForgedPack().encoded(editingIndex: {
                $0.replaceSubrange(place..<place + 4, with: [0xFF, 0xFF, 0xFF, 0xFF])
            })
            try expectMalformed(bytes, "component")
        }
        let huge = ForgedPack().encoded(editingIndex: { $0 = [0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0x7F] })
        try expectMalformed(huge, "entry count")
        try expectMalformed(ForgedPack().encoded(editingIndex: { $0 = [] }), "component count")
        try expectMalformed(ForgedPack().encoded(editingIndex: { $0.append(0) }), "1 bytes after its end")
    }

    @Test func namesMustBeUTF8() throws {
        // The first component's name, "unet", is at byte 8.
        try expectMalformed(ForgedPack().encoded(editingIndex: { $0[9] = 0xFF }), "component 0: name: not UTF-8")
    }

    /// Any index with right checksums is read or refused: every byte is set to extreme values.
    @Test func anyByteMayLie() throws {
        let length = ForgedPack().index.encoded().count
        for place in 0..<length {
            for value: UInt8 in [0x00, 0x01, 0x7F, 0x80, 0xFF] {
                let bytes = ForgedPack().encoded(editingIndex: { $0[place] = value })
                do {
                    let pack = try open(bytes)
                    try? pack.check(threads: 1)
                    _ = try? PackSource(pack, component: "unet", backend: HostBackend(), threads: 1)
                } catch let error as PackError {
                    guard case .malformed = error else {
                        Issue.record("byte \(place) = \(value): \(error)")
                        continue
                    }
                }
            }
        }
    }

    @Test func indexesMayEndAnywhere() throws {
        let length = ForgedPack().index.encoded().count
        for end in 0..<length {
            try expectMalformed(ForgedPack().encoded(editingIndex: { $0.removeLast(length - end) }), "malformed pack")
        }
    }

    @Test func headersThatLie() throws {
        let extremes: [UInt64] = [0, 1, 63, 191, 193, 1 << 62, 1 << 63, .max - 63, .max]
        for value in extremes {
            for field in [\PackHeader.indexOffset, \.indexByteCount, \.fileByteCount] {
                let bytes = ForgedPack().encoded(editingHeader: { $0[keyPath: field] = value })
                #expect(throws: PackError.self, "\(field) = \(value)") { try open(bytes) }
            }
        }
    }

    @Test func newerFilesAreRefused() throws {
        #expect(throws: PackError.unsupportedVersion(path: folder.file(), found: 2, supported: 1)) {
            try open(ForgedPack().encoded(editingHeader: { $0.version = 2 }))
        }
        #expect(throws: PackError.unsupportedFeatures(path: folder.file(), bits: 0x80)) {
            try open(ForgedPack().encoded(editingHeader: { $0.features |= 0x80 }))
        }
    }

    /// Frames made by hand: RLE blocks in a single segment with an 8-byte content size.
    @Test(arguments: [64, 1 << 20, 1 << 40, .max - 2] as [UInt64])
    func framesThatClaimTooMuch(claim: UInt64) throws {
        let blockSize = 1 << 17
        let block = UInt32(1 | 1 << 1 | blockSize << 3)
        var frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0xE0]
        withUnsafeBytes(of: claim.littleEndian) { frame += $0 }
        withUnsafeBytes(of: block.littleEndian) { frame += $0.prefix(3) }
        frame.append(7)

        var forged = ForgedPack()
        forged.chunks.replaceSubrange(0..<64, with: frame + [UInt8](repeating: 0, count: 64 - frame.count))
        forged.index.entries[0].storage.encoding = .zstd
        forged.setChunk(0, entry: 0, stored: frame.count, content: 64)
        let pack = try open(forged.encoded())
        let error = #expect(throws: PackError.self) { try pack.check() }
        #expect("\(String(describing: error))".contains("chunk 0 of 1 of unet.first at byte 64: zstd:"))
        #expect(throws: PackError.self) {
            try PackSource(pack, component: "unet", backend: HostBackend(), threads: 1)
        }
    }
}
