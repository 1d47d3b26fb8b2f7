import Files
import FoundationEssentials
import Platform
import Synchronization
import Tensors

/// Whether a pack's contents are compressed.
package enum PackCompression: Sendable, Equatable {
    case none
    /// Level 1 (fast) to 19 (small). Entries that shrink by less than 3 % stay as they are.
    case zstd(level: Int)
}

/// Writes a pack: chunks as they come, the index and the header at the end.
///
/// One thread at a time; chunks are compressed on all cores. The same calls write the same bytes. After an error, and
/// when the writer goes away unfinished, nothing is left behind and an older file in its place is untouched.
package final class PackWriter {
    private let file: AtomicFile
    private let compressors: [ZstdCompressor]
    private var isOpen = true
    private var index = PackIndex()
    private var features: UInt32 = 0
    /// Where the next chunk starts.
    private var position = PackFormat.headerByteCount
    private var componentNumbers: [String: Int] = [:]
    private var names = Set<[String]>()

    /// Starts a file beside `path`.
    /// - Throws: `PackError`: `writeFailed`, `unwritable` for an unknown compression level, `outOfMemory`.
    package convenience init(path: String, compression: PackCompression) throws {
        try self.init(path: path, compression: compression, threads: SystemProcessors.available)
    }

    /// Finds out before any work is done whether a pack could be written to `path`.
    /// - Throws: `PackError.writeFailed`.
    package static func checkWritable(_ path: String) throws {
        do { try AtomicFile.check(path) } catch let error as FileError { throw PackError(error, path: path) }
    }

    /// The same, compressing on `threads` threads.
    package convenience init(path: String, compression: PackCompression, threads: Int) throws {
        let file: AtomicFile
        do { file = try AtomicFile(path: path) } catch let error as FileError { throw PackError(error, path: path) }
        try self.init(file: file, compression: compression, threads: threads)
    }

    /// Writes to a file that was started already, compressing on `threads` threads.
    package init(file: AtomicFile, compression: PackCompression, threads: Int) throws {
        self.file = file
        guard case .zstd(let level) = compression else {
            compressors = []
            return
        }
        guard ZstdCompressor.levels.contains(level) else {
            let range = ZstdCompressor.levels
            throw PackError.unwritable(
                path: file.path, part: "zstd level \(level)",
                reason: "levels are \(range.lowerBound) to \(range.upperBound)")
        }
        compressors = try (0..<max(threads, 1)).map { _ in
            guard let compressor = ZstdCompressor(level: level) else {
                throw PackError.outOfMemory(path: file.path, part: "a zstd compressor", bytes: 0)
            }
            return compressor
        }
    }

    /// Adds a component, before its tensors.
    /// - Parameter config: the component's configuration as JSON.
    package func addComponent(name: String, className: String, config: Data) throws {
        try closingOnError {
            guard !name.isEmpty, componentNumbers[name] == nil else {
                throw unwritable("component \"\(name)\"", name.isEmpty ? "empty name" : "it is there already")
            }
            guard config.count <= PackFormat.maximumBlobByteCount else {
                throw unwritable("the config of \(name)", "\(config.count) bytes")
            }
            componentNumbers[name] = index.components.count
            index.components.append(PackIndex.Component(name: name, className: className, config: config))
        }
    }

    /// Adds a weight, in the layout that `Tensors` prescribes for its description.
    /// - Parameter bytes: exactly `description.byteCount` bytes.
    /// - Returns: bytes it takes in the file.
    /// - Throws: `PackError`: `unwritable`, `diskFull`, `writeFailed`, `outOfMemory`; `CancellationError`.
    @discardableResult
    package func addTensor(
        component: String, name: String, _ description: WeightDescription, bytes: UnsafeRawBufferPointer
    ) throws -> Int {
        try closingOnError {
            let label = "\(component).\(name)"
            guard let number = componentNumbers[component] else {
                throw unwritable(label, "its component has not been added")
            }
            if let fault = description.fault { throw unwritable(label, fault) }
            guard bytes.count == description.byteCount else {
                throw unwritable(label, "\(bytes.count) bytes instead of \(description.byteCount)")
            }
            try claim([component, name], label: label)
            return try store(.tensor(component: number, name: name, description: description), bytes)
        }
    }

    /// Adds a named file: a tokenizer, a scheduler's configuration, a licence.
    package func addBlob(name: String, _ data: Data) throws {
        try closingOnError {
            guard data.count <= PackFormat.maximumBlobByteCount else {
                throw unwritable(name, "\(data.count) bytes, at most \(PackFormat.maximumBlobByteCount)")
            }
            try claim([name], label: name)
            _ = try data.withUnsafeBytes { try store(.blob(name: name), $0) }
        }
    }

    /// Where the contents come from and how they were made, in the order to be shown. Keys are not empty.
    package func setProvenance(_ values: [(String, String)]) {
        index.provenance = values.map { PackIndex.Note(key: $0.0, value: $0.1) }
    }

    /// Completes the file and puts it in its place at once, replacing an older one.
    /// - Throws: `PackError`: `diskFull`, `writeFailed`, `unwritable`.
    package func finish() throws {
        try closingOnError {
            guard index.provenance.allSatisfy({ !$0.key.isEmpty }) else { throw unwritable("provenance", "empty key") }
            let bytes = index.encoded()
            let header = PackHeader(
                features: features, fileByteCount: position + bytes.count, indexOffset: position,
                indexByteCount: bytes.count, indexChecksum: PackFormat.checksum(bytes))
            try bytes.withUnsafeBytes { try file.write($0, at: position) }
            try header.encoded().withUnsafeBytes { try file.write($0, at: 0) }
            try file.commit()
            isOpen = false
        }
    }

    /// Gives up: removes what was written.
    package func discard() {
        isOpen = false
        file.discard()
    }
}

// MARK: - Chunks

extension PackWriter {
    /// Chunks of a batch for each thread: enough to keep them busy, little enough to need no memory.
    private static let chunksPerThread = 4

    private func store(_ kind: PackIndex.Kind, _ bytes: UnsafeRawBufferPointer) throws -> Int {
        try Task.checkCancellation()
        let start = position
        var storage = PackStorage(entry: index.entries.count, encoding: .raw, offset: start, chunks: [])
        if !compressors.isEmpty, !bytes.isEmpty {
            try appendCompressed(bytes, to: &storage)
            if isWorthwhile(position - start, of: bytes.count) {
                storage.encoding = .zstd
                features |= PackFormat.Feature.zstd
            } else {
                storage.chunks = []
                position = start
                try file.truncate(to: start)
            }
        }
        if storage.encoding == .raw {
            for piece in pieces(of: bytes) { try append(piece, content: piece.count, to: &storage) }
        }
        index.entries.append(PackIndex.Entry(kind: kind, storage: storage))
        return storage.storedByteCount
    }

    /// An uncompressed entry is used where it is, so compression has to gain at least 3 %, alignment included; of large ones 10 %,
    /// as a second of every run would be spent on decompressing what hardly shrinks.
    private func isWorthwhile(_ stored: Int, of byteCount: Int) -> Bool {
        let most = byteCount < Self.largeByteCount ? 97 : 90
        return stored * 100 <= PackFormat.aligned(byteCount) * most
    }

    private static let largeByteCount = PackFormat.chunkByteCount

    private func pieces(of bytes: UnsafeRawBufferPointer) -> [UnsafeRawBufferPointer] {
        stride(from: 0, to: bytes.count, by: PackFormat.chunkByteCount).map {
            UnsafeRawBufferPointer(rebasing: bytes[$0..<min($0 + PackFormat.chunkByteCount, bytes.count)])
        }
    }

    private func appendCompressed(_ bytes: UnsafeRawBufferPointer, to storage: inout PackStorage) throws {
        let pieces = pieces(of: bytes)
        let batch = compressors.count * Self.chunksPerThread
        for first in stride(from: 0, to: pieces.count, by: batch) {
            let group = pieces[first..<min(first + batch, pieces.count)]
            for (piece, frame) in zip(group, try compressed(Array(group))) {
                try frame.withUnsafeBytes { try append($0, content: piece.count, to: &storage) }
            }
        }
    }

    private func append(_ stored: UnsafeRawBufferPointer, content: Int, to storage: inout PackStorage) throws {
        let checksum = PackFormat.checksum(stored, entry: storage.entry, chunk: storage.chunks.count)
        try file.write(stored, at: position)
        storage.chunks.append(
            PackStorage.Chunk(
                offset: position, storedByteCount: stored.count, byteCount: content, checksum: checksum))
        position = PackFormat.aligned(position + stored.count)
    }

    /// One zstd frame for each piece.
    private func compressed(_ pieces: [UnsafeRawBufferPointer]) throws -> [[UInt8]] {
        let sources = pieces.map(SharedBytes.init)
        let frames = Mutex([[UInt8]](repeating: [], count: pieces.count))
        try forEachInParallel(pieces.count, contexts: compressors) { [path = file.path] item, compressor in
            guard let frame = compressor.compress(sources[item].bytes) else {
                throw PackError.outOfMemory(path: path, part: "a compressed chunk", bytes: sources[item].bytes.count)
            }
            frames.withLock { $0[item] = frame }
        }
        return frames.withLock { $0 }
    }
}

// MARK: - Errors

extension PackWriter {
    /// Runs a step; a step that fails ends the writer and removes its file.
    private func closingOnError<Result>(_ step: () throws -> Result) throws -> Result {
        guard isOpen else {
            throw PackError.writeFailed(path: file.path, operation: "continue", reason: "the writer is closed")
        }
        do {
            return try step()
        } catch {
            discard()
            if let error = error as? FileError { throw PackError(error, path: file.path) }
            throw error
        }
    }

    /// Takes a name for an entry: parts are a component and a tensor, or a named file.
    private func claim(_ parts: [String], label: String) throws {
        guard parts.allSatisfy({ !$0.isEmpty }) else { throw unwritable("\"\(label)\"", "empty name") }
        guard names.insert(parts).inserted else { throw unwritable(label, "it is there already") }
    }

    private func unwritable(_ part: String, _ reason: String) -> PackError {
        .unwritable(path: file.path, part: part, reason: reason)
    }
}

/// Bytes that several threads read while their owner keeps them.
private struct SharedBytes: @unchecked Sendable {
    let bytes: UnsafeRawBufferPointer
}
