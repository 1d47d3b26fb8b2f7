import Compute
import Foundation
import Tensors
import TestSupport
import Testing

/// Every storage of a weight, with the error that its arithmetic may have against exact products of the same numbers.
struct Storage: Sendable, CustomTestStringConvertible {
    let format: WeightFormat
    let activation: ActivationMode
    let tolerance: Double

    var testDescription: String { "\(format), \(activation) inputs" }

    static let all = [
        Storage(format: .float32, activation: .float, tolerance: 1e-6),
        Storage(format: .float16, activation: .float, tolerance: 1e-6),
        Storage(format: .int8, activation: .float, tolerance: 1e-6),
        Storage(format: .int8, activation: .quantized, tolerance: 1.2e-2),
    ]
}

@Suite struct ProductTests {
    private let backend: CPUBackend

    init() throws { backend = try CPUBackend(threadCount: 2) }

    @Test(arguments: Storage.all, [(1, 5, 3), (7, 16, 16), (130, 33, 70), (3, 128, 257)])
    func linearEqualsDirectProduct(_ storage: Storage, _ size: (rows: Int, inputs: Int, outputs: Int)) throws {
        var numbers = TestNumbers(seed: 1)
        let role = WeightRole.matrix(outputs: size.outputs, inputs: size.inputs)
        let (weight, meaning) = TestWeight.storing(
            numbers.values(role.shape.count), role, storage.format, storage.activation)
        let x = numbers.values(size.rows * size.inputs)
        let bias = numbers.values(size.outputs)
        let residual = numbers.values(size.rows * size.outputs)
        let y = try backend.linear(
            backend.upload(x, [1, size.rows, size.inputs]), backend.prepare(weight),
            Epilogue(
                bias: vector(bias), activation: .relu,
                residual: backend.upload(residual, [1, size.rows, size.outputs])))
        var expected = residual
        for row in 0..<size.rows {
            for output in 0..<size.outputs {
                var sum = Double(bias[output])
                for input in 0..<size.inputs {
                    sum += Double(x[row * size.inputs + input]) * Double(meaning[output * size.inputs + input])
                }
                expected[row * size.outputs + output] += Float(max(sum, 0))
            }
        }
        #expect(relativeError(try y.values(), expected) < storage.tolerance)
    }

    @Test(arguments: Storage.all, [(1, 5, 6), (7, 16, 32), (130, 33, 96), (301, 64, 272)])
    func gatedLinearEqualsItsDefinition(_ storage: Storage, _ size: (rows: Int, inputs: Int, outputs: Int)) throws {
        var numbers = TestNumbers(seed: 8)
        let role = WeightRole.matrix(outputs: size.outputs, inputs: size.inputs)
        let (weight, meaning) = TestWeight.storing(
            numbers.values(role.shape.count), role, storage.format, storage.activation)
        let x = numbers.values(size.rows * size.inputs)
        let bias = numbers.values(size.outputs)
        let half = size.outputs / 2
        var expected: [Float] = []
        for row in 0..<size.rows {
            let sums = (0..<size.outputs).map { output in
                (0..<size.inputs).reduce(Double(bias[output])) { sum, input in
                    sum + Double(x[row * size.inputs + input]) * Double(meaning[output * size.inputs + input])
                }
            }
            expected += (0..<half).map {
                Float(sums[$0] * 0.5 * sums[half + $0] * erfc(-sums[half + $0] * 0.5.squareRoot()))
            }
        }
        // Whatever number of threads shares the rows.
        for threads in [1, 2, 5] {
            let backend = try CPUBackend(threadCount: threads)
            let bias = try backend.prepare(TestWeight.storing(bias, .vector(count: size.outputs), .float32).weight)
            let y = try backend.gatedLinear(
                backend.upload(x, [1, size.rows, size.inputs]), backend.prepare(weight), bias: bias, gate: .gelu)
            #expect(y.shape == [1, size.rows, half])
            #expect(relativeError(try y.values(), expected) < 2 * storage.tolerance)
            // What the next product makes of it is the same whether it reads bytes or the floats that they stand for.
            let next = try backend.prepare(
                TestWeight.storing(numbers.values(16 * half), .matrix(outputs: 16, inputs: half), .int8, .quantized)
                    .weight)
            let direct = try backend.linear(y, next, Epilogue()).values()
            let inMemory = try backend.linear(backend.upload(y.values(), y.shape), next, Epilogue()).values()
            #expect(relativeError(direct, inMemory) < 2e-3)
        }
    }

    struct Convolution: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let input: [Int]
        let outputs: Int
        let kernel: (height: Int, width: Int)
        let geometry: ConvolutionGeometry

        static let all = [
            Convolution(
                testDescription: "3×3", input: [2, 7, 5, 6], outputs: 20, kernel: (3, 3),
                geometry: .init(padding: .init(1))),
            Convolution(
                testDescription: "3×3 with stride 2", input: [2, 7, 6, 8], outputs: 16, kernel: (3, 3),
                geometry: .init(strideHeight: 2, strideWidth: 2, padding: .init(1))),
            Convolution(
                testDescription: "right and bottom padding", input: [1, 8, 6, 5], outputs: 9, kernel: (3, 3),
                geometry: .init(strideHeight: 2, strideWidth: 2, padding: .init(bottom: 1, right: 1))),
            Convolution(
                testDescription: "1×1", input: [3, 4, 4, 12], outputs: 33, kernel: (1, 1), geometry: .init()),
            Convolution(
                testDescription: "doubled", input: [2, 3, 5, 4], outputs: 8, kernel: (3, 3),
                geometry: .init(padding: .init(1), resizedHeight: 6, resizedWidth: 10)),
            Convolution(
                testDescription: "resized to odd extents", input: [1, 3, 5, 4], outputs: 8, kernel: (3, 3),
                geometry: .init(padding: .init(1), resizedHeight: 5, resizedWidth: 9)),
            Convolution(
                testDescription: "dilated in time, after LeakyReLU", input: [2, 40, 1, 10], outputs: 17, kernel: (7, 1),
                geometry: .init(
                    dilationHeight: 3, padding: .init(top: 9, bottom: 9), inputActivation: .leakyRelu(slope: 0.1))),
        ]
    }

    @Test(arguments: Storage.all, Convolution.all)
    func convolutionEqualsDirectSum(_ storage: Storage, _ job: Convolution) throws {
        var numbers = TestNumbers(seed: 2)
        let channels = job.input[3]
        let role = WeightRole.convolution(
            outputs: job.outputs, kernelHeight: job.kernel.height, kernelWidth: job.kernel.width, inputs: channels)
        let (weight, meaning) = TestWeight.storing(
            numbers.values(role.shape.count), role, storage.format, storage.activation)
        let x = numbers.values(job.input.reduce(1, *))
        let bias = numbers.values(job.outputs)
        let perSample = numbers.values(job.input[0] * job.outputs)
        let y = try backend.convolution(
            backend.upload(x, Shape(job.input)), backend.prepare(weight), job.geometry,
            Epilogue(bias: vector(bias), perSample: backend.upload(perSample, [job.input[0], job.outputs])))
        let expected = directConvolution(x, job, meaning, bias, perSample, shape: y.shape)
        #expect(relativeError(try y.values(), expected) < storage.tolerance)
    }

    @Test func resultsDoNotDependOnThreads() throws {
        var numbers = TestNumbers(seed: 3)
        let role = WeightRole.convolution(outputs: 70, kernelHeight: 3, kernelWidth: 3, inputs: 24)
        let values = numbers.values(role.shape.count)
        let x = numbers.values(2 * 60 * 16 * 24)
        for storage in Storage.all {
            let results = try [1, 2, 3].map { threads in
                let backend = try CPUBackend(threadCount: threads)
                let weight = TestWeight.storing(values, role, storage.format, storage.activation).weight
                return try backend.convolution(
                    backend.upload(x, [2, 60, 16, 24]), backend.prepare(weight), .init(padding: .init(1)), Epilogue()
                ).values()
            }
            #expect(results[0] == results[1] && results[1] == results[2], "\(storage.testDescription)")
        }
    }

    @Test func wrongShapesAreErrors() throws {
        let (weight, _) = TestWeight.storing([1, 2, 3, 4, 5, 6], .matrix(outputs: 2, inputs: 3), .float32)
        let prepared = try backend.prepare(weight)
        #expect(throws: TensorError.self) {
            try backend.linear(backend.upload([1, 2], [1, 2]), prepared, Epilogue())
        }
        #expect(throws: TensorError.self) {
            try backend.convolution(backend.upload([1, 2, 3], [1, 3]), prepared, .init(), Epilogue())
        }
        #expect(throws: TensorError.self) {
            try backend.linear(
                backend.upload([1, 2, 3], [1, 3]), prepared, Epilogue(residual: backend.upload([1], [1, 1])))
        }
    }

    private func vector(_ values: [Float]) throws -> any Weight {
        try backend.prepare(TestWeight.storing(values, .vector(count: values.count), .float32).weight)
    }

    /// The definition, with resizing and input activation done first.
    private func directConvolution(
        _ x: [Float], _ job: Convolution, _ weight: [Float], _ bias: [Float], _ perSample: [Float], shape: Shape
    ) -> [Float] {
        let (height, width, channels) = (job.input[1], job.input[2], job.input[3])
        let resizedHeight = job.geometry.resizedHeight ?? height
        let resizedWidth = job.geometry.resizedWidth ?? width
        func input(_ sample: Int, _ y: Int, _ x0: Int, _ channel: Int) -> Double {
            guard (0..<resizedHeight).contains(y), (0..<resizedWidth).contains(x0) else { return 0 }
            let (sourceY, sourceX) = (y * height / resizedHeight, x0 * width / resizedWidth)
            let value = x[((sample * height + sourceY) * width + sourceX) * channels + channel]
            if case .leakyRelu(let slope) = job.geometry.inputActivation, value < 0 { return Double(value * slope) }
            return Double(value)
        }
        var result: [Float] = []
        for sample in 0..<shape[0] {
            for y in 0..<shape[1] {
                for x0 in 0..<shape[2] {
                    for output in 0..<job.outputs {
                        var sum = Double(bias[output]) + Double(perSample[sample * job.outputs + output])
                        for i in 0..<job.kernel.height {
                            for j in 0..<job.kernel.width {
                                let sourceY =
                                    y * job.geometry.strideHeight - job.geometry.padding.top
                                    + i * job.geometry.dilationHeight
                                let sourceX =
                                    x0 * job.geometry.strideWidth - job.geometry.padding.left
                                    + j * job.geometry.dilationWidth
                                for channel in 0..<channels {
                                    let tap = (output * job.kernel.height + i) * job.kernel.width + j
                                    sum +=
                                        input(sample, sourceY, sourceX, channel)
                                        * Double(weight[tap * channels + channel])
                                }
                            }
                        }
                        result.append(Float(sum))
                    }
                }
            }
        }
        return result
    }
}
