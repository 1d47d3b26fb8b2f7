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

    private func tensor(_ key: String) throws -> SafetensorsTensor {
        guard let entry = header.entries[key] else { throw CheckpointError.noSuchTensor(file: name, tensor: key) }
        return SafetensorsTensor(
            key: key, type: entry.header.type, shape: entry.header.shape, input: input, start: entry.bytes.lowerBound)
    }
}

private struct SafetensorsTensor: SourceTensor {
    let key: String
    let type: ElementType
    let shape: Shape
    let input: InputFile
    /// First byte in the file.
    let start: Int

    var location: String { "\(input.name): tensor \(key.quoted)" }

    func read(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<Float>) throws {
        precondition(range.lowerBound >= 0 && range.upperBound <= shape.count && range.count == buffer.count)
        let width = type.byteCount
        try withUnsafeTemporaryAllocation(byteCount: min(range.count * width, 1 << 18), alignment: 16) { scratch in
            let step = scratch.count / width
            for first in stride(from: 0, to: range.count, by: max(step, 1)) {
                let part = UnsafeMutableBufferPointer(rebasing: buffer[first..<min(first + step, range.count)])
                let bytes = UnsafeMutableRawBufferPointer(rebasing: scratch[..<(part.count * width)])
                try input.read(at: start + (range.lowerBound + first) * width, into: bytes)
                type.expand(UnsafeRawBufferPointer(bytes), into: part)
            }
        }
    }
}
