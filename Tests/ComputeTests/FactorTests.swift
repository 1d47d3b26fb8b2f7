import Compute
import Foundation
import Tensors
import TestSupport
import Testing

/// Int8 products whose inputs' channels have factors of their own.
@Suite struct FactorTests {
    private let cpu: CPUBackend
    private let channels = 24

    init() throws { cpu = try CPUBackend(threadCount: 2, usesBLAS: false) }

    /// One channel is 64 times as large as the others, and what reads it as much smaller.
    private var factors: [Float] { (0..<channels).map { $0 == 5 ? 1 / 64 : 1 } }

    private func input(rows: Int) -> [Float] {
        var numbers = TestNumbers(seed: 2)
        return numbers.values(rows * channels).enumerated().map { $1 / factors[$0 % channels] }
    }

    /// The function's numbers, and the weight that makes it of inputs that get factors.
    private func weight(_ role: WeightRole) throws -> (exact: [Float], scaled: TestWeight, plain: TestWeight) {
        var numbers = TestNumbers(seed: 1)
        let (stored, meaning) = TestWeight.storing(numbers.values(role.shape.count), role, .int8, .quantized)
        let exact = meaning.enumerated().map { $1 * factors[$0 % channels] }
        let bytes = try stored.withBytes { Array($0) } + factors.withUnsafeBytes { Array($0) }
        let description = WeightDescription(role: role, format: .int8, activation: .scaled)
        return (
            exact, TestWeight(description, bytes: bytes), TestWeight.storing(exact, role, .int8, .quantized).weight
        )
    }

    private func exactWeight(_ role: WeightRole, _ values: [Float]) throws -> any Weight {
        try cpu.prepare(TestWeight.storing(values, role, .float32).weight)
    }

    @Test func sizes() {
        let role = WeightRole.matrix(outputs: 40, inputs: channels)
        let (plain, scaled) = (
            WeightDescription(role: role, format: .int8, activation: .quantized),
            WeightDescription(role: role, format: .int8, activation: .scaled)
        )
        #expect(scaled.byteCount == plain.byteCount + 4 * channels && scaled.quantizesInput)
        #expect(!WeightDescription(role: role, format: .float16, activation: .scaled).hasInputFactors)
    }

    @Test func linear() throws {
        let role = WeightRole.matrix(outputs: 40, inputs: channels)
        let (exact, scaled, plain) = try weight(role)
        let x = try cpu.upload(input(rows: 33), [33, channels])
        let expected = try cpu.linear(x, exactWeight(role, exact), Epilogue()).values()
        #expect(relativeError(try cpu.linear(x, cpu.prepare(scaled), Epilogue()).values(), expected) < 1.2e-2)
        #expect(relativeError(try cpu.linear(x, cpu.prepare(plain), Epilogue()).values(), expected) > 5e-2)
    }

    @Test func gated() throws {
        let role = WeightRole.matrix(outputs: 64, inputs: channels)
        let (exact, scaled, _) = try weight(role)
        let x = try cpu.upload(input(rows: 20), [20, channels])
        let expected = try cpu.gatedLinear(x, exactWeight(role, exact), bias: nil, gate: .gelu).values()
        let found = try cpu.gatedLinear(x, cpu.prepare(scaled), bias: nil, gate: .gelu).values()
        #expect(relativeError(found, expected) < 2e-2)
    }

    /// At once, and computed as it is read.
    @Test(arguments: [Activation.none, .leakyRelu(slope: 0.1)], [false, true])
    func convolution(_ activation: Activation, _ isDeferred: Bool) throws {
        let role = WeightRole.convolution(outputs: 32, kernelHeight: 3, kernelWidth: 3, inputs: channels)
        let (exact, scaled, plain) = try weight(role)
        let geometry = ConvolutionGeometry(padding: .init(1), inputActivation: activation)
        let x = try cpu.upload(input(rows: 300), [1, 30, 10, channels])
        var epilogue = Epilogue()
        epilogue.isDeferred = isDeferred
        let expected = try cpu.convolution(x, exactWeight(role, exact), geometry, Epilogue()).values()
        let found = try cpu.convolution(x, cpu.prepare(scaled), geometry, epilogue).values()
        #expect(relativeError(found, expected) < 1.2e-2)
        let without = try cpu.convolution(x, cpu.prepare(plain), geometry, epilogue).values()
        #expect(relativeError(without, expected) > 5e-2)
    }

    /// For backends without factors: the same function in float16.
    @Test func expanded() throws {
        let role = WeightRole.convolution(outputs: 20, kernelHeight: 3, kernelWidth: 3, inputs: channels)
        let (exact, scaled, plain) = try weight(role)
        let expanded = try #require(scaled.withBytes { scaled.description.withoutInputFactors($0) })
        #expect(expanded.description == WeightDescription(role: role, format: .float16))
        let values = expanded.bytes.withUnsafeBytes { $0.bindMemory(to: UInt16.self).map(TestHalf.value) }
        #expect(relativeError(values, exact) < 5e-4)
        #expect(try plain.withBytes { plain.description.withoutInputFactors($0) == nil })
    }
}
