import FoundationEssentials
import Tensors

extension Pack {
    /// Adds all that is here to another file, in the same order.
    /// - Parameter replaced: contents of named files, of those that are there and of further ones.
    /// - Throws: `PackError`, of the file that is read and of the one that is written; `CancellationError`.
    package func copy(to writer: PackWriter, replacing replaced: [String: Data] = [:]) throws {
        let reader = try ChunkReader(self)
        for component in components {
            try writer.addComponent(name: component.name, className: component.className, config: component.config)
        }
        for component in components {
            for tensor in component.tensors {
                let bytes = try contents(
                    of: tensor.storage, with: reader, label: component.name + "." + tensor.name, tensor.description)
                try bytes.withUnsafeBytes {
                    _ = try writer.addTensor(
                        component: component.name, name: tensor.name, tensor.description, bytes: $0)
                }
            }
        }
        for blob in blobs where replaced[blob.name] == nil {
            try writer.addBlob(name: blob.name, Data(contents(of: blob.storage, with: reader, label: blob.name, nil)))
        }
        for (name, data) in replaced.sorted(by: { $0.key < $1.key }) { try writer.addBlob(name: name, data) }
        writer.setProvenance(provenance)
    }

    /// Whether anything in the file is compressed.
    package var isCompressed: Bool {
        components.contains { $0.tensors.contains(where: \.isCompressed) }
            || blobs.contains { $0.storage.encoding == .zstd }
    }

    private func contents(
        of storage: PackStorage, with reader: ChunkReader, label: String, _ description: WeightDescription?
    ) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(storage.byteCount)
        for chunk in storage.chunks.indices {
            try Task.checkCancellation()
            bytes += try reader.contents(of: chunk, in: storage, label: label, description: description)
        }
        return bytes
    }
}
