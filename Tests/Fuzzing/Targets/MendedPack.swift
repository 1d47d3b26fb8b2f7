import WeightFile

/// A pack around an index that may say anything.
///
/// Of an input, bytes of the chunks u32 · chunks · index, it makes a file whose header and checksums are right, and in which
/// everything lies where the index has to say that it does. What the index says else is left as it is.
enum MendedPack {
    static func encoded(_ input: [UInt8]) -> [UInt8] {
        let count = min(input.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }, max(input.count - 4, 0))
        let chunks = Array(input.dropFirst(4).prefix(count))
        var index = IndexWalk(Array(input.dropFirst(4 + count)), chunks)
        index.mend()
        return file(index.file, index.bytes)
    }

    /// - Parameter chunks: with room for the header before them.
    static func file(_ chunks: [UInt8], _ index: [UInt8]) -> [UInt8] {
        let header = PackHeader(
            features: PackFormat.Feature.known, fileByteCount: chunks.count + index.count, indexOffset: chunks.count,
            indexByteCount: index.count, indexChecksum: PackFormat.checksum(index))
        return header.encoded() + chunks.dropFirst(PackFormat.headerByteCount) + index
    }
}

/// Goes through an index as far as it can be understood, and lays out what it names.
private struct IndexWalk {
    private(set) var bytes: [UInt8]
    /// Header and chunks.
    private(set) var file = [UInt8](repeating: 0, count: PackFormat.headerByteCount)
    private var chunks: ArraySlice<UInt8>
    private var place = 0

    init(_ bytes: [UInt8], _ chunks: [UInt8]) { (self.bytes, self.chunks) = (bytes, chunks[...]) }

    mutating func mend() {
        guard skipRuns(each: 3), skipRuns(each: 2), let count = number(4) else { return }
        for entry in 0..<count {
            guard mendEntry(entry) else { return }
        }
    }

    private mutating func mendEntry(_ entry: Int) -> Bool {
        guard let kind = number(1), skipRun() else { return false }
        if kind == 0 {
            guard number(4) != nil, number(2) != nil, let role = number(1), [0, 1, 2, 3, 4].contains(role),
                skip([1, 2, 4, 4, 2][role] * 4)
            else { return false }
        }
        let offset = place + 1
        guard number(1) != nil, skip(8), let count = number(4) else { return false }
        write(UInt64(file.count), at: offset)
        for chunk in 0..<count {
            guard let stored = number(4), skip(4), skip(8), stored <= chunks.count else { return false }
            let contents = Array(chunks.prefix(stored))
            chunks = chunks.dropFirst(stored)
            write(contents.withUnsafeBytes { PackFormat.checksum($0, entry: entry, chunk: chunk) }, at: place - 8)
            file += contents
            file += [UInt8](repeating: 0, count: -file.count & (PackFormat.alignment - 1))
        }
        return true
    }

    private mutating func skipRuns(each: Int) -> Bool {
        guard let count = number(4) else { return false }
        for _ in 0..<count * each {
            guard skipRun() else { return false }
        }
        return true
    }

    private mutating func skipRun() -> Bool { number(4).map { skip($0) } ?? false }

    private mutating func skip(_ count: Int) -> Bool {
        guard count <= bytes.count - place else { return false }
        place += count
        return true
    }

    private mutating func number(_ size: Int) -> Int? {
        let start = place
        return skip(size) ? bytes[start..<place].reversed().reduce(0) { $0 << 8 | Int($1) } : nil
    }

    private mutating func write(_ value: UInt64, at place: Int) {
        withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(place..<place + 8, with: $0) }
    }
}

/// A model file without weights, of sections "component NAME CLASS", "blob NAME" and "note KEY".
enum ModelRecipe {
    static func encoded(_ sections: [(name: String, bytes: [UInt8])]) -> [UInt8] {
        var index = PackIndex()
        var file = [UInt8](repeating: 0, count: PackFormat.headerByteCount)
        for (name, bytes) in sections {
            let words = name.split(separator: " ", maxSplits: 2).map(String.init)
            switch words.first {
            case "component" where words.count == 3:
                index.components.append(.init(name: words[1], className: words[2], config: .init(bytes)))
            case "blob" where words.count == 2:
                let entry = index.entries.count
                let chunk = PackStorage.Chunk(
                    offset: file.count, storedByteCount: bytes.count, byteCount: bytes.count,
                    checksum: bytes.withUnsafeBytes { PackFormat.checksum($0, entry: entry, chunk: 0) })
                index.entries.append(
                    .init(
                        kind: .blob(name: words[1]),
                        storage: .init(
                            entry: entry, encoding: .raw, offset: file.count, chunks: bytes.isEmpty ? [] : [chunk])))
                file += bytes
                file += [UInt8](repeating: 0, count: -file.count & (PackFormat.alignment - 1))
            case "note" where words.count == 2:
                index.provenance.append(.init(key: words[1], value: String(decoding: bytes, as: UTF8.self)))
            default: break
            }
        }
        return MendedPack.file(file, index.encoded())
    }
}
