import Glibc
import Tensors

/// A few operations of every kind, on sizes that leave tiles half full: what every backend must agree on. The CPU's tiers are
/// compared with scalar C, an emulated GPU and a real one with the CPU.
package struct OperationSuite {
    package init() {}

    /// What rounding may make of float products and sums.
    private static let tolerance = 1e-4
    private static let roles: [WeightRole] = [
        .matrix(outputs: 70, inputs: 44), .matrix(outputs: 70, inputs: 1100),
        .convolution(outputs: 36, kernelHeight: 3, kernelWidth: 3, inputs: 20),
    ]

    /// Where two backends differ.
    package struct Disagreement: Error, Sendable {
        package let operation: String
        /// ‖ours − expected‖ / ‖expected‖; infinite for other shapes.
        package let error: Double
    }

    /// - Parameters:
    ///   - backend: what is to be found right.
    ///   - reference: what is known to be.
    /// - Throws: `Disagreement` with the first operation that differs; what the backends throw.
    package func run(_ backend: any Backend, against reference: any Backend) throws {
        for (format, activation) in [
            (WeightFormat.float32, ActivationMode.float), (.float16, .float), (.int8, .float), (.int8, .quantized),
        ] {
            for role in Self.roles {
                let weight = CheckWeight(WeightDescription(role: role, format: format, activation: activation))
                try compare("product of \(format) weights", backend, reference) { try product($0, weight) }
            }
        }
        for width in [20, 40, 60, 80, 100, 256, 520] {
            try compare("attention", backend, reference) { try attention($0, width: width) }
        }
        try compare("norms", backend, reference, norms)
        try compare("elements", backend, reference, elements)
        try compare("replayed graph", backend, reference, repetition)
    }

    private func compare(
        _ name: String, _ backend: any Backend, _ reference: any Backend,
        _ operation: (any Backend) throws -> [Tensor]
    ) throws {
        for (ours, expected) in try zip(operation(backend), operation(reference)) {
            let (a, b) = (try ours.values(), try expected.values())
            let difference = zip(a, b).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
            let error = (difference / b.reduce(1e-30) { $0 + Double($1) * Double($1) }).squareRoot()
            guard ours.shape == expected.shape, error < Self.tolerance else {
                throw Disagreement(operation: name, error: ours.shape == expected.shape ? error : .infinity)
            }
        }
    }

    private func product(_ backend: any Backend, _ weight: CheckWeight) throws -> [Tensor] {
        let prepared = try backend.prepare(weight)
        let role = weight.description.role
        let bias = try backend.prepare(CheckWeight(vector: role.outputs))
        guard case .convolution = role else {
            let x = try uploaded([1, 150, role.inputs], backend)
            return [try backend.linear(x, prepared, Epilogue(bias: bias, activation: .gelu))]
        }
        // Several tiles of what becomes bytes.
        let x = try uploaded([2, 59, 11, role.inputs], backend)
        let geometry = ConvolutionGeometry(
            strideHeight: 2, dilationWidth: 2, padding: .init(1), inputActivation: .leakyRelu(slope: 0.1))
        let epilogue = Epilogue(bias: bias, perSample: try uploaded([2, role.outputs], backend))
        // The same by tiles, of which the last ones are cut; on pictures of two columns they are narrower.
        let tiled = ConvolutionGeometry(padding: .init(1), allowsTiles: true)
        let narrow = try uploaded([3, 30, 2, role.inputs], backend)
        return [
            try backend.convolution(x, prepared, geometry, epilogue),
            try backend.convolution(x, prepared, tiled, Epilogue(bias: bias, activation: .relu)),
            try backend.convolution(narrow, prepared, tiled, Epilogue(bias: bias)),
        ]
    }

    private func attention(_ backend: any Backend, width: Int) throws -> [Tensor] {
        let (query, context) = (try uploaded([2, 37, 2 * width], backend), try uploaded([2, 70, 4 * width], backend))
        let mask = try backend.upload((0..<140).map { $0 % 7 == 3 ? -10000 : 0 }, [2, 70])
        return [
            try backend.attention(
                AttentionInput(
                    query: Columns(query), key: Columns(context, width: 2 * width),
                    value: Columns(context, from: 2 * width), heads: 2, scale: 0.2, mask: mask)),
            try backend.attention(
                AttentionInput(
                    query: Columns(query), key: Columns(context, width: 2 * width),
                    value: Columns(context, from: 2 * width), heads: 2, scale: 0.2,
                    bias: uploaded([2, 37, 70], backend), causal: true)),
        ]
    }

    private func norms(_ backend: any Backend) throws -> [Tensor] {
        let x = try uploaded([2, 300, 48], backend)
        let (scale, shift) = (
            try backend.prepare(CheckWeight(vector: 48)), try backend.prepare(CheckWeight(vector: 48))
        )
        return [
            try backend.layerNorm(x, epsilon: 1e-5, scale: scale, shift: shift),
            try backend.rmsNorm(x, epsilon: 1e-5, scale: scale),
            try backend.l2Normalize(x),
            try backend.groupNorm(x, groups: 6, epsilon: 1e-5, scale: scale, shift: shift, activation: .silu),
        ]
    }

    private func elements(_ backend: any Backend) throws -> [Tensor] {
        let x = try uploaded([2, 30, 20], backend)
        let weight = CheckWeight(
            WeightDescription(role: .matrix(outputs: 24, inputs: 20), format: .float32))
        let shares = (0..<30).map { Float($0 % 3) / 2 }
        let divisors = try backend.upload((0..<30).map { Float($0 + 1) }, [30])
        // Fewer rows than are added, and more.
        let sums = try [uploaded([2, 11, 20], backend), uploaded([2, 40, 20], backend)]
        for sums in sums { try backend.accumulate(x, factors: backend.upload(shares, [30]), into: sums, at: 9) }
        return try sums + [
            backend.divideRows(x, by: divisors),
            try backend.apply(.geluTanh, x), try backend.combine([(2, x), (-0.5, x)]),
            try backend.concatenate([x, x], axis: 2), try backend.slice(x, axis: 1, 3..<11),
            try backend.rows(x, [5, 0, 29, 5]),
            try backend.normalizeChannels(
                x, mean: backend.prepare(CheckWeight(vector: 20)),
                deviation: backend.prepare(CheckWeight(positiveVector: 20))),
            try backend.blend(x, uploaded([2, 30, 20], backend), kept: backend.upload(shares, [30])),
            try backend.pool(x.reshaped([2, 6, 5, 20]), .mean, height: 3, width: 5),
            try backend.pool(x.reshaped([2, 6, 5, 20]), .maximum, height: 2, width: 1),
            try backend.pool(x.reshaped([2, 6, 5, 20]), .maximum, height: 3, width: 5),
            try backend.gatedLinear(x, backend.prepare(weight), bias: nil, gate: .tanh),
        ]
    }

    /// Work that a GPU records and replays for other inputs.
    private func repetition(_ backend: any Backend) throws -> [Tensor] {
        let weight = try backend.prepare(
            CheckWeight(WeightDescription(role: .matrix(outputs: 30, inputs: 30), format: .float32)))
        let repeated = backend.repeatable { inputs in
            let sum = try backend.combine([(0.5, inputs[0]), (2, inputs[1])])
            return try backend.linear(sum, weight, Epilogue(activation: .silu))
        }
        var numbers = CheckNumbers(seed: 3)
        return try (0..<3).map { _ in
            try repeated([
                backend.upload(numbers.values(600), [1, 20, 30]), backend.upload(numbers.values(600), [1, 20, 30]),
            ])
        }
    }

    private func uploaded(_ shape: Shape, _ backend: any Backend) throws -> Tensor {
        var numbers = CheckNumbers(seed: shape.count)
        return try backend.upload(numbers.values(shape.count), shape)
    }
}

/// Numbers in −1…1 that look random and are the same everywhere.
private struct CheckNumbers {
    private var state: UInt64

    init(seed: Int) { state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func bits() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state >> 16
    }

    mutating func values(_ count: Int) -> [Float] {
        (0..<count).map { _ in Float(Int32(truncatingIfNeeded: bits())) / Float(Int32.max) }
    }
}

/// A weight of such numbers, in memory.
private final class CheckWeight: WeightData {
    let description: WeightDescription
    let name = "self-check"
    private let bytes: [UInt8]

    init(_ description: WeightDescription) {
        self.description = description
        var numbers = CheckNumbers(seed: description.byteCount)
        switch description.format {
        case .float32:
            bytes = numbers.values(description.role.shape.count).withUnsafeBytes { Array($0) }
        case .float16:
            // Any half between −1 and 1.
            let halves = (0..<description.role.shape.count).map { _ in
                UInt16(numbers.bits() % 0x3C00) | UInt16(numbers.bits() % 2) << 15
            }
            bytes = halves.withUnsafeBytes { Array($0) }
        case .int8:
            bytes = Self.packed(description.role, &numbers)
        }
    }

    convenience init(vector count: Int) {
        self.init(WeightDescription(role: .vector(count: count), format: .float32))
    }

    /// Of numbers that can be divided by.
    convenience init(positiveVector count: Int) {
        var numbers = CheckNumbers(seed: count)
        self.init(
            WeightDescription(role: .vector(count: count), format: .float32),
            numbers.values(count).map { abs($0) + 0.5 }.withUnsafeBytes { Array($0) })
    }

    private init(_ description: WeightDescription, _ bytes: [UInt8]) {
        self.description = description
        self.bytes = bytes
    }

    private static func packed(_ role: WeightRole, _ numbers: inout CheckNumbers) -> [UInt8] {
        let layout = Int8Layout(role: role)
        var tiles = [UInt8](repeating: 0, count: layout.scalesOffset)
        var sums = [Int32](repeating: 0, count: layout.paddedOutputs)
        for output in 0..<role.outputs {
            for tap in 0..<role.taps {
                for input in 0..<role.inputs {
                    let value = Int8(truncatingIfNeeded: Int(numbers.bits() % 255) - 127)
                    let tile = (output / 16 * role.taps + tap) * layout.paddedInputs / 4 + input / 4
                    tiles[tile * 64 + output % 16 * 4 + input % 4] = UInt8(bitPattern: value)
                    sums[output] += Int32(value)
                }
            }
        }
        let scales = numbers.values(layout.paddedOutputs).map { abs($0) / 127 }
        return tiles + scales.withUnsafeBytes { Array($0) } + sums.withUnsafeBytes { Array($0) }
    }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        try bytes.withUnsafeBytes(body)
    }
}
