import Foundation
import Tensors
import TestSupport
import Testing
import WeightFile

/// Files that are not, or no longer, what was written.
@Suite struct PackDamageTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Opens, checks and loads all of a pack.
    private func readAll(_ path: String) throws {
        let pack = try Pack(opening: path)
        try pack.check(threads: 1)
        for blob in pack.blobs { _ = try pack.blob(blob.name) }
        for component in pack.components {
            _ = try PackSource(pack, component: component.name, backend: HostBackend(), threads: 1)
        }
    }

    @Test func everyFlippedBitIsFound() throws {
        try writePack(folder.file(), SampleWeight.small, .zstd(level: 3))
        try readAll(folder.file())
        let original = try readBytes(folder.file())
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: folder.file()))
        for place in original.indices {
            for bit in 0..<8 {
                try handle.seek(toOffset: UInt64(place))
                try handle.write(contentsOf: [original[place] ^ 1 << UInt8(bit)])
                #expect(throws: PackError.self, "byte \(place), bit \(bit)") { try readAll(folder.file()) }
            }
            try handle.seek(toOffset: UInt64(place))
            try handle.write(contentsOf: [original[place]])
        }
        try readAll(folder.file())
    }

    @Test func aDamagedChunkIsNamed() throws {
        try writePack(folder.file(), SampleWeight.everyKind, .none)
        let pack = try Pack(opening: folder.file())
        let tensor = try #require(pack.component("vae")?.tensors.first { $0.name == "large.random" })
        var bytes = try readBytes(folder.file())
        // Two places: the first in the file is reported.
        bytes[tensor.storage.chunks[1].offset + 5] ^= 4
        bytes[tensor.storage.chunks[2].offset] ^= 4
        let path = try folder.file("damaged", holding: bytes)
        let expected = PackError.damaged(
            path: path, part: "chunk 1 of 3 of vae.large.random", offset: tensor.storage.chunks[1].offset,
            reason: "wrong checksum")
        #expect(throws: expected) { try Pack(opening: path).check() }
        #expect(throws: expected) {
            try PackSource(Pack(opening: path), component: "vae", backend: HostBackend(), threads: 2)
        }
        _ = try PackSource(Pack(opening: path), component: "unet", backend: HostBackend(), threads: 2)
    }

    @Test func truncationSaysWhatIsMissing() throws {
        try writePack(folder.file(), SampleWeight.small, .zstd(level: 3))
        let original = try readBytes(folder.file())
        for length in original.indices {
            let path = try folder.file("short.aldm", holding: Array(original.prefix(length)))
            let expected =
                switch length {
                case 0: PackError.notAPack(path: path, kind: "an empty file")
                case ..<8: PackError.notAPack(path: path, kind: length < 7 ? "text" : "unknown binary data")
                case ..<64: PackError.truncated(path: path, needed: 64, found: length)
                default: PackError.truncated(path: path, needed: original.count, found: length)
                }
            #expect(throws: expected) { try Pack(opening: path) }
        }
        let path = try folder.file("header.aldm", holding: Array(original.prefix(20)))
        #expect(throws: PackError.truncated(path: path, needed: 64, found: 20)) { try Pack(opening: path) }
    }

    @Test func appendedBytesAreFound() throws {
        try writePack(folder.file(), SampleWeight.small, .none)
        let path = try folder.file("long.aldm", holding: try readBytes(folder.file()) + [0])
        #expect(throws: PackError.malformed(path: path, field: "file length", reason: "1 bytes too many")) {
            try Pack(opening: path)
        }
    }

    @Test func displacedChunksAreFound() throws {
        try writePack(folder.file(), SampleWeight.everyKind, .none)
        let pack = try Pack(opening: folder.file())
        let tensors = pack.components.flatMap(\.tensors)
        let large = try #require(tensors.first { $0.name == "large.random" }).storage.chunks
        let original = try readBytes(folder.file())
        let (first, second) = (large[0].fileRange, large[1].fileRange)
        let zeros = [UInt8](repeating: 0, count: first.count)
        let changes: [(name: String, pieces: [(place: Range<Int>, bytes: [UInt8])])] = [
            ("swapped", [(first, Array(original[second])), (second, Array(original[first]))]),
            ("doubled", [(second, Array(original[first]))]),
            ("zeroed", [(first, zeros)]),
            ("inserted", [(first, Array(original[first] + original[first]))]),
            ("removed", [(first, [])]),
        ]
        for (name, pieces) in changes {
            var changed = original
            for piece in pieces { changed.replaceSubrange(piece.place, with: piece.bytes) }
            let path = try folder.file("\(name).aldm", holding: changed)
            #expect(throws: PackError.self, "\(name)") { try Pack(opening: path).check() }
            #expect(throws: PackError.self, "\(name)") {
                for component in pack.components.map(\.name) {
                    _ = try PackSource(Pack(opening: path), component: component, backend: HostBackend(), threads: 2)
                }
            }
        }
    }

    @Test func checksumsBelongToOnePlace() {
        let checksums = [UInt8](repeating: 0, count: 64).withUnsafeBytes { bytes in
            (0..<3).flatMap { entry in
                (0..<3).map { PackFormat.checksum(bytes, entry: entry, chunk: $0) }
            }
        }
        #expect(Set(checksums).count == 9)
    }

    @Test(arguments: [
        (Array("PK\u{3}\u{4}rest".utf8), "zip archive"), (Array("GGUF\u{3}".utf8), "GGUF"),
        ([0x28, 0xB5, 0x2F, 0xFD, 0], "zstd"), ([0x1F, 0x8B, 8], "gzip"), ([0x80, 2, 0x8A], "pickle"),
        ([64, 0, 0, 0, 0, 0, 0, 0] + Array(#"{"a":{"dtype":"F32""#.utf8), "safetensors"),
        (Array(#"{"_class_name": "AudioLDM2Pipeline"}"#.utf8), "JSON"),
        (Array("version https://git-lfs.github.com/spec/v1\n".utf8), "Git LFS"),
        (Array("<!DOCTYPE html>".utf8), "web page"),
        (Array("Hello\n".utf8), "text"), ([0x7F, 1, 2, 3, 0xFF], "unknown binary"),
        ([UInt8](repeating: 0, count: 4096), "zeros"),
        ([], "an empty file"), (Array("ALDM\n\u{1A}\n".utf8), "unknown binary"),
    ])
    func foreignFilesAreRecognised(bytes: [UInt8], kind: String) throws {
        let path = try folder.file(holding: bytes)
        let error = #expect(throws: PackError.self) { try Pack(opening: path) }
        guard case .notAPack(path, let found) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(found.contains(kind))
    }

    @Test func missingAndUnreadable() throws {
        #expect(throws: PackError.notFound(path: folder.file("none"))) { try Pack(opening: folder.file("none")) }
        #expect(throws: PackError.unreadable(path: folder.path, reason: "it is a folder")) {
            try Pack(opening: folder.path)
        }
        #expect(throws: PackError.unreadable(path: "/dev/null", reason: "it is not a regular file")) {
            try Pack(opening: "/dev/null")
        }
        let pack = try {
            try writePack(folder.file(), [], .none)
            return try Pack(opening: folder.file())
        }()
        #expect(throws: PackError.missingComponent(path: pack.path, name: "clap", available: ["unet", "vae"])) {
            try pack.requiredComponent("clap")
        }
        #expect(
            throws: PackError.missingBlob(path: pack.path, name: "x", available: ["tokenizer/vocab.json", "empty"])
        ) {
            try pack.blob("x")
        }
    }
}
