import Tensors

/// What a PyTorch file's pickle says, and where its storages lie.
struct TorchContents: Sendable {
    private let file: String
    private let root: PickleValue
    private let heap: PickleHeap
    /// The bytes of each of the heap's storages, in the file.
    let places: [Range<Int>]
    private let archive: ZipArchive?
    private let records: [(name: String, record: ZipArchive.Record)]

    /// The zip format: `NAME/data.pkl`, and `NAME/data/KEY` for each storage.
    /// <https://pytorch.org/docs/stable/notes/serialization.html>
    init(zipped input: InputFile) throws {
        let archive = try ZipArchive(input)
        file = input.name
        func malformed(_ reason: String) -> CheckpointError { .malformed(file: input.name, reason: reason) }
        let pickles = archive.records.keys.filter { $0 == "data.pkl" || $0.hasSuffix("/data.pkl") }
        guard pickles.count == 1, let name = pickles.first, let pickle = archive.records[name] else {
            throw malformed("is a zip file that does not hold one pickle of tensors (data.pkl)")
        }
        let prefix = String(name.dropLast("data.pkl".count))
        if let order = archive.records[prefix + "byteorder"] {
            guard try input.bytes(at: order.bytes.lowerBound, count: order.bytes.count) == Array("little".utf8) else {
                throw malformed("was written on a big-endian computer, which is not supported")
            }
        }
        guard pickle.bytes.count <= Unpickler.lengthLimit else {
            throw malformed("has a pickle of \(pickle.bytes.count) bytes, longer than that of any checkpoint")
        }
        try archive.verify(name, pickle)
        var unpickler = Unpickler(ByteStream(input, pickle.bytes), file: input.name)
        root = try unpickler.load()
        guard unpickler.stream.remaining == 0 else { throw malformed("has a pickle with something behind its end") }
        heap = unpickler.heap
        records = try heap.storages.map { storage in
            let name = "\(prefix)data/\(storage.key)"
            guard let record = archive.records[name] else { throw malformed("lacks the record \(name.quoted)") }
            guard record.bytes.count == storage.byteCount else {
                throw malformed(
                    "has \(record.bytes.count) bytes in \(name.quoted), not \(storage.count) elements")
            }
            return (name, record)
        }
        places = records.map(\.record.bytes)
        self.archive = archive
    }

    /// The older format: pickles of a magic number, a version, the writer's number sizes, the contents and the storages'
    /// keys; then for each key its count and its bytes.
    init(legacy input: InputFile) throws {
        file = input.name
        (records, archive) = ([], nil)
        func malformed(_ reason: String) -> CheckpointError { .malformed(file: input.name, reason: reason) }
        var unpickler = Unpickler(ByteStream(input, 0..<input.size), file: input.name)
        guard input.size >= Self.legacyStart.count,
            try unpickler.stream.bytes(Self.legacyStart.count) == Self.legacyStart
        else { throw malformed("is neither a zip file nor an older file of PyTorch") }
        guard case .integer(1001) = try unpickler.load() else { throw malformed("has an unknown version") }
        let system = try unpickler.load()
        if let order = unpickler.heap.entries(system)?.last(where: { $0.key == "little_endian" }) {
            guard case .boolean(true) = order.value else {
                throw malformed("was written on a big-endian computer, which is not supported")
            }
        }
        root = try unpickler.load()
        let list = try unpickler.load()
        heap = unpickler.heap
        let keys = heap.items(list, .list) ?? []
        guard keys.count == heap.storages.count else { throw malformed("lists \(keys.count) storages") }
        var places = [Range<Int>?](repeating: nil, count: keys.count)
        for key in keys {
            guard case .string(let key) = key, let index = unpickler.storageIndices[key], places[index] == nil,
                let byteCount = heap.storages[index].byteCount
            else { throw malformed("lists a storage that nothing uses, or one twice") }
            guard try unpickler.stream.integer(Int64.self) == heap.storages[index].count else {
                throw malformed("has a storage \(key.quoted) of another size than its pickle says")
            }
            let start = unpickler.stream.position
            try unpickler.stream.skip(byteCount)
            places[index] = start..<start + byteCount
        }
        self.places = places.compactMap(\.self)
    }

    /// The pickle of the older format's magic number.
    private static let legacyStart: [UInt8] = [
        0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
    ]

    /// - Throws: `CheckpointError` if a storage's bytes do not have their checksum, where the format has one.
    func verify(_ storage: Int) throws {
        guard let archive else { return }
        try archive.verify(records[storage].name, records[storage].record)
    }

    // MARK: The state dictionary

    /// Where trainers put the model's tensors among other things.
    private static let nests = ["state_dict", "model", "module", "generator"]

    /// The tensors by key, and the names of what else is there.
    func stateDictionary() throws -> (tensors: [String: TorchTensor], extras: [String]) {
        guard let entries = heap.entries(root) else {
            throw CheckpointError.malformed(file: file, reason: "holds no dictionary of tensors")
        }
        for nest in Self.nests {
            guard let value = entries.last(where: { $0.key == nest })?.value else { continue }
            let tensors = tensors(in: heap.entries(value) ?? [])
            if !tensors.isEmpty { return (tensors, Set(entries.map(\.key)).subtracting([nest]).sorted()) }
        }
        let tensors = tensors(in: entries)
        guard !tensors.isEmpty else {
            throw CheckpointError.malformed(file: file, reason: "holds no dictionary of tensors")
        }
        return (tensors, Set(entries.map(\.key)).subtracting(tensors.keys).sorted())
    }

    private func tensors(in entries: [(key: String, value: PickleValue)]) -> [String: TorchTensor] {
        var tensors: [String: TorchTensor] = [:]
        for (key, value) in entries {
            if case .tensor(let index) = value { tensors[key] = heap.tensors[index] } else { tensors[key] = nil }
        }
        return tensors
    }
}
