import Platform
import Synchronization
import Tensors

extension Pack {
    /// Reads everything: checksums of all chunks, that they decompress to their size, that numbers are finite, that gaps
    /// are zero.
    /// - Parameters:
    ///   - threads: how many threads read.
    ///   - progress: called from those threads, one at a time, with bytes checked so far and in all.
    /// - Throws: `PackError.damaged` for the first damage in the file; `outOfMemory`; `CancellationError`.
    package func check(
        threads: Int = SystemProcessors.available,
        progress: @Sendable (_ checked: Int, _ total: Int) -> Void = { _, _ in }
    ) throws {
        let chunks = chunksInOrder()
        let total = chunks.reduce(0) { $0 + $1.storage.chunks[$1.number].storedByteCount }
        let checked = Mutex(0)
        let readers = try ChunkReader.several(threads, for: self)
        try forEachInParallel(chunks.count, contexts: readers) { item, reader in
            let (storage, number, label, description) = chunks[item]
            _ = try reader.contents(of: number, in: storage, label: label, description: description)
            try checkGap(after: storage.chunks[number].fileRange)
            file.release(storage.chunks[number].fileRange)
            checked.withLock {
                $0 += storage.chunks[number].storedByteCount
                progress($0, total)
            }
        }
    }

    private typealias ChunkPlace = (
        storage: PackStorage, number: Int, label: String, description: WeightDescription?
    )

    private func chunksInOrder() -> [ChunkPlace] {
        let tensors = components.flatMap { component in
            component.tensors.map { ($0.storage, component.label(of: $0.name), Optional($0.description)) }
        }
        let entries = (tensors + blobs.map { ($0.storage, $0.name, nil) }).sorted { $0.0.entry < $1.0.entry }
        return entries.flatMap { storage, label, description in
            storage.chunks.indices.map { (storage, $0, label, description) }
        }
    }

    /// Nothing may hide between a chunk and the next, or the index.
    private func checkGap(after range: Range<Int>) throws {
        let end = min(PackFormat.aligned(range.upperBound), fileByteCount - indexByteCount)
        guard file[range.upperBound..<end].allSatisfy({ $0 == 0 }) else {
            throw PackError.damaged(
                path: path, part: "the gap after a chunk", offset: range.upperBound, reason: "it is not zero")
        }
    }
}

extension PackComponent {
    /// A tensor's full name for messages.
    func label(of tensor: String) -> String { "\(name).\(tensor)" }
}
