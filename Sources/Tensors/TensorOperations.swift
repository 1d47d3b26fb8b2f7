/// Arithmetic as models write it.
extension Tensor {
    package static func + (a: Tensor, b: Tensor) throws -> Tensor {
        try a.backend.combine([(1, a), (1, b)])
    }

    package static func - (a: Tensor, b: Tensor) throws -> Tensor {
        try a.backend.combine([(1, a), (-1, b)])
    }

    package static func * (factor: Float, x: Tensor) throws -> Tensor {
        try x.backend.combine([(factor, x)])
    }

    package func activated(_ activation: Activation) throws -> Tensor {
        try backend.apply(activation, self)
    }

    package func slice(axis: Int, _ range: Range<Int>) throws -> Tensor {
        try backend.slice(self, axis: axis, range)
    }

    /// Joins along an axis (default: the channels).
    package static func concatenate(_ tensors: [Tensor], axis: Int? = nil) throws -> Tensor {
        guard let first = tensors.first else {
            throw TensorError.shapeMismatch(operation: "concatenate", expected: "at least one tensor", found: [])
        }
        return try first.backend.concatenate(tensors, axis: axis ?? first.shape.rank - 1)
    }

    /// The elements on the host, in the tensor's order.
    package func values() throws -> [Float] { try backend.download(self) }
}
