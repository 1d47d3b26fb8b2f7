import CKernels
import Foundation
import Tensors

/// A weight in memory, in the layout that the pack would hold.
package final class TestWeight: WeightData {
    package let description: WeightDescription
    package let name = "test"
    private let words: [UInt64]

    package init(_ description: WeightDescription, bytes: [UInt8]) {
        self.description = description
        var words = [UInt64](repeating: 0, count: (bytes.count + 7) / 8)
        words.withUnsafeMutableBytes { $0.copyBytes(from: bytes) }
        self.words = words
    }

    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        try words.withUnsafeBytes { try body(.init(rebasing: $0[..<description.byteCount])) }
    }
}

/// Numbers that look random and are the same everywhere.
package struct TestNumbers {
    private var state: UInt64

    package init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    package mutating func next() -> Float {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Float(Int32(truncatingIfNeeded: state >> 16)) / Float(Int32.max)
    }

    package mutating func values(_ count: Int) -> [Float] { (0..<count).map { _ in next() } }
}

extension TestWeight {
    /// Stores `values` (row-major, in the role's shape), and returns what the stored numbers mean.
    package static func storing(
        _ values: [Float], _ role: WeightRole, _ format: WeightFormat, _ activation: ActivationMode = .float
    ) -> (weight: TestWeight, meaning: [Float]) {
        let description = WeightDescription(role: role, format: format, activation: activation)
        switch format {
        case .float32:
            return (TestWeight(description, bytes: values.withUnsafeBytes { Array($0) }), values)
        case .float16:
            let halves = values.map { TestHalf.bits($0) }
            return (
                TestWeight(description, bytes: halves.withUnsafeBytes { Array($0) }), halves.map(TestHalf.value)
            )
        case .int8:
            return int8(values, role, description)
        }
    }

    private static func int8(
        _ values: [Float], _ role: WeightRole, _ description: WeightDescription
    ) -> (weight: TestWeight, meaning: [Float]) {
        let layout = Int8Layout(role: role)
        var bytes = [UInt8](repeating: 0, count: layout.byteCount)
        var meaning = values
        let (outputs, taps, inputs) = (role.outputs, role.taps, role.inputs)
        let isTable = if case .table = role { true } else { false }
        for output in 0..<outputs {
            let row = output * taps * inputs..<(output + 1) * taps * inputs
            let scale = values[row].reduce(0) { max($0, abs($1)) } / 127
            var sum: Int32 = 0
            for index in row {
                let quantized = Int8(max(-127, min(127, (values[index] / scale).rounded(.toNearestOrEven))))
                meaning[index] = Float(quantized) * scale
                sum += Int32(quantized)
                let (tap, input) = (index - row.lowerBound).quotientAndRemainder(dividingBy: inputs)
                let tile = ((output / 16 * taps + tap) * layout.paddedInputs / 4 + input / 4) * 64
                let place = isTable ? index : tile + output % 16 * 4 + input % 4
                bytes[place] = UInt8(bitPattern: quantized)
            }
            store(scale, at: layout.scalesOffset + output * 4, in: &bytes)
            if !isTable { store(sum, at: layout.sumsOffset + output * 4, in: &bytes) }
        }
        return (TestWeight(description, bytes: bytes), meaning)
    }

    private static func store<Value>(_ value: Value, at offset: Int, in bytes: inout [UInt8]) {
        withUnsafeBytes(of: value) { bytes.replaceSubrange(offset..<offset + $0.count, with: $0) }
    }
}

/// Half precision through the scalar kernels, which have tests of their own.
package enum TestHalf {
    package static func bits(_ value: Float) -> UInt16 {
        var (input, output) = (value, UInt16(0))
        kernels_for_tier(KERNELS_SCALAR)?.pointee.narrow_f16(&input, 1, &output)
        return output
    }

    package static func value(_ bits: UInt16) -> Float {
        var (input, output) = (bits, Float(0))
        kernels_for_tier(KERNELS_SCALAR)?.pointee.expand_f16(&input, 1, &output)
        return output
    }
}

/// ‖a − b‖ / ‖b‖
package func relativeError(_ a: [Float], _ b: [Float]) -> Double {
    guard a.count == b.count else { return .infinity }
    let difference = zip(a, b).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
    let norm = b.reduce(0.0) { $0 + Double($1) * Double($1) }
    return (difference / max(norm, 1e-300)).squareRoot()
}
