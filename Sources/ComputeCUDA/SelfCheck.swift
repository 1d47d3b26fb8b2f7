import Compute
import Foundation
import Tensors

extension CUDABackend {
    /// A backend on a device whose kernels have been compared with the CPU's: at the first use of these kernels with such
    /// a device, driver and compiler; that they are right is kept beside the kernels, if it can be. Where only the tensor
    /// cores disagree, products are made without them. What is wrong is looked at again: another build of the driver may
    /// have mended it.
    /// - Throws: `CUDAError.disagreement`, and what the device throws.
    package convenience init(checking device: CUDADevice) throws {
        let outcome = try device.checkOutcome ?? SelfCheck.outcome(on: device)
        self.init(device, usesMMA: outcome == .mma)
    }
}

/// How a device's kernels were found to be right.
package enum CheckOutcome: String, Sendable {
    /// Right, with tensor cores where the device has them.
    case mma
    /// Right without tensor cores.
    case plain
}

/// A few operations of every kernel on the device and on the CPU, on sizes that leave tiles half full.
package struct SelfCheck {
    package init() {}

    /// Checks a device, with tensor cores and, where these disagree, without; and notes what is right.
    /// - Throws: `CUDAError.disagreement` if neither is, and what the device throws.
    fileprivate static func outcome(on device: CUDADevice) throws -> CheckOutcome {
        func passed(_ outcome: CheckOutcome) throws -> CheckOutcome {
            try SelfCheck().run(CUDABackend(device, usesMMA: outcome == .mma))
            device.note(outcome)
            return outcome
        }
        guard device.target.capability.hasMMA else { return try passed(.plain) }
        do {
            return try passed(.mma)
        } catch CUDAError.disagreement {
            return try passed(.plain)
        }
    }

    /// What rounding may make of float products and sums.
    private static let tolerance = 1e-4
    private static let roles: [WeightRole] = [
        .matrix(outputs: 70, inputs: 44), .matrix(outputs: 70, inputs: 1100),
        .convolution(outputs: 36, kernelHeight: 3, kernelWidth: 3, inputs: 20),
    ]

    /// - Throws: `CUDAError.disagreement` with the first operation that differs.
    package func run(_ cuda: CUDABackend) throws {
        let cpu = try CPUBackend(threadCount: 1, usesBLAS: false)
        for (format, activation) in [
            (WeightFormat.float32, ActivationMode.float), (.float16, .float), (.int8, .float), (.int8, .quantized),
        ] {
            for role in Self.roles {
                let weight = CheckWeight(WeightDescription(role: role, format: format, activation: activation))
                try compare("product of \(format) weights", cuda, cpu) { try product($0, weight) }
            }
        }
        for width in [20, 40, 60, 80, 100, 256, 520] {
            try compare("attention", cuda, cpu) { try attention($0, width: width) }
        }
        try compare("norms", cuda, cpu, norms)
        try compare("elements", cuda, cpu, elements)
        try compare("replayed graph", cuda, cpu, repetition)
    }

    private func compare(
        _ name: String, _ cuda: CUDABackend, _ cpu: CPUBackend, _ operation: (any Backend) throws -> [Tensor]
    ) throws {
        for (ours, expected) in try zip(operation(cuda), operation(cpu)) {
            let (a, b) = (try ours.values(), try expected.values())
            let difference = zip(a, b).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
            let error = (difference / b.reduce(1e-30) { $0 + Double($1) * Double($1) }).squareRoot()
            guard ours.shape == expected.shape, error < Self.tolerance else {
                throw CUDAError.disagreement(operation: name, error: error)
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
        return [try backend.convolution(x, prepared, geometry, epilogue)]
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
        return [
            try backend.apply(.geluTanh, x), try backend.combine([(2, x), (-0.5, x)]),
            try backend.concatenate([x, x], axis: 2), try backend.slice(x, axis: 1, 3..<11),
            try backend.rows(x, [5, 0, 29, 5]),
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
