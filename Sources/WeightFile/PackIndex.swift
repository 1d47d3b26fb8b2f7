import FoundationEssentials
import Tensors

/// What a pack says about its contents, as stored.
///
/// Counts and lengths are u32; a string or data is its length and its bytes.
///
///     components   count, each: name, class name, config (JSON)
///     provenance   count, each: key, value
///     entries      count, each: kind u8 (0 tensor, 1 named file), name,
///                  of a tensor: component u32, format u8, activation mode u8, role u8, the role's extents u32 …,
///                  encoding u8, offset u64, chunk count, each: stored bytes u32, bytes u32, checksum u64
package struct PackIndex: Sendable, Equatable {
    package struct Component: Sendable, Equatable {
        package var name: String
        package var className: String
        package var config: Data

        package init(name: String, className: String, config: Data) {
            self.name = name
            self.className = className
            self.config = config
        }
    }

    package enum Kind: Sendable, Equatable {
        /// `component` counts from 0 in the order of `components`.
        case tensor(component: Int, name: String, description: WeightDescription)
        case blob(name: String)
    }

    package struct Entry: Sendable, Equatable {
        package var kind: Kind
        package var storage: PackStorage

        package init(kind: Kind, storage: PackStorage) {
            self.kind = kind
            self.storage = storage
        }
    }

    package struct Note: Sendable, Equatable {
        package var key: String
        package var value: String

        package init(key: String, value: String) {
            self.key = key
            self.value = value
        }
    }

    package var components: [Component] = []
    package var provenance: [Note] = []
    /// In the order of their chunks in the file.
    package var entries: [Entry] = []

    package init() {}
}

/// How an entry's chunks are stored: all in one way.
package enum PackEncoding: UInt8, Sendable, Equatable {
    case raw = 0
    /// Each chunk is one zstd frame.
    case zstd = 1
}

/// Where an entry's bytes are.
package struct PackStorage: Sendable, Equatable {
    package struct Chunk: Sendable, Equatable {
        /// Byte of the file; not stored, it follows from the chunk before.
        package var offset: Int
        package var storedByteCount: Int
        package var byteCount: Int
        /// XXH64 of the stored bytes, seeded with the places of entry and chunk: `PackFormat.checksum`.
        package var checksum: UInt64

        package init(offset: Int, storedByteCount: Int, byteCount: Int, checksum: UInt64) {
            self.offset = offset
            self.storedByteCount = storedByteCount
            self.byteCount = byteCount
            self.checksum = checksum
        }

        package var fileRange: Range<Int> { offset..<offset + storedByteCount }
    }

    /// Place of the entry in the index, which seeds its checksums.
    package var entry: Int
    package var encoding: PackEncoding
    package var offset: Int
    package var chunks: [Chunk]

    package init(entry: Int, encoding: PackEncoding, offset: Int, chunks: [Chunk]) {
        self.entry = entry
        self.encoding = encoding
        self.offset = offset
        self.chunks = chunks
    }

    /// Bytes in the file, without alignment.
    package var storedByteCount: Int { chunks.reduce(0) { $0 + $1.storedByteCount } }
    /// Bytes after decompression.
    package var byteCount: Int { chunks.reduce(0) { $0 + $1.byteCount } }
}

extension PackIndex {
    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.append(UInt32(components.count))
        for component in components {
            writer.append(component.name)
            writer.append(component.className)
            writer.append(component.config)
        }
        writer.append(UInt32(provenance.count))
        for note in provenance {
            writer.append(note.key)
            writer.append(note.value)
        }
        writer.append(UInt32(entries.count))
        for entry in entries {
            entry.kind.encode(to: &writer)
            entry.storage.encode(to: &writer)
        }
        return writer.bytes
    }
}

extension PackIndex.Kind {
    static let tensorCode: UInt8 = 0
    static let blobCode: UInt8 = 1

    fileprivate func encode(to writer: inout ByteWriter) {
        switch self {
        case .blob(let name):
            writer.append(Self.blobCode)
            writer.append(name)
        case .tensor(let component, let name, let description):
            writer.append(Self.tensorCode)
            writer.append(name)
            writer.append(UInt32(component))
            writer.append(description.format.rawValue)
            writer.append(description.activation.rawValue)
            writer.append(description.role.code)
            for extent in description.role.extents { writer.append(UInt32(truncatingIfNeeded: extent)) }
        }
    }
}

extension PackStorage {
    fileprivate func encode(to writer: inout ByteWriter) {
        writer.append(encoding.rawValue)
        writer.append(UInt64(offset))
        writer.append(UInt32(chunks.count))
        for chunk in chunks {
            writer.append(UInt32(chunk.storedByteCount))
            writer.append(UInt32(chunk.byteCount))
            writer.append(chunk.checksum)
        }
    }
}
