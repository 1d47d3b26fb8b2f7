import Foundation
import Tensors
import WeightFile

/// A pack put together by hand, with right checksums, to say anything in it.
struct ForgedPack {
    var index: PackIndex
    /// What follows the header.
    var chunks: [UInt8]
    var features: UInt32 = PackFormat.Feature.known

    /// One component with two vectors of 16 numbers, raw.
    init() {
        chunks = (0..<128).map { UInt8($0) }
        index = PackIndex()
        index.components = [PackIndex.Component(name: "unet", className: "UNet", config: Data("{}".utf8))]
        index.provenance = [PackIndex.Note(key: "source", value: "test")]
        let description = WeightDescription(role: .vector(count: 16), format: .float32)
        index.entries = ["first", "second"].enumerated().map { entry, name in
            PackIndex.Entry(
                kind: .tensor(component: 0, name: name, description: description),
                storage: PackStorage(entry: entry, encoding: .raw, offset: 64 + 64 * entry, chunks: []))
        }
        setChunk(0, entry: 0, stored: 64, content: 64)
        setChunk(0, entry: 1, stored: 64, content: 64)
    }

    /// Sets a chunk of an entry (or adds it at the end), with the checksum of what is in its place.
    mutating func setChunk(_ number: Int, entry: Int, stored: Int, content: Int) {
        let offset = index.entries[entry].storage.offset - PackFormat.headerByteCount
        let bytes = chunks.indices.contains(offset) ? Array(chunks[offset...].prefix(stored)) : []
        let chunk = PackStorage.Chunk(
            offset: offset, storedByteCount: stored, byteCount: content,
            checksum: bytes.withUnsafeBytes { PackFormat.checksum($0, entry: entry, chunk: number) })
        index.entries[entry].storage.chunks[number...] = [chunk]
    }

    /// Sets what the first tensor claims to be.
    mutating func describe(_ role: WeightRole, _ format: WeightFormat = .float32, _ mode: ActivationMode = .float) {
        let description = WeightDescription(role: role, format: format, activation: mode)
        index.entries[0].kind = .tensor(component: 0, name: "first", description: description)
    }

    /// The file. `editingIndex` and `editingHeader` run before the checksums are made.
    func encoded(
        editingIndex: (inout [UInt8]) -> Void = { _ in }, editingHeader: (inout PackHeader) -> Void = { _ in }
    ) -> [UInt8] {
        var indexBytes = index.encoded()
        editingIndex(&indexBytes)
        let offset = PackFormat.headerByteCount + chunks.count
        var header = PackHeader(
            features: features, fileByteCount: offset + indexBytes.count, indexOffset: offset,
            indexByteCount: indexBytes.count, indexChecksum: PackFormat.checksum(indexBytes))
        editingHeader(&header)
        return header.encoded() + chunks + indexBytes
    }
}
