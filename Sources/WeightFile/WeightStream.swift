import Platform
import Tensors

/// Decompresses weights ahead of their use, on a thread of its own, into memory for a few of them.
///
/// Which one comes next is known from the order in which the model used them when it was planned. What is in the window
/// and comes soonest stays; the rest goes to make room.
final class WeightStream: Sendable {
    private let window: StreamWindow

    /// - Parameter tensors: all that come and go, by their names.
    /// - Throws: `PackError.outOfMemory`; `ThreadError`.
    init(_ tensors: [String: PackTensor], of component: PackComponent, in pack: Pack, _ plan: WeightStreaming) throws {
        let loads = tensors.mapValues { tensor in
            StreamWindow.Source(tensor: tensor, label: component.label(of: tensor.name))
        }
        window = StreamWindow(
            loads, byteCount: plan.window, successors: plan.successors, reader: try ChunkReader(pack), path: pack.path)
        try SystemThread.start("audioldm2-weights", stackSize: 1 << 19) { [window] in window.work() }
    }

    deinit { window.stop() }

    func data(of name: String, _ tensor: PackTensor, label: String) -> any WeightData {
        StreamedWeightData(tensor.description, name: label, key: name, stream: self)
    }

    func hold(_ name: String) throws -> HeldBytes {
        HeldBytes(try window.acquire(name), of: window) { [window] in window.release(name) }
    }

    func withBytes<Result>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        let bytes = try window.acquire(name)
        defer { window.release(name) }
        return try body(bytes)
    }
}

/// A weight that is in memory while it is used.
final class StreamedWeightData: WeightData {
    let description: WeightDescription
    let name: String
    private let key: String
    private let stream: WeightStream

    init(_ description: WeightDescription, name: String, key: String, stream: WeightStream) {
        (self.description, self.name, self.key, self.stream) = (description, name, key, stream)
    }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        try stream.withBytes(of: key, body)
    }

    func hold() throws -> HeldBytes { try stream.hold(key) }
}

/// What a stream's thread and its users share.
private final class StreamWindow: @unchecked Sendable {
    // Unchecked: everything that changes is guarded by the condition.
    struct Source {
        let tensor: PackTensor
        let label: String
    }

    private struct Entry {
        let memory: AlignedMemory
        var users = 0
    }

    private let sources: [String: Source]
    private let successors: [String: String]
    private let byteCount: Int
    private let reader: ChunkReader
    private let path: String

    private let condition = SystemCondition()
    private var entries: [String: Entry] = [:]
    private var failures: [String: any Error] = [:]
    private var usedBytes = 0
    /// The weight that was asked for last.
    private var current: String?
    /// Weights that somebody waits for, the longest waiting first.
    private var awaited: [String] = []
    private var isStopped = false

    init(
        _ sources: [String: Source], byteCount: Int, successors: [String: String], reader: ChunkReader, path: String
    ) {
        (self.sources, self.byteCount, self.successors) = (sources, byteCount, successors)
        (self.reader, self.path) = (reader, path)
    }

    // MARK: Users

    /// Waits for a weight and keeps it until `release`. Only the window holds its memory, which so is gone at once when
    /// the window drops it.
    /// - Throws: `PackError`: `damaged`, `outOfMemory`.
    func acquire(_ name: String) throws -> UnsafeRawBufferPointer {
        condition.lock()
        defer { condition.unlock() }
        current = name
        awaited.append(name)
        condition.broadcast()
        defer { if let place = awaited.firstIndex(of: name) { awaited.remove(at: place) } }
        while true {
            if let failure = failures[name] { throw failure }
            if let bytes = entries[name]?.memory.bytes {
                entries[name]?.users += 1
                return UnsafeRawBufferPointer(bytes)
            }
            condition.wait()
        }
    }

    func release(_ name: String) {
        condition.lock()
        entries[name]?.users -= 1
        condition.broadcast()
        condition.unlock()
    }

    func stop() {
        condition.lock()
        isStopped = true
        condition.broadcast()
        condition.unlock()
    }

    // MARK: The thread

    func work() {
        while let (name, source) = next() {
            let result = Result { try load(source) }
            condition.lock()
            switch result {
            case .success(let memory): entries[name] = Entry(memory: memory)
            case .failure(let error): failures[name] = error
            }
            condition.broadcast()
            condition.unlock()
        }
    }

    private func load(_ source: Source) throws -> AlignedMemory {
        let tensor = source.tensor
        guard let memory = AlignedMemory(byteCount: tensor.byteCount) else {
            throw PackError.outOfMemory(path: path, part: source.label, bytes: tensor.byteCount)
        }
        for (number, chunk) in tensor.storage.chunks.enumerated() {
            let start = number * PackFormat.chunkByteCount
            try reader.decompress(
                number, of: tensor.storage, label: source.label, description: tensor.description,
                into: UnsafeMutableRawBufferPointer(rebasing: memory.bytes[start..<start + chunk.byteCount]))
        }
        return memory
    }

    /// Waits until there is a weight to load and room for it, which is then taken; nil at the end.
    private func next() -> (String, Source)? {
        condition.lock()
        defer { condition.unlock() }
        while !isStopped {
            if let name = soonestMissing(), let source = sources[name] {
                usedBytes += source.tensor.byteCount
                return (name, source)
            }
            condition.wait()
        }
        return nil
    }

    /// A weight that somebody waits for, which gets room in any case, as whoever waits may hold another. Else the first
    /// one after the current one that is not there, if there is room for it beside those that are needed before it.
    private func soonestMissing() -> String? {
        func isMissing(_ name: String) -> Bool { entries[name] == nil && failures[name] == nil }
        var kept = Set(awaited)
        if let name = awaited.first(where: isMissing), let source = sources[name] {
            _ = makeRoom(for: source.tensor.byteCount, keeping: kept)
            return name
        }
        var name = current
        var passed = Set<String>()
        while let candidate = name, passed.insert(candidate).inserted, let source = sources[candidate] {
            kept.insert(candidate)
            if isMissing(candidate) {
                return makeRoom(for: source.tensor.byteCount, keeping: kept) ? candidate : nil
            }
            name = successors[candidate]
        }
        return nil
    }

    /// Drops what is not to be kept and not in use, as far as needed.
    private func makeRoom(for needed: Int, keeping kept: Set<String>) -> Bool {
        let unused = entries.filter { !kept.contains($0.key) && $0.value.users == 0 }
        let unusedBytes = unused.values.reduce(0) { $0 + $1.memory.bytes.count }
        guard usedBytes - unusedBytes + needed <= byteCount || !awaited.isEmpty else { return false }
        for (name, entry) in unused where usedBytes + needed > byteCount {
            entries[name] = nil
            usedBytes -= entry.memory.bytes.count
        }
        return usedBytes + needed <= byteCount
    }
}
