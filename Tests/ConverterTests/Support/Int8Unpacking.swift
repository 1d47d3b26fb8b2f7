import Tensors

/// Reads stored weights by the words of `WeightFormat`'s and `Int8Layout`'s descriptions.
enum Unpacking {
    /// The weight's rows, one after the other.
    static func values(_ bytes: [UInt8], _ role: WeightRole, _ format: WeightFormat) -> [Float] {
        switch format {
        case .float32: (0..<role.shape.count).map { Float(bitPattern: load(bytes, 4 * $0)) }
        case .float16: (0..<role.shape.count).map { Float(Float16(bitPattern: load(bytes, 2 * $0))) }
        case .int8: int8(bytes, role)
        }
    }

    /// Σ of each output's integers, as stored.
    static func sums(_ bytes: [UInt8], _ role: WeightRole) -> [Int32] {
        (0..<role.outputs).map { load(bytes, Int8Layout(role: role).sumsOffset + 4 * $0) }
    }

    /// The integers of one output, tap by tap.
    static func integers(_ bytes: [UInt8], _ role: WeightRole, output: Int) -> [Int8] {
        if case .table(_, let width) = role { return (0..<width).map { load(bytes, output * width + $0) } }
        let (taps, inputs) = (role.taps, role.inputs)
        let groups = (inputs + 3) / 4
        return (0..<taps * inputs).map { index in
            let (tap, input) = (index / inputs, index % inputs)
            let tile = ((output / 16 * taps + tap) * groups + input / 4) * 64
            return load(bytes, tile + output % 16 * 4 + input % 4)
        }
    }

    private static func int8(_ bytes: [UInt8], _ role: WeightRole) -> [Float] {
        let scales = Int8Layout(role: role).scalesOffset
        return (0..<role.outputs).flatMap { output in
            let scale = Float(bitPattern: load(bytes, scales + 4 * output))
            return integers(bytes, role, output: output).map { Float($0) * scale }
        }
    }

    private static func load<Value: FixedWidthInteger>(_ bytes: [UInt8], _ offset: Int) -> Value {
        Value(littleEndian: bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) })
    }
}

/// ‖a − b‖ / ‖b‖, 0 if both are zeros.
func relativeError(_ a: some Sequence<Float>, _ b: some Sequence<Float>) -> Double {
    var (difference, norm) = (0.0, 0.0)
    for (x, y) in zip(a, b) {
        difference += Double(x - y) * Double(x - y)
        norm += Double(y) * Double(y)
    }
    return norm > 0 ? (difference / norm).squareRoot() : difference > 0 ? .infinity : 0
}
