import Compute
import Conformance
import Tensors
import Testing

/// The operations that every backend must agree on, on every instruction set of this CPU.
@Suite struct ConformanceTests {
    @Test(arguments: CPUBackend.tiers, [1, 3])
    func everyTierAgreesWithScalarC(tier: String, threads: Int) throws {
        let scalar = try CPUBackend(threadCount: 1, usesBLAS: false, tier: "scalar")
        #expect(scalar.name == "scalar")
        let backend = try CPUBackend(threadCount: threads, usesBLAS: false, tier: tier)
        #expect(backend.name == tier)
        try OperationSuite().run(backend, against: scalar)
    }

    @Test func openBLASAgrees() throws {
        try OperationSuite().run(
            CPUBackend(threadCount: 2, usesBLAS: true), against: CPUBackend(threadCount: 1, usesBLAS: false))
    }

    /// A suite that cannot fail would say nothing.
    @Test func aWrongOperationIsNamed() throws {
        let right = try CPUBackend(threadCount: 1, usesBLAS: false)
        let wrong = HalvingBackend(right)
        let found = #expect(throws: OperationSuite.Disagreement.self) {
            try OperationSuite().run(wrong, against: right)
        }
        #expect(found?.operation == "elements" && (found?.error ?? 0) > 0.1)
    }
}

/// A backend that makes one mistake.
private final class HalvingBackend: Backend {
    private let right: any Backend

    init(_ right: any Backend) { self.right = right }

    func apply(_ activation: Activation, _ x: Tensor) throws -> Tensor {
        try right.combine([(0.5, right.apply(activation, x))])
    }

    func prepare(_ data: any WeightData) throws -> any Weight { try right.prepare(data) }
    func empty(_ shape: Shape) throws -> Tensor { try right.empty(shape) }
    func upload(_ values: [Float], _ shape: Shape) throws -> Tensor { try right.upload(values, shape) }
    func download(_ tensor: Tensor) throws -> [Float] { try right.download(tensor) }
    func tensor(_ vector: any Weight) throws -> Tensor { try right.tensor(vector) }
    func linear(_ x: Tensor, _ weight: any Weight, _ epilogue: Epilogue) throws -> Tensor {
        try right.linear(x, weight, epilogue)
    }
    func gatedLinear(_ x: Tensor, _ weight: any Weight, bias: (any Weight)?, gate: Activation) throws -> Tensor {
        try right.gatedLinear(x, weight, bias: bias, gate: gate)
    }
    func convolution(
        _ x: Tensor, _ weight: any Weight, _ geometry: ConvolutionGeometry, _ epilogue: Epilogue
    ) throws -> Tensor { try right.convolution(x, weight, geometry, epilogue) }
    func prepare(_ context: AttentionContext) throws -> any PreparedContext { try right.prepare(context) }
    func attention(_ input: AttentionInput) throws -> Tensor { try right.attention(input) }
    func groupNorm(
        _ x: Tensor, groups: Int, epsilon: Float, scale: any Weight, shift: any Weight, activation: Activation
    ) throws -> Tensor {
        try right.groupNorm(x, groups: groups, epsilon: epsilon, scale: scale, shift: shift, activation: activation)
    }
    func layerNorm(_ x: Tensor, epsilon: Float, scale: any Weight, shift: any Weight) throws -> Tensor {
        try right.layerNorm(x, epsilon: epsilon, scale: scale, shift: shift)
    }
    func rmsNorm(_ x: Tensor, epsilon: Float, scale: any Weight) throws -> Tensor {
        try right.rmsNorm(x, epsilon: epsilon, scale: scale)
    }
    func l2Normalize(_ x: Tensor) throws -> Tensor { try right.l2Normalize(x) }
    func gather(_ table: any Weight, _ ids: [Int]) throws -> Tensor { try right.gather(table, ids) }
    func combine(_ terms: [(factor: Float, tensor: Tensor)]) throws -> Tensor { try right.combine(terms) }
    func concatenate(_ tensors: [Tensor], axis: Int) throws -> Tensor { try right.concatenate(tensors, axis: axis) }
    func rows(_ x: Tensor, _ order: [Int]) throws -> Tensor { try right.rows(x, order) }
    func slice(_ x: Tensor, axis: Int, _ range: Range<Int>) throws -> Tensor {
        try right.slice(x, axis: axis, range)
    }
    func write(_ x: Tensor, into destination: Tensor, at start: Int) throws {
        try right.write(x, into: destination, at: start)
    }
}
