import Synchronization
import Tensors

/// A compressed table of which a chunk at a time is in memory: few of its rows are ever read.
final class PagedTableData: WeightData {
    let description: WeightDescription
    let name: String
    private let storage: PackStorage
    private let state: Mutex<State>

    private struct State {
        let reader: ChunkReader
        let page: AlignedMemory
        var current: Int?
    }

    /// - Throws: `PackError.outOfMemory`.
    init(_ tensor: PackTensor, name: String, in pack: Pack) throws {
        guard let page = AlignedMemory(byteCount: PackFormat.chunkByteCount) else {
            throw PackError.outOfMemory(path: pack.path, part: name, bytes: PackFormat.chunkByteCount)
        }
        (description, self.name, storage) = (tensor.description, name, tensor.storage)
        state = Mutex(State(reader: try ChunkReader(pack), page: page))
    }

    /// The whole table, in memory for as long as `body` runs.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        try withBytes(in: 0..<description.byteCount, body)
    }

    func hold() throws -> HeldBytes {
        guard let copy = AlignedMemory(byteCount: description.byteCount) else {
            throw PackError.outOfMemory(path: name, part: "a table", bytes: description.byteCount)
        }
        try withBytes { copy.bytes.copyMemory(from: $0) }
        return HeldBytes(UnsafeRawBufferPointer(copy.bytes), of: copy)
    }

    func withBytes<Result>(in range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        var bytes = [UInt8]()
        bytes.reserveCapacity(range.count)
        try state.withLock { state in
            var position = range.lowerBound
            while position < range.upperBound {
                let (chunk, offset) = position.quotientAndRemainder(dividingBy: PackFormat.chunkByteCount)
                try load(chunk, &state)
                let count = min(PackFormat.chunkByteCount - offset, range.upperBound - position)
                bytes.append(contentsOf: state.page.bytes[offset..<offset + count])
                position += count
            }
        }
        return try bytes.withUnsafeBytes(body)
    }

    private func load(_ chunk: Int, _ state: inout State) throws {
        guard state.current != chunk else { return }
        state.current = nil
        let page = UnsafeMutableRawBufferPointer(rebasing: state.page.bytes[..<storage.chunks[chunk].byteCount])
        try state.reader.decompress(chunk, of: storage, label: name, description: description, into: page)
        state.current = chunk
    }
}
