import Tensors

extension PackIndex {
    /// Decodes an index whose checksum was right, and checks everything that it says: names are unique, sizes sane, and
    /// the chunks fill the file from the header to `indexOffset` without gap or overlap.
    /// - Throws: `PackError.malformed`.
    init(decoding bytes: [UInt8], indexOffset: Int, features: UInt32, path: String) throws {
        var reader = ByteReader(bytes, path: path)
        try decodeComponents(from: &reader)
        try decodeProvenance(from: &reader)
        try decodeEntries(from: &reader, indexOffset: indexOffset)
        guard reader.remaining == 0 else {
            throw reader.malformed("index", "\(reader.remaining) bytes after its end")
        }
        guard features & PackFormat.Feature.zstd != 0 || entries.allSatisfy({ $0.storage.encoding == .raw }) else {
            throw reader.malformed("features", "there are zstd chunks, but not the feature")
        }
    }

    private mutating func decodeComponents(from reader: inout ByteReader) throws {
        var names = Set<String>()
        for index in 0..<(try reader.count("component count", minimumBytes: 12)) {
            let component = Component(
                name: try reader.name("component \(index): name"),
                className: try reader.string("component \(index): class"),
                config: try reader.data("component \(index): config"))
            guard names.insert(component.name).inserted else {
                throw reader.malformed("component \(index): name", "\"\(component.name)\" is there twice")
            }
            components.append(component)
        }
    }

    private mutating func decodeProvenance(from reader: inout ByteReader) throws {
        for index in 0..<(try reader.count("provenance count", minimumBytes: 8)) {
            let key = try reader.name("provenance \(index): key")
            provenance.append(Note(key: key, value: try reader.string("provenance \(key)")))
        }
    }

    private mutating func decodeEntries(from reader: inout ByteReader, indexOffset: Int) throws {
        var names = Set<[String]>()
        var position = PackFormat.headerByteCount
        for index in 0..<(try reader.count("entry count", minimumBytes: 18)) {
            let kind = try decodeKind(index, from: &reader)
            let label = label(of: kind)
            let identity: [String]
            var description: WeightDescription?
            switch kind {
            case .blob(let name): identity = [name]
            case .tensor(let component, let name, let found):
                identity = [components[component].name, name]
                description = found
            }
            guard names.insert(identity).inserted else { throw reader.malformed(label, "is there twice") }
            let storage = try PackStorage(
                entry: index, label: label, from: &reader, position: &position, indexOffset: indexOffset)
            if let fault = storage.fault(description) { throw reader.malformed(label, fault) }
            entries.append(Entry(kind: kind, storage: storage))
        }
        guard position == indexOffset else {
            throw reader.malformed("index offset", "chunks end at byte \(position), the index starts at \(indexOffset)")
        }
    }

    private func decodeKind(_ index: Int, from reader: inout ByteReader) throws -> Kind {
        let code = try reader.integer("entry \(index): kind", as: UInt8.self)
        let name = try reader.name("entry \(index): name")
        switch code {
        case Kind.blobCode: return .blob(name: name)
        case Kind.tensorCode: break
        default: throw reader.malformed("entry \(index): kind", "unknown kind \(code)")
        }
        let component = Int(try reader.integer("\(name): component", as: UInt32.self))
        guard components.indices.contains(component) else {
            throw reader.malformed("\(name): component", "number \(component) of \(components.count)")
        }
        return .tensor(component: component, name: name, description: try decodeDescription(name, from: &reader))
    }

    private func decodeDescription(_ name: String, from reader: inout ByteReader) throws -> WeightDescription {
        let format = try reader.integer("\(name): format", as: UInt8.self)
        let activation = try reader.integer("\(name): activation mode", as: UInt8.self)
        let code = try reader.integer("\(name): role", as: UInt8.self)
        guard let extentCount = WeightRole.extentCount(code: code) else {
            throw reader.malformed("\(name): role", "unknown role \(code)")
        }
        let extents = try (0..<extentCount).map { _ in Int(try reader.integer("\(name): shape", as: UInt32.self)) }
        guard let role = WeightRole(code: code, extents: extents), let format = WeightFormat(rawValue: format),
            let activation = ActivationMode(rawValue: activation)
        else {
            throw reader.malformed("\(name): format", "format \(format), activation mode \(activation)")
        }
        let description = WeightDescription(role: role, format: format, activation: activation)
        if let fault = description.fault { throw reader.malformed("\(name): shape", fault) }
        return description
    }

    /// An entry as messages name it: `unet.conv_in.weight`, or the name of a file.
    func label(of kind: Kind) -> String {
        switch kind {
        case .blob(let name): name
        case .tensor(let component, let name, _): "\(components[component].name).\(name)"
        }
    }
}

extension PackStorage {
    /// Decodes an entry's chunks, which must start at `position`, and moves `position` behind them.
    fileprivate init(
        entry: Int, label: String, from reader: inout ByteReader, position: inout Int, indexOffset: Int
    ) throws {
        let code = try reader.integer("\(label): encoding", as: UInt8.self)
        guard let encoding = PackEncoding(rawValue: code) else {
            throw reader.malformed("\(label): encoding", "unknown encoding \(code)")
        }
        let offset = try reader.integer("\(label): offset", as: UInt64.self)
        guard offset == UInt64(position) else {
            throw reader.malformed("\(label): offset", "byte \(offset), but the chunks before end at \(position)")
        }
        self.init(entry: entry, encoding: encoding, offset: position, chunks: [])

        for index in 0..<(try reader.count("\(label): chunk count", minimumBytes: 16)) {
            let chunk = Chunk(
                offset: position,
                storedByteCount: Int(try reader.integer("\(label): chunk \(index)", as: UInt32.self)),
                byteCount: Int(try reader.integer("\(label): chunk \(index)", as: UInt32.self)),
                checksum: try reader.integer("\(label): chunk \(index)"))
            guard let next = PackFormat.advance(position, by: chunk.storedByteCount, limit: indexOffset) else {
                throw reader.malformed(
                    "\(label): chunk \(index)",
                    "\(chunk.storedByteCount) bytes at byte \(position), the index starts at \(indexOffset)")
            }
            position = next
            chunks.append(chunk)
        }
    }

    /// Why an entry cannot be stored like this, or nil. `description` is that of a tensor.
    fileprivate func fault(_ description: WeightDescription?) -> String? {
        for (index, chunk) in chunks.enumerated() {
            let isFull = chunk.byteCount == PackFormat.chunkByteCount
            let isLast = index == chunks.count - 1
            guard isFull || isLast && (1..<PackFormat.chunkByteCount).contains(chunk.byteCount) else {
                return "chunk \(index) of \(chunks.count) holds \(chunk.byteCount) bytes"
            }
            guard encoding == .zstd || chunk.storedByteCount == chunk.byteCount, chunk.storedByteCount > 0 else {
                return "chunk \(index): \(chunk.byteCount) bytes stored in \(chunk.storedByteCount)"
            }
        }
        guard let description else {
            return byteCount <= PackFormat.maximumBlobByteCount ? nil : "a file of \(byteCount) bytes"
        }
        let needed = description.byteCount
        return byteCount == needed
            ? nil : "\(description.role.summary) in \(description.format) takes \(needed) bytes, has \(byteCount)"
    }
}
