import Tensors
import WeightFile

/// A backend that holds weights and computes nothing.
final class StubBackend: Backend {
    struct NotImplemented: Error {}

    func prepare(_ data: any WeightData) throws -> any Weight { StubWeight(data) }

    func empty(_ shape: Shape) throws -> Tensor { throw NotImplemented() }
    func upload(_ values: [Float], _ shape: Shape) throws -> Tensor { throw NotImplemented() }
    func download(_ tensor: Tensor) throws -> [Float] { throw NotImplemented() }
    func linear(_ x: Tensor, _ weight: any Weight, _ epilogue: Epilogue) throws -> Tensor { throw NotImplemented() }
    func gatedLinear(_ x: Tensor, _ weight: any Weight, bias: (any Weight)?, gate: Activation) throws -> Tensor {
        throw NotImplemented()
    }
    func convolution(_ x: Tensor, _ weight: any Weight, _ geometry: ConvolutionGeometry, _ epilogue: Epilogue) throws
        -> Tensor
    { throw NotImplemented() }
    func attention(_ input: AttentionInput) throws -> Tensor { throw NotImplemented() }
    func groupNorm(
        _ x: Tensor, groups: Int, epsilon: Float, scale: any Weight, shift: any Weight, activation: Activation
    ) throws -> Tensor { throw NotImplemented() }
    func layerNorm(_ x: Tensor, epsilon: Float, scale: any Weight, shift: any Weight) throws -> Tensor {
        throw NotImplemented()
    }
    func rmsNorm(_ x: Tensor, epsilon: Float, scale: any Weight) throws -> Tensor { throw NotImplemented() }
    func l2Normalize(_ x: Tensor) throws -> Tensor { throw NotImplemented() }
    func gather(_ table: any Weight, _ ids: [Int]) throws -> Tensor { throw NotImplemented() }
    func apply(_ activation: Activation, _ x: Tensor) throws -> Tensor { throw NotImplemented() }
    func combine(_ terms: [(factor: Float, tensor: Tensor)]) throws -> Tensor { throw NotImplemented() }
    func concatenate(_ tensors: [Tensor], axis: Int) throws -> Tensor { throw NotImplemented() }
    func slice(_ x: Tensor, axis: Int, _ range: Range<Int>) throws -> Tensor { throw NotImplemented() }
    func write(_ x: Tensor, into destination: Tensor, at start: Int) throws { throw NotImplemented() }
}

final class StubWeight: Weight {
    let data: any WeightData

    init(_ data: any WeightData) { self.data = data }

    var description: WeightDescription { data.description }

    func bytes() throws -> [UInt8] { try data.withBytes { Array($0) } }
}

extension PackSource {
    /// The stored weight of a sample, as the stub backend holds it.
    func stub(_ sample: SampleWeight) throws -> StubWeight? {
        let requirement = WeightRequirement(path: sample.name, role: sample.description.role, precision: .quantized)
        return try weight(requirement) as? StubWeight
    }
}
