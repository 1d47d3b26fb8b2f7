import Compute
import Foundation
import Tensors
import TestSupport
import Testing

/// Tensors that are computed as they are read: as bytes by an int8 product, as floats by all else.
@Suite struct DeferredTests {
    private let backend: CPUBackend
    private let channels = 24
    private var numbers = TestNumbers(seed: 11)

    init() throws { backend = try CPUBackend(threadCount: 2) }

    private func vector(_ values: [Float]) throws -> any Weight {
        try backend.prepare(TestWeight.storing(values, .vector(count: values.count), .float32).weight)
    }

    private mutating func normalized(_ x: Tensor) throws -> [Tensor] {
        let (scale, shift) = (try vector(numbers.values(channels)), try vector(numbers.values(channels)))
        return [
            try backend.layerNorm(x, epsilon: 1e-5, scale: scale, shift: shift),
            try backend.rmsNorm(x, epsilon: 1e-5, scale: scale),
            try backend.groupNorm(x, groups: 4, epsilon: 1e-5, scale: scale, shift: shift, activation: .silu),
        ]
    }

    /// Rows that a result continues come before it, and change nothing of it.
    @Test(arguments: [WeightFormat.float32, .float16, .int8])
    mutating func resultsThatContinueRows(_ format: WeightFormat) throws {
        let role = WeightRole.convolution(outputs: 20, kernelHeight: 3, kernelWidth: 1, inputs: channels)
        let weight = try backend.prepare(
            TestWeight.storing(numbers.values(role.shape.count), role, format, .quantized).weight)
        let x = try backend.upload(numbers.values(50 * channels), [1, 50, 1, channels])
        let residual = try backend.upload(numbers.values(48 * 20), [1, 48, 20])
        var epilogue = Epilogue(activation: .silu, residual: residual)
        let plain = try backend.convolution(x, weight, ConvolutionGeometry(), epilogue)
        for rows in [0, 1, 7] {
            let before = try backend.upload(numbers.values(rows * 20), [1, rows, 20])
            (epilogue.continued, epilogue.spendsResidual) = (before, true)
            let whole = try backend.convolution(x, weight, ConvolutionGeometry(), epilogue)
            #expect(whole.shape == [1, rows + 48, 1, 20])
            #expect(try whole.values() == before.values() + plain.values())
        }
        for shape in [[2, 1, 20], [1, 4, 10], [4, 20]] as [Shape] {
            epilogue.continued = try backend.empty(shape)
            #expect(throws: TensorError.self) {
                try backend.convolution(x, weight, ConvolutionGeometry(), epilogue)
            }
        }
    }

    @Test mutating func productsOfRowsAreTheSameOfFloatsInMemory() throws {
        let parts = try [8, 16].map { try backend.upload(numbers.values(2 * 300 * $0), [2, 300, $0]) }
        let joined = try Tensor.concatenate(parts)
        let weight = try backend.prepare(
            TestWeight.storing(
                numbers.values(40 * channels), .matrix(outputs: 40, inputs: channels), .int8, .quantized
            ).weight)
        for tensor in try normalized(joined) + [joined] {
            let deferred = try backend.linear(tensor, weight, Epilogue()).values()
            let inMemory = try backend.upload(tensor.values(), tensor.shape)
            #expect(try backend.linear(inMemory, weight, Epilogue()).values() == deferred)
        }
    }

    @Test mutating func convolutionsOfRowsAreTheSameOfFloatsInMemory() throws {
        let parts = try [8, 16].map { try backend.upload(numbers.values(2 * 70 * 9 * $0), [2, 70, 9, $0]) }
        let joined = try Tensor.concatenate(parts)
        let (weight, _) = TestWeight.storing(
            numbers.values(16 * 9 * channels), .convolution(outputs: 16, kernelHeight: 3, kernelWidth: 3, inputs: 24),
            .int8, .quantized)
        let prepared = try backend.prepare(weight)
        for tensor in try normalized(joined) + [joined] {
            let deferred = try backend.convolution(tensor, prepared, .init(padding: .init(1)), Epilogue()).values()
            let inMemory = try backend.upload(tensor.values(), tensor.shape)
            let y = try backend.convolution(inMemory, prepared, .init(padding: .init(1)), Epilogue())
            #expect(try y.values() == deferred)
        }
    }

    @Test mutating func oneSidedInputsUseAllBytes() throws {
        let (weight, meaning) = TestWeight.storing(
            numbers.values(16 * channels), .matrix(outputs: 16, inputs: channels), .int8, .quantized)
        let x = numbers.values(100 * channels).map { abs($0) }
        let y = try backend.linear(backend.upload(x, [100, channels]), backend.prepare(weight), Epilogue()).values()
        let expected = (0..<100 * 16).map { place in
            (0..<channels).reduce(Float(0)) { sum, input in
                sum + x[place / 16 * channels + input] * meaning[place % 16 * channels + input]
            }
        }
        #expect(relativeError(y, expected) < 3.5e-3)
    }

    @Test mutating func whatIsNotANumberStaysSo() throws {
        var values = numbers.values(50 * channels)
        values[3 * channels] = .infinity
        let (weight, _) = TestWeight.storing(
            numbers.values(16 * channels), .matrix(outputs: 16, inputs: channels), .int8, .quantized)
        let y = try backend.linear(backend.upload(values, [50, channels]), backend.prepare(weight), Epilogue()).values()
        #expect(y[48..<64].allSatisfy { !$0.isFinite } && y[..<48].allSatisfy { $0.isFinite })
        let norm = try backend.groupNorm(
            backend.upload(values, [1, 50, channels]), groups: 4, epsilon: 1e-5,
            scale: vector(numbers.values(channels)),
            shift: vector(numbers.values(channels)), activation: .silu)
        #expect(try !norm.values().allSatisfy { $0.isFinite })
    }
}
