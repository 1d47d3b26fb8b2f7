import Compute
import ComputeCUDA
import Foundation
import Tensors
import TestSupport
import Testing

/// The GPU's kernels, emulated, against the CPU's.
@Suite(.enabled(if: EmulatedGPU.isHere, "\(EmulatedGPU.absence)"), .serialized)
struct BackendTests {
    private let cuda: CUDABackend
    /// With the kernels that every device has.
    private let plain: CUDABackend
    private let cpu: CPUBackend
    private let folder: TemporaryFolder
    private var numbers = TestNumbers(seed: 21)

    init() throws {
        folder = try TemporaryFolder()
        let libraries = CUDALibraryPaths(driver: EmulatedGPU.library, compiler: EmulatedGPU.library)
        cuda = CUDABackend(try CUDADevice(libraries: libraries, cacheFolder: URL(fileURLWithPath: folder.file("c"))))
        plain = CUDABackend(cuda.device, usesMMA: false)
        cpu = try CPUBackend(threadCount: 1, usesBLAS: false)
    }

    /// What an operation makes on the device, with and without tensor cores, compared with what the CPU makes.
    private func expectAgreement(
        within tolerance: Double = 2e-6, _ operation: (any Backend) throws -> Tensor,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        let expected = try operation(cpu)
        for ours in [try operation(cuda), try operation(plain)] {
            #expect(ours.shape == expected.shape, sourceLocation: location)
            #expect(try relativeError(ours.values(), expected.values()) < tolerance, sourceLocation: location)
        }
    }

    /// With the tensor cores and without, and with threads in either order, which finds where they do not wait.
    @Test(arguments: [true, false], [false, true])
    func theSelfCheckPasses(usesMMA: Bool, isReversed: Bool) throws {
        EmulatedGPU.reverseThreads(isReversed)
        defer { EmulatedGPU.reverseThreads(false) }
        try CUDABackend(cuda.device, usesMMA: usesMMA).check(against: cpu)
    }

    @Test(arguments: [WeightFormat.float32, .float16, .int8])
    mutating func resizedConvolutionsAgree(_ format: WeightFormat) throws {
        let role = WeightRole.convolution(outputs: 18, kernelHeight: 3, kernelWidth: 3, inputs: 7)
        let weight = TestWeight.storing(numbers.values(role.shape.count), role, format, .quantized).weight
        let x = numbers.values(2 * 5 * 3 * 7)
        let residual = numbers.values(2 * 10 * 5 * 18)
        var geometry = ConvolutionGeometry(padding: .init(top: 1, bottom: 1, left: 0, right: 2))
        (geometry.resizedHeight, geometry.resizedWidth) = (10, 5)
        for spends in [false, true] {
            try expectAgreement { backend in
                var epilogue = Epilogue(residual: try backend.upload(residual, [2, 10, 5, 18]))
                epilogue.spendsResidual = spends
                return try backend.convolution(
                    backend.upload(x, [2, 5, 3, 7]), backend.prepare(weight), geometry, epilogue)
            }
        }
    }

    @Test(arguments: [WeightFormat.float32, .int8])
    mutating func convolutionsAlongTimeAgree(_ format: WeightFormat) throws {
        let roles: [(WeightRole, ConvolutionGeometry)] = [
            (
                .convolution(outputs: 5, kernelHeight: 7, kernelWidth: 1, inputs: 12),
                .init(dilationHeight: 3, padding: .init(top: 9, bottom: 9), inputActivation: .leakyRelu(slope: 0.1))
            ),
            (
                .transposedConvolution(outputs: 6, kernel: 16, stride: 5, inputs: 12),
                .init(padding: .init(top: 3, bottom: 3))
            ),
            (.convolution(outputs: 20, kernelHeight: 1, kernelWidth: 1, inputs: 12), .init(inputActivation: .relu)),
        ]
        for (role, geometry) in roles {
            let weight = TestWeight.storing(numbers.values(role.shape.count), role, format, .quantized).weight
            let x = numbers.values(2 * 33 * 12)
            try expectAgreement { backend in
                try backend.convolution(
                    backend.upload(x, [2, 33, 1, 12]), backend.prepare(weight), geometry, Epilogue())
            }
            let before = numbers.values(3 * role.outputs)
            try expectAgreement { backend in
                var epilogue = Epilogue()
                epilogue.continued = try backend.upload(before, [1, 3, role.outputs])
                return try backend.convolution(
                    backend.upload(Array(x.prefix(33 * 12)), [1, 33, 1, 12]), backend.prepare(weight), geometry,
                    epilogue)
            }
        }
    }

    @Test mutating func gatedProductsOfBytesAgree() throws {
        let role = WeightRole.matrix(outputs: 96, inputs: 24)
        let weight = TestWeight.storing(numbers.values(96 * 24), role, .int8, .quantized).weight
        let x = numbers.values(70 * 24)
        // The CPU rounds the result to bytes, for the product that follows.
        try expectAgreement(within: 1e-2) {
            try $0.gatedLinear($0.upload(x, [1, 70, 24]), $0.prepare(weight), bias: nil, gate: .gelu)
        }
    }

    @Test mutating func attentionOverAnythingAgrees() throws {
        for (queries, keys, heads, width, arithmetic) in [
            (1, 9, 3, 8, ActivationMode.float), (65, 33, 2, 48, .float), (40, 100, 1, 1024, .float),
            (33, 64, 2, 32, .quantized),
        ] {
            let channels = heads * width
            let (q, kv) = (numbers.values(2 * queries * channels), numbers.values(2 * (keys + 3) * 2 * channels))
            try expectAgreement(within: arithmetic == .float ? 5e-6 : 3e-2) { backend in
                let context = try backend.upload(kv, [2, keys + 3, 2 * channels])
                let prepared = try backend.prepare(
                    AttentionContext(
                        key: Columns(context, width: channels), value: Columns(context, from: channels),
                        keyCount: keys, heads: heads, arithmetic: arithmetic))
                return try backend.attention(
                    AttentionInput(
                        query: Columns(backend.upload(q, [2, queries, channels])), context: .prepared(prepared),
                        scale: 0.3))
            }
        }
    }

    /// Samples take turns with the biases; a row that is masked everywhere is a softmax like any other; −∞ counts as no key.
    @Test mutating func attentionWithMasksAndBiasesAgrees() throws {
        let (q, kv) = (numbers.values(4 * 6 * 16), numbers.values(4 * 40 * 16))
        var bias = numbers.values(2 * 2 * 6 * 40)
        for key in 0..<40 { bias[key] = -.infinity }
        let mask = (0..<160).map { Float($0 < 40 || $0 % 3 == 0 ? -10000 : 0) }
        try expectAgreement(within: 1e-5) { backend in
            let context = Columns(try backend.upload(kv, [4, 40, 16]))
            return try backend.attention(
                AttentionInput(
                    query: Columns(backend.upload(q, [4, 6, 16])), key: context, value: context, heads: 2, scale: 1,
                    bias: backend.upload(bias, [2, 2, 6, 40]), mask: backend.upload(mask, [4, 40])))
        }
    }

    @Test mutating func groupNormsOfLargeMeansAgree() throws {
        let x = numbers.values(2 * 3000 * 12).map { $0 + 30 }
        let vector = TestWeight.storing(numbers.values(12), .vector(count: 12), .float32).weight
        try expectAgreement(within: 2e-5) {
            try $0.groupNorm(
                $0.upload(x, [2, 3000, 12]), groups: 3, epsilon: 1e-5, scale: $0.prepare(vector),
                shift: $0.prepare(vector), activation: .silu)
        }
    }

    @Test mutating func placesAgree() throws {
        let (x, y) = (numbers.values(2 * 5 * 6), numbers.values(2 * 2 * 6))
        for axis in 0..<3 {
            try expectAgreement { backend in
                let x = try backend.upload(x, [2, 5, 6])
                return try backend.concatenate([x, x.slice(axis: axis, 1..<2), x], axis: axis)
            }
        }
        try expectAgreement { backend in
            let x = try backend.upload(x, [2, 5, 6])
            try backend.write(backend.upload(y, [2, 2, 6]), into: x, at: 3)
            return try backend.combine((0..<19).map { (Float($0), x) })
        }
        for format in WeightFormat.allCases {
            let table = TestWeight.storing(numbers.values(9 * 5), .table(rows: 9, width: 5), format).weight
            try expectAgreement { try $0.gather($0.prepare(table), [8, 0, 3, 3]) }
        }
        let vector = TestWeight.storing(y, .vector(count: 24), .float32).weight
        try expectAgreement { try $0.tensor($0.prepare(vector)) }
        try expectAgreement { try $0.upload(x, [2, 5, 6]).outermost(1..<2).activated(.gelu) }
    }

    @Test mutating func whatIsNotANumberStaysSo() throws {
        var x = numbers.values(50 * 24)
        x[3 * 24] = .infinity
        let role = WeightRole.matrix(outputs: 16, inputs: 24)
        let weight = TestWeight.storing(numbers.values(16 * 24), role, .int8, .quantized).weight
        let y = try cuda.linear(cuda.upload(x, [50, 24]), cuda.prepare(weight), Epilogue()).values()
        #expect(y[48..<64].allSatisfy { !$0.isFinite } && y[..<48].allSatisfy { $0.isFinite })
    }

    @Test mutating func whatDoesNotFitIsRefused() throws {
        let x = try cuda.upload(numbers.values(12), [1, 3, 4])
        let foreign = try cpu.upload([1, 2, 3, 4], [1, 1, 4])
        let weight = try cuda.prepare(
            TestWeight.storing(numbers.values(40), .matrix(outputs: 8, inputs: 5), .float32).weight)
        #expect(throws: TensorError.self) { try cuda.linear(x, weight, Epilogue()) }
        #expect(throws: TensorError.self) { try cuda.apply(.relu, foreign) }
        #expect(throws: TensorError.self) { try cuda.concatenate([x, foreign], axis: 1) }
        #expect(throws: TensorError.self) { try cuda.rows(x, [3]) }
        #expect(throws: TensorError.self) { try cuda.slice(x, axis: 1, 2..<4) }
        #expect(throws: TensorError.self) { try cuda.gather(weight, [0]) }
        #expect(throws: TensorError.self) { try cuda.upload([1], [2]) }
        #expect(throws: TensorError.self) {
            try cuda.attention(
                AttentionInput(query: Columns(x), key: Columns(x), value: Columns(x), heads: 3, scale: 1))
        }
    }

    @Test func countingComputesNothingAndCountsAll() throws {
        func peak(_ backend: any StageBackend) throws -> Int {
            backend.resetPeak(keeping: .max)
            let x = try backend.upload([Float](repeating: 1, count: 30000), [1, 300, 100])
            let y = try backend.combine([(2, x), (1, x)])
            #expect(
                try backend.layerNorm(y, epsilon: 1, scale: weight(backend), shift: weight(backend)).values().count
                    == 30000)
            return backend.peakActivationBytes
        }
        func weight(_ backend: any StageBackend) throws -> any Weight {
            try backend.prepare(
                TestWeight.storing([Float](repeating: 1, count: 100), .vector(count: 100), .float32).weight)
        }
        #expect(try peak(cuda.counting()) == peak(cuda.withOwnMemory()))
    }
}
