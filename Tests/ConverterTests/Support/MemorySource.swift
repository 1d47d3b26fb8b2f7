import AudioLDM2Converter
import Checkpoints
import Tensors
import TestSupport

/// A checkpoint in memory.
struct MemorySource: CheckpointSource {
    var name = "memory"
    var contents: [String: (shape: Shape, values: [Float])] = [:]

    var tensors: [String: TensorHeader] { contents.mapValues { TensorHeader(type: .float32, shape: $0.shape) } }

    init(_ contents: [String: (shape: Shape, values: [Float])] = [:]) { self.contents = contents }

    /// Tensors of these shapes, each filled with numbers of its own.
    init(shapes: [String: Shape]) {
        var generator = SplitMix(seed: 1)
        for (key, shape) in shapes.sorted(by: { $0.key < $1.key }) {
            contents[key] = (shape, generator.normal(shape.count))
        }
    }

    func open(_ key: String) throws -> any SourceTensor {
        guard let (shape, values) = contents[key] else { throw CheckpointError.noSuchTensor(file: name, tensor: key) }
        return MemoryTensor(key: key, shape: shape, values: values)
    }
}

struct MemoryTensor: SourceTensor {
    let key: String
    let shape: Shape
    let values: [Float]

    var location: String { "memory: tensor '\(key)'" }

    func read(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<Float>) throws {
        _ = buffer.update(fromContentsOf: values[range])
    }
}

/// Rows in memory.
struct MemoryRows: RowReader {
    let rowCount: Int
    let width: Int
    let values: [Float]

    init(_ rowCount: Int, _ width: Int, _ values: [Float]) {
        (self.rowCount, self.width, self.values) = (rowCount, width, values)
    }

    func read(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<Float>) throws {
        _ = buffer.update(fromContentsOf: values[range.lowerBound * width..<range.upperBound * width])
    }
}

extension RowReader {
    /// All rows.
    func values() throws -> [Float] {
        try [Float](unsafeUninitializedCapacity: rowCount * width) { buffer, count in
            count = rowCount * width
            try read(0..<rowCount, into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
        }
    }
}
