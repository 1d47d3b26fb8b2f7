import Tensors

/// The tensors of one safetensors file.
package final class SafetensorsFile: CheckpointSource {
    package let tensors: [String: TensorHeader]
    private let input: InputFile
    private let header: SafetensorsHeader

    package var name: String { input.name }
    /// The strings that the file's writer attached.
    package var metadata: [String: String] { header.metadata }

    /// - Throws: `CheckpointError` if the file cannot be read or its table is wrong.
    package init(path: String, name: String) throws {
        input = try InputFile(path: path, name: name)
        header = try SafetensorsHeader(input)
        tensors = header.entries.mapValues(\.header)
    }

    package func open(_ key: String) throws -> any SourceTensor {
        let tensor = try tensor(key)
        guard tensor.type.holdsWeights else {
            throw CheckpointError.unsupportedType(location: tensor.location, type: tensor.type)
        }
        return tensor
    }

    /// Shape and values of a tensor of floats or integers.
    /// - Throws: `CheckpointError` if there is no such tensor or it holds something else.
    package func values(_ key: String) throws -> (shape: Shape, values: [Float]) {
        let tensor = try tensor(key)
        guard tensor.type.isReadable else {
            throw CheckpointError.unsupportedType(location: tensor.location, type: tensor.type)
        }
        return (tensor.shape, try tensor.readAll())
    }

    private func tensor(_ key: String) throws -> FileTensor {
        guard let entry = header.entries[key] else { throw CheckpointError.noSuchTensor(file: name, tensor: key) }
        return FileTensor(
            key: key, type: entry.header.type, shape: entry.header.shape, input: input, start: entry.bytes.lowerBound)
    }
}
