import Tensors

/// A set of named tensors that a model can be converted from: one file, several shards, or a view of another source.
package protocol CheckpointSource: Sendable {
    /// Where the tensors come from, for messages: a path below the checkpoint folder.
    var name: String { get }
    /// Every tensor by its key.
    var tensors: [String: TensorHeader] { get }
    /// Prepares one tensor for reading.
    /// - Throws: `CheckpointError` if there is no such key or its type holds no weights.
    func open(_ key: String) throws -> any SourceTensor
}

/// What a checkpoint says about a tensor before its numbers are read.
package struct TensorHeader: Hashable, Sendable {
    package let type: ElementType
    package let shape: Shape

    package init(type: ElementType, shape: Shape) {
        self.type = type
        self.shape = shape
    }

    /// Size of the tensor, whose shape has been checked against its file.
    package var byteCount: Int { shape.count * type.byteCount }
}

/// A tensor of a checkpoint, ready to be read from several threads at once.
package protocol SourceTensor: Sendable {
    var key: String { get }
    /// File and key, for messages.
    var location: String { get }
    var shape: Shape { get }
    /// Reads elements `range` in row-major order as float32; `buffer` holds exactly as many.
    func read(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<Float>) throws
}

extension SourceTensor {
    /// The whole tensor. Only for those that are rearranged: tables are read in pieces.
    package func readAll() throws -> [Float] {
        let count = shape.count
        return try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            try read(0..<count, into: UnsafeMutableBufferPointer(rebasing: buffer[0..<count]))
            initialized = count
        }
    }
}
