import Tensors

/// Reads chunks of one pack, on one thread at a time: checks what is stored, and decompresses it.
///
/// Labels are entries' names for messages; descriptions are tensors', whose numbers must be finite. All methods throw
/// `PackError.damaged`, naming chunk and place, or `malformed`.
final class ChunkReader: Sendable {
    private let path: String
    private let file: MappedFile
    private let decompressor: ZstdDecompressor
    private let scratch: AlignedMemory

    /// - Throws: `PackError.outOfMemory`.
    init(_ pack: Pack) throws {
        guard let decompressor = ZstdDecompressor(),
            let scratch = AlignedMemory(byteCount: PackFormat.chunkByteCount)
        else {
            throw PackError.outOfMemory(path: pack.path, part: "a decompressor", bytes: PackFormat.chunkByteCount)
        }
        path = pack.path
        file = pack.file
        self.decompressor = decompressor
        self.scratch = scratch
    }

    /// One for each of `threads` threads.
    static func several(_ threads: Int, for pack: Pack) throws -> [ChunkReader] {
        try (0..<max(threads, 1)).map { _ in try ChunkReader(pack) }
    }

    /// The stored bytes of a chunk, after their checksum was found right.
    private func stored(_ number: Int, of storage: PackStorage, label: String) throws -> UnsafeRawBufferPointer {
        let chunk = storage.chunks[number]
        file.prefetch(chunk.fileRange)
        let stored = file[chunk.fileRange]
        guard PackFormat.checksum(stored, entry: storage.entry, chunk: number) == chunk.checksum else {
            throw damaged(number, of: storage, label: label, reason: "wrong checksum")
        }
        return stored
    }

    /// The contents of a raw chunk in place, after checking it.
    @discardableResult
    func verified(
        _ number: Int, of storage: PackStorage, label: String, description: WeightDescription?
    ) throws -> UnsafeRawBufferPointer {
        let bytes = try stored(number, of: storage, label: label)
        try check(bytes, number, label, description)
        return bytes
    }

    private func check(
        _ bytes: UnsafeRawBufferPointer, _ number: Int, _ label: String, _ description: WeightDescription?
    ) throws {
        guard let description,
            let fault = FiniteNumbers.firstFault(in: bytes, from: number * PackFormat.chunkByteCount, of: description)
        else { return }
        throw PackError.malformed(path: path, field: label, reason: fault)
    }

    /// Decompresses a chunk of a compressed entry after checking it, and lets the file's pages go.
    /// - Parameter destination: as large as the chunk's contents.
    func decompress(
        _ number: Int, of storage: PackStorage, label: String, description: WeightDescription?,
        into destination: UnsafeMutableRawBufferPointer
    ) throws {
        let stored = try stored(number, of: storage, label: label)
        if let fault = decompressor.decompress(stored, into: destination) {
            throw damaged(number, of: storage, label: label, reason: "zstd: \(fault)")
        }
        file.release(storage.chunks[number].fileRange)
        try check(UnsafeRawBufferPointer(destination), number, label, description)
    }

    /// The contents of a chunk, after checking it; they last until the next call.
    func contents(
        of number: Int, in storage: PackStorage, label: String, description: WeightDescription?
    ) throws -> UnsafeRawBufferPointer {
        guard storage.encoding == .zstd else {
            return try verified(number, of: storage, label: label, description: description)
        }
        let destination = UnsafeMutableRawBufferPointer(rebasing: scratch.bytes[..<storage.chunks[number].byteCount])
        try decompress(number, of: storage, label: label, description: description, into: destination)
        return UnsafeRawBufferPointer(destination)
    }

    private func damaged(_ number: Int, of storage: PackStorage, label: String, reason: String) -> PackError {
        .damaged(
            path: path, part: "chunk \(number) of \(storage.chunks.count) of \(label)",
            offset: storage.chunks[number].offset, reason: reason)
    }
}
