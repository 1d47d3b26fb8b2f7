import Tensors

/// A backend for tests of code that only moves and combines tensors: arrays on the host, everything else throws.
package final class HostBackend: Backend {
    package init() {}

    package func empty(_ shape: Shape) throws -> Tensor {
        try upload([Float](repeating: .nan, count: shape.count), shape)
    }

    package func upload(_ values: [Float], _ shape: Shape) throws -> Tensor {
        guard values.count == shape.count else {
            throw TensorError.shapeMismatch(operation: "upload", expected: "\(values.count) elements", found: shape)
        }
        return Tensor(shape: shape, storage: HostStorage(values, of: self))
    }

    package func download(_ tensor: Tensor) throws -> [Float] {
        guard let storage = tensor.storage as? HostStorage, storage.owner === self else {
            throw TensorError.foreignStorage(operation: "download")
        }
        return Array(storage.values[tensor.offset..<tensor.offset + tensor.shape.count])
    }

    package func combine(_ terms: [(factor: Float, tensor: Tensor)]) throws -> Tensor {
        guard let shape = terms.first?.tensor.shape else {
            throw TensorError.shapeMismatch(operation: "combine", expected: "at least one tensor", found: [])
        }
        var sum = [Float](repeating: 0, count: shape.count)
        for (factor, tensor) in terms {
            guard tensor.shape == shape else {
                throw TensorError.shapeMismatch(operation: "combine", expected: "\(shape)", found: tensor.shape)
            }
            for (index, value) in try download(tensor).enumerated() { sum[index] += factor * value }
        }
        return try upload(sum, shape)
    }
}

/// What `HostBackend` was asked to do and cannot.
package struct NotOnHost: Error {
    package let operation: String
}

private final class HostStorage: TensorStorage {
    let values: [Float]
    let owner: HostBackend

    init(_ values: [Float], of owner: HostBackend) {
        self.values = values
        self.owner = owner
    }

    var backend: any Backend { owner }
    var byteCount: Int { values.count * MemoryLayout<Float>.stride }
}

extension HostBackend {
    package func prepare(_ data: any WeightData) throws -> any Weight { HeldWeight(data) }

    package func tensor(_ vector: any Weight) throws -> Tensor { throw NotOnHost(operation: "tensor") }

    package func linear(_ x: Tensor, _ weight: any Weight, _ epilogue: Epilogue) throws -> Tensor {
        throw NotOnHost(operation: "linear")
    }

    package func gatedLinear(
        _ x: Tensor, _ weight: any Weight, bias: (any Weight)?, gate: Activation
    ) throws -> Tensor {
        throw NotOnHost(operation: "gatedLinear")
    }

    package func convolution(
        _ x: Tensor, _ weight: any Weight, _ geometry: ConvolutionGeometry, _ epilogue: Epilogue
    ) throws -> Tensor {
        throw NotOnHost(operation: "convolution")
    }

    package func prepare(_ context: AttentionContext) throws -> any PreparedContext {
        throw NotOnHost(operation: "prepare")
    }

    package func attention(_ input: AttentionInput) throws -> Tensor { throw NotOnHost(operation: "attention") }

    package func groupNorm(
        _ x: Tensor, groups: Int, epsilon: Float, scale: any Weight, shift: any Weight, activation: Activation
    ) throws -> Tensor {
        throw NotOnHost(operation: "groupNorm")
    }

    package func layerNorm(
        _ x: Tensor, epsilon: Float, scale: any Weight, shift: any Weight
    ) throws -> Tensor {
        throw NotOnHost(operation: "layerNorm")
    }

    package func rmsNorm(_ x: Tensor, epsilon: Float, scale: any Weight) throws -> Tensor {
        throw NotOnHost(operation: "rmsNorm")
    }

    package func l2Normalize(_ x: Tensor) throws -> Tensor { throw NotOnHost(operation: "l2Normalize") }

    package func gather(_ table: any Weight, _ ids: [Int]) throws -> Tensor { throw NotOnHost(operation: "gather") }

    package func apply(_ activation: Activation, _ x: Tensor) throws -> Tensor { throw NotOnHost(operation: "apply") }

    package func concatenate(_ tensors: [Tensor], axis: Int) throws -> Tensor {
        throw NotOnHost(operation: "concatenate")
    }

    package func rows(_ x: Tensor, _ order: [Int]) throws -> Tensor { throw NotOnHost(operation: "rows") }

    package func slice(_ x: Tensor, axis: Int, _ range: Range<Int>) throws -> Tensor {
        throw NotOnHost(operation: "slice")
    }

    package func write(_ x: Tensor, into destination: Tensor, at start: Int) throws {
        throw NotOnHost(operation: "write")
    }
}

/// A weight that a backend holds and does nothing with.
package final class HeldWeight: Weight {
    package let data: any WeightData
    package var description: WeightDescription { data.description }

    init(_ data: any WeightData) { self.data = data }

    package func bytes() throws -> [UInt8] { try data.withBytes { Array($0) } }
}
