import FoundationEssentials
import Tensors

/// A stored weight, as the index describes it.
package struct PackTensor: Sendable, Equatable {
    /// Path inside its component: `conv_in.weight`.
    package let name: String
    package let description: WeightDescription
    package let storage: PackStorage

    package var byteCount: Int { description.byteCount }
    package var storedByteCount: Int { storage.storedByteCount }
    package var chunkCount: Int { storage.chunks.count }
    package var isCompressed: Bool { storage.encoding == .zstd }
}

/// A model inside a pack: what its configuration says, and its weights.
package struct PackComponent: Sendable, Equatable {
    /// `unet`, `vae`, …
    package let name: String
    /// The class of the reference implementation: `AudioLDM2UNet2DConditionModel`.
    package let className: String
    /// JSON.
    package let config: Data
    /// In the order of the file.
    package fileprivate(set) var tensors: [PackTensor] = []

    package var descriptions: [WeightDescription] { tensors.map(\.description) }
}

/// A named file inside a pack.
package struct PackBlob: Sendable, Equatable {
    package let name: String
    package let storage: PackStorage

    package var byteCount: Int { storage.byteCount }
    package var storedByteCount: Int { storage.storedByteCount }
}

/// An open pack: its index in memory, its chunks in the mapped file, unread until used.
package final class Pack: Sendable {
    package let path: String
    package let fileByteCount: Int
    package let indexByteCount: Int
    /// Of the index, which holds the checksum of every chunk: packs of equal contents have equal ones.
    package let checksum: UInt64
    /// In the order of the file.
    package let components: [PackComponent]
    package let blobs: [PackBlob]
    package let provenance: [(key: String, value: String)]

    let file: MappedFile

    /// Maps a file and checks its header and index, so that every size and place in them can be relied upon. What the
    /// chunks hold is checked when they are used, or all at once by `check`.
    /// - Throws: `PackError`.
    package init(opening path: String) throws {
        let file = try MappedFile(path: path)
        let count = file.bytes.count
        let prefix = Array(file.bytes.prefix(FileKind.prefixLength))
        let header = try PackHeader(prefix: prefix, fileByteCount: count, path: path)
        let range = try header.indexRange(fileByteCount: count, path: path)
        let bytes = Array(file[range])
        guard header.indexChecksum == PackFormat.checksum(bytes) else {
            throw PackError.damaged(path: path, part: "index", offset: range.lowerBound, reason: "wrong checksum")
        }
        let index = try PackIndex(
            decoding: bytes, indexOffset: range.lowerBound, features: header.features, path: path)

        self.path = path
        self.file = file
        fileByteCount = count
        indexByteCount = range.count
        checksum = header.indexChecksum
        provenance = index.provenance.map { ($0.key, $0.value) }
        (components, blobs) = Self.sorted(index)
    }

    private static func sorted(_ index: PackIndex) -> ([PackComponent], [PackBlob]) {
        var components = index.components.map {
            PackComponent(name: $0.name, className: $0.className, config: $0.config)
        }
        var blobs: [PackBlob] = []
        for entry in index.entries {
            switch entry.kind {
            case .blob(let name):
                blobs.append(PackBlob(name: name, storage: entry.storage))
            case .tensor(let component, let name, let description):
                components[component].tensors.append(
                    PackTensor(name: name, description: description, storage: entry.storage))
            }
        }
        return (components, blobs)
    }

    /// The component of a name, or nil.
    package func component(_ name: String) -> PackComponent? { components.first { $0.name == name } }

    /// - Throws: `PackError.missingComponent`, naming those that are there.
    package func requiredComponent(_ name: String) throws -> PackComponent {
        guard let component = component(name) else {
            throw PackError.missingComponent(path: path, name: name, available: components.map(\.name))
        }
        return component
    }

    /// The contents of a named file.
    /// - Throws: `PackError`: `missingBlob`, naming those that are there, `damaged`, `outOfMemory`.
    package func blob(_ name: String) throws -> Data {
        guard let blob = blobs.first(where: { $0.name == name }) else {
            throw PackError.missingBlob(path: path, name: name, available: blobs.map(\.name))
        }
        let reader = try ChunkReader(self)
        var data = Data(capacity: blob.byteCount)
        for chunk in blob.storage.chunks.indices {
            data.append(contentsOf: try reader.contents(of: chunk, in: blob.storage, label: name, description: nil))
        }
        return data
    }
}
