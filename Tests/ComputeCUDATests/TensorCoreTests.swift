import Compute
import ComputeCUDA
import Foundation
import Tensors
import TestSupport
import Testing

/// Floats on tensor cores, emulated, against the CPU's kernels.
@Suite(.enabled(if: EmulatedGPU.isHere, "\(EmulatedGPU.absence)"), .serialized)
struct TensorCoreTests {
    private let cuda: CUDABackend
    private let cpu: CPUBackend
    private let folder: TemporaryFolder
    private var numbers = TestNumbers(seed: 34)

    init() throws {
        folder = try TemporaryFolder()
        cuda = CUDABackend(try Self.device(folder))
        cpu = try CPUBackend(threadCount: 1, usesBLAS: false)
    }

    private static func device(_ folder: TemporaryFolder) throws -> CUDADevice {
        let libraries = CUDALibraryPaths(driver: EmulatedGPU.library, compiler: EmulatedGPU.library)
        return try CUDADevice(libraries: libraries, cacheFolder: URL(fileURLWithPath: folder.file("c")))
    }

    /// What an operation makes on both, compared row by row, and that it was this kernel that made it.
    private func expectAgreement(
        by kernel: Kernel, within tolerance: Double = 2e-6, _ location: SourceLocation = #_sourceLocation,
        _ operation: (any Backend) throws -> Tensor
    ) throws {
        let before = EmulatedGPU.launches(of: kernel.rawValue)
        let (ours, expected) = (try operation(cuda), try operation(cpu))
        #expect(EmulatedGPU.launches(of: kernel.rawValue) == before + 1, sourceLocation: location)
        #expect(ours.shape == expected.shape, sourceLocation: location)
        let (a, b, width) = (try ours.values(), try expected.values(), expected.shape.last)
        for row in stride(from: 0, to: b.count, by: width) {
            let error = relativeError(Array(a[row..<row + width]), Array(b[row..<row + width]))
            #expect(error < tolerance, "row \(row / width)", sourceLocation: location)
        }
    }

    static let formats: [(WeightFormat, Kernel)] = [(.float16, .productFloat16MMA), (.int8, .productExpandedMMA)]

    private mutating func weight(_ role: WeightRole, _ format: WeightFormat, scale: Float = 1) -> TestWeight {
        TestWeight.storing(numbers.values(role.shape.count).map { $0 * scale }, role, format, .float).weight
    }

    /// Sizes that leave blocks, pieces, words and vectors partly filled.
    @Test(arguments: formats)
    mutating func productsOfAnySizeAgree(_ format: WeightFormat, _ kernel: Kernel) throws {
        for (rows, inputs, outputs) in [
            (1, 1, 1), (3, 8, 5), (129, 37, 65), (130, 200, 70), (257, 64, 16), (64, 66, 128),
        ] {
            let weight = weight(.matrix(outputs: outputs, inputs: inputs), format)
            let bias = TestWeight.storing(numbers.values(outputs), .vector(count: outputs), .float32).weight
            let x = numbers.values(rows * inputs)
            try expectAgreement(by: kernel, within: 1e-5) {
                try $0.linear(
                    $0.upload(x, [rows, inputs]), $0.prepare(weight),
                    Epilogue(bias: $0.prepare(bias), activation: .tanh))
            }
        }
    }

    @Test(arguments: formats)
    mutating func convolutionsOfEveryKindAgree(_ format: WeightFormat, _ kernel: Kernel) throws {
        var resized = ConvolutionGeometry(padding: .init(top: 1, bottom: 1, left: 0, right: 2))
        (resized.resizedHeight, resized.resizedWidth) = (20, 12)
        let cases: [(WeightRole, ConvolutionGeometry)] = [
            (
                .convolution(outputs: 70, kernelHeight: 3, kernelWidth: 3, inputs: 21),
                .init(strideHeight: 2, padding: .init(1), inputActivation: .silu)
            ),
            (
                .convolution(outputs: 5, kernelHeight: 7, kernelWidth: 2, inputs: 40),
                .init(dilationHeight: 3, dilationWidth: 2, padding: .init(top: 9, bottom: 8, left: 1, right: 2))
            ),
            (.convolution(outputs: 33, kernelHeight: 3, kernelWidth: 3, inputs: 16), resized),
        ]
        for (role, geometry) in cases {
            let weight = weight(role, format)
            let x = numbers.values(2 * 13 * 9 * role.inputs)
            let perSample = numbers.values(2 * role.outputs)
            try expectAgreement(by: kernel, within: 1e-5) {
                try $0.convolution(
                    $0.upload(x, [2, 13, 9, role.inputs]), $0.prepare(weight), geometry,
                    Epilogue(perSample: $0.upload(perSample, [2, role.outputs])))
            }
        }
        let role = WeightRole.transposedConvolution(outputs: 6, kernel: 16, stride: 5, inputs: 12)
        let (weight, x) = (weight(role, format), numbers.values(2 * 33 * 12))
        try expectAgreement(by: kernel, within: 1e-5) {
            try $0.convolution(
                $0.upload(x, [2, 33, 1, 12]), $0.prepare(weight), .init(padding: .init(top: 3, bottom: 3)), Epilogue())
        }
    }

    /// Few rows with long sums, of which blocks make parts; the float sums of such parts in their own scales. Bytes, too.
    @Test(arguments: [
        (WeightFormat.float16, ActivationMode.float, Kernel.productFloat16MMASum),
        (.int8, .float, .productExpandedMMASum), (.int8, .quantized, .productMMASum),
    ])
    mutating func sumsInPartsAgree(_ format: WeightFormat, _ mode: ActivationMode, _ kernel: Kernel) throws {
        let residual = numbers.values(2 * 5 * 4 * 70)
        for (role, magnitude) in [
            (WeightRole.matrix(outputs: 70, inputs: 1100), Float(1)), (.matrix(outputs: 70, inputs: 2050), 1e6),
            (.convolution(outputs: 70, kernelHeight: 3, kernelWidth: 3, inputs: 132), 1),
        ] {
            let weight = TestWeight.storing(numbers.values(role.shape.count), role, format, mode).weight
            let x = numbers.values(2 * 5 * 4 * role.inputs).enumerated().map {
                $1 * ($0 % role.inputs < 500 ? 1 : magnitude)
            }
            try expectAgreement(by: kernel, within: 1e-5) {
                let epilogue = Epilogue(residual: try $0.upload(residual, [2, 5, 4, 70]))
                let x = try $0.upload(x, [2, 5, 4, role.inputs])
                guard case .convolution = role else { return try $0.linear(x, $0.prepare(weight), epilogue) }
                return try $0.convolution(x, $0.prepare(weight), .init(padding: .init(1)), epilogue)
            }
        }
    }

    /// A sample is the same whatever it is computed with: else a limit of memory would change sounds.
    @Test(arguments: [(WeightFormat.float16, ActivationMode.float), (.int8, .float), (.int8, .quantized)])
    mutating func samplesDoNotDependOnOneAnother(_ format: WeightFormat, _ mode: ActivationMode) throws {
        let role = WeightRole.matrix(outputs: 70, inputs: 1100)
        let weight = try cuda.prepare(
            TestWeight.storing(numbers.values(role.shape.count), role, format, mode).weight)
        let x = try cuda.upload(numbers.values(9 * 40 * 1100), [9, 40, 1100])
        let together = try cuda.linear(x, weight, Epilogue())
        for sample in 0..<9 {
            let alone = try cuda.linear(x.outermost(sample..<sample + 1), weight, Epilogue())
            #expect(try alone.values() == together.outermost(sample..<sample + 1).values())
        }
    }

    /// Beyond what halves can hold at both ends: from row to row; and within a row, the largest last and first.
    @Test(arguments: formats)
    mutating func floatsOfAnyMagnitudeAgree(_ format: WeightFormat, _ kernel: Kernel) throws {
        let (rows, inputs) = (20, 200)
        let weight = weight(.matrix(outputs: 64, inputs: inputs), format)
        let x = numbers.values(rows * inputs)
        let magnitudes: [(_ row: Int, _ input: Int) -> Float] = [
            { row, _ in powf(10, 3.6 * Float(row) - 36) }, { _, input in exp2f(Float(input) / 4 - 30) },
            { row, input in input < 3 * row ? 1e-6 : 3e7 }, { _, input in exp2f(20 - Float(input) / 4) },
        ]
        for magnitude in magnitudes {
            let scaled = x.enumerated().map { $1 * magnitude($0 / inputs, $0 % inputs) }
            try expectAgreement(by: kernel) {
                try $0.linear($0.upload(scaled, [rows, inputs]), $0.prepare(weight), Epilogue())
            }
        }
    }

    /// The ends of what halves hold, on the side of the weights.
    @Test mutating func weightsThatHalvesBarelyHoldAgree() throws {
        for scale: Float in [65504, 1e-5, 1e-7] {
            let weight = weight(.matrix(outputs: 20, inputs: 48), .float16, scale: scale)
            let x = numbers.values(5 * 48).map { $0 * 1e5 }
            try expectAgreement(by: .productFloat16MMA) {
                try $0.linear($0.upload(x, [5, 48]), $0.prepare(weight), Epilogue())
            }
        }
    }

    @Test(arguments: formats)
    mutating func whatIsNotANumberStaysInItsRow(_ format: WeightFormat, _ kernel: Kernel) throws {
        var x = numbers.values(50 * 72)
        (x[3 * 72], x[7 * 72 + 70], x[9 * 72 + 40]) = (.infinity, .nan, -.infinity)
        let weight = weight(.matrix(outputs: 16, inputs: 72), format)
        let y = try cuda.linear(cuda.upload(x, [50, 72]), cuda.prepare(weight), Epilogue()).values()
        for row in 0..<50 {
            let isNumber = ![3, 7, 9].contains(row)
            #expect(y[row * 16..<(row + 1) * 16].allSatisfy { $0.isFinite == isNumber }, "row \(row)")
        }
    }

    static let widths: [(Int, Kernel)] = [
        (8, .attentionMMA32), (17, .attentionMMA32), (32, .attentionMMA32), (40, .attentionMMA48),
        (48, .attentionMMA48), (64, .attentionMMA64), (77, .attentionMMA80), (80, .attentionMMA80),
        (81, .attention128),
    ]

    /// Masks, biases and causes; keys and queries that leave tiles partly filled, and warps without any.
    @Test(arguments: widths)
    mutating func attentionOfAnyWidthAgrees(_ width: Int, _ kernel: Kernel) throws {
        let heads = 2
        for (queries, keys, isCausal) in [(1, 1, false), (15, 33, true), (129, 31, false), (140, 150, true)] {
            let channels = heads * width
            let (q, kv) = (numbers.values(2 * queries * channels), numbers.values(2 * (keys + 1) * 2 * channels))
            let bias = numbers.values(heads * queries * keys)
            let mask = (0..<2 * keys).map { Float($0 % 5 == 3 ? -10000 : 0) }
            try expectAgreement(by: kernel, within: 1e-5) { backend in
                let context = try backend.upload(kv, [2, keys + 1, 2 * channels])
                return try backend.attention(
                    AttentionInput(
                        query: Columns(backend.upload(q, [2, queries, channels])),
                        key: Columns(context, width: channels), value: Columns(context, from: channels),
                        keyCount: keys, heads: heads, scale: 1 / Float(width).squareRoot(),
                        bias: isCausal ? backend.upload(bias, [heads, queries, keys]) : nil,
                        mask: backend.upload(mask, [2, keys]), causal: isCausal))
            }
        }
    }

    /// Queries, keys and values that halves do not hold; values that grow from tile to tile, and that shrink.
    @Test mutating func attentionOfAnyMagnitudeAgrees() throws {
        let (queries, keys, width) = (20, 130, 48)
        let (q, k, v) = (
            numbers.values(queries * width), numbers.values(keys * width), numbers.values(keys * width)
        )
        let magnitudes: [(query: Float, key: Float, value: (_ key: Int) -> Float)] = [
            (1e6, 1e-9, { _ in 1e8 }), (1e-7, 1e8, { exp2f(Float($0) / 8 - 8) }),
            (3, 0.1, { exp2f(8 - Float($0) / 8) }), (1, 1, { _ in 1e-12 }),
        ]
        for magnitude in magnitudes {
            let values = v.enumerated().map { $1 * magnitude.value($0 / width) }
            let scale = 1 / (magnitude.query * magnitude.key)
            try expectAgreement(by: .attentionMMA48, within: 1e-5) { backend in
                try backend.attention(
                    AttentionInput(
                        query: Columns(backend.upload(q.map { $0 * magnitude.query }, [1, queries, width])),
                        key: Columns(backend.upload(k.map { $0 * magnitude.key }, [1, keys, width])),
                        value: Columns(backend.upload(values, [1, keys, width])), heads: 1, scale: scale))
            }
        }
    }

    /// What thousands of keys of little weight add up to: their powers are below what halves hold.
    @Test(arguments: [-8, -12, -14] as [Float])
    mutating func weakKeysCount(_ score: Float) throws {
        let (queries, keys, width) = (3, 4000, 40)
        let (q, k) = (numbers.values(queries * width).map { $0 * 1e-3 }, numbers.values(keys * width))
        // What the one strong key brings is nothing.
        let v = numbers.values(keys * width).enumerated().map { $0 < width ? 0 : abs($1) }
        let mask = [0] + [Float](repeating: score, count: keys - 1)
        try expectAgreement(by: .attentionMMA48, within: 2e-5) { backend in
            try backend.attention(
                AttentionInput(
                    query: Columns(backend.upload(q, [1, queries, width])),
                    key: Columns(backend.upload(k, [1, keys, width])),
                    value: Columns(backend.upload(v, [1, keys, width])), heads: 1, scale: 0.1,
                    mask: backend.upload(mask, [1, keys])))
        }
    }

    /// Older devices have no tensor cores, or none for bytes.
    @Test(arguments: [(70, false, false), (75, true, false), (86, true, true)])
    mutating func devicesUseWhatTheyHave(_ capability: Int, _ halves: Bool, _ bytes: Bool) throws {
        let backend = CUDABackend(try EmulatedGPU.finding(capability: capability) { try Self.device(folder) })
        #expect(backend.usesMMA == halves && backend.name.contains("sm_\(capability)"))
        let kernels: [(Kernel, Kernel, Bool)] = [
            (.productFloat16MMA, .productFloat16, halves), (.productExpandedMMA, .productExpanded, halves),
            (.attentionMMA48, .attention64, halves), (.productMMA, .productInt8, bytes),
        ]
        let before = kernels.map { (EmulatedGPU.launches(of: $0.0.rawValue), EmulatedGPU.launches(of: $0.1.rawValue)) }
        try backend.check(against: CPUBackend(threadCount: 1, usesBLAS: false))
        for ((new, old, isNew), count) in zip(kernels, before) {
            #expect((EmulatedGPU.launches(of: new.rawValue) > count.0) == isNew, "\(new)")
            #expect((EmulatedGPU.launches(of: old.rawValue) > count.1) == !isNew, "\(old)")
        }
    }
}
