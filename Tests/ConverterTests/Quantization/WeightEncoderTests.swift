import Converter
import Tensors
import Testing

@Suite struct WeightEncoderTests {
    private let encoder = WeightEncoder(workers: Workers(count: 2))

    private func rows(_ role: WeightRole, seed: UInt64 = 1) -> MemoryRows {
        var random = RandomNumbers(seed: seed)
        return MemoryRows(role.outputs, role.rowWidth, random.normal(role.shape.count))
    }

    private static let roles: [WeightRole] = [
        .matrix(outputs: 1, inputs: 1), .matrix(outputs: 16, inputs: 4), .matrix(outputs: 33, inputs: 7),
        .matrix(outputs: 70, inputs: 130), .convolution(outputs: 17, kernelHeight: 3, kernelWidth: 3, inputs: 5),
        .convolution(outputs: 40, kernelHeight: 7, kernelWidth: 1, inputs: 8),
        .transposedConvolution(outputs: 6, kernel: 16, stride: 5, inputs: 9),
        .table(rows: 100, width: 13), .table(rows: 3, width: 64),
    ]

    /// Reads a stored int8 weight by the words of `Int8Layout`'s description.
    private func unpack(_ bytes: [UInt8], _ role: WeightRole) -> [Float] {
        let layout = Int8Layout(role: role)
        func load<T: FixedWidthInteger>(_ offset: Int, _: T.Type) -> T {
            T(littleEndian: bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: T.self) })
        }
        let isTable = if case .table = role { true } else { false }
        var values: [Float] = []
        for output in 0..<role.outputs {
            let scale = Float(bitPattern: load(layout.scalesOffset + 4 * output, UInt32.self))
            var sum: Int32 = 0
            for tap in 0..<role.taps {
                for input in 0..<role.inputs {
                    let offset =
                        isTable
                        ? output * role.inputs + input
                        : ((output / 16 * role.taps + tap) * (layout.paddedInputs / 4) + input / 4) * 64 + output % 16
                            * 4
                            + input % 4
                    let integer = load(offset, Int8.self)
                    sum += Int32(integer)
                    values.append(Float(integer) * scale)
                }
            }
            if !isTable { #expect(load(layout.sumsOffset + 4 * output, Int32.self) == sum) }
        }
        return values
    }

    private func relativeError(_ a: [Float], _ b: [Float]) -> Double {
        let difference = zip(a, b).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
        return (difference / b.reduce(0) { $0 + Double($1) * Double($1) }).squareRoot()
    }

    @Test(arguments: roles) func int8(role: WeightRole) throws {
        let rows = rows(role)
        let encoded = try encoder.encode(rows, role: role, as: .int8, name: "w")
        #expect(encoded.bytes.count == Int8Layout(role: role).byteCount)
        #expect(encoded.format == .int8 && encoded.inRange)
        let unpacked = unpack(encoded.bytes, role)
        let error = relativeError(unpacked, rows.values)
        #expect(error < 0.01)
        #expect(abs(error - encoded.relativeError) < 1e-5)
        for (row, values) in stride(from: 0, to: unpacked.count, by: rows.width).enumerated() {
            let range = values..<values + rows.width
            #expect(relativeError(Array(unpacked[range]), Array(rows.values[range])) < 0.012, "row \(row)")
        }
    }

    @Test func paddingIsZero() throws {
        let role = WeightRole.matrix(outputs: 3, inputs: 5)
        let bytes = try encoder.encode(rows(role), role: role, as: .int8, name: "w").bytes
        let layout = Int8Layout(role: role)
        #expect(layout.byteCount == 16 * 8 + 16 * 4 + 16 * 4)
        for output in 0..<16 {
            for input in 0..<8 where output >= 3 || input >= 5 {
                #expect(bytes[input / 4 * 64 + output * 4 + input % 4] == 0)
            }
        }
        #expect(bytes[(layout.scalesOffset + 12)..<layout.sumsOffset].allSatisfy { $0 == 0 })
        #expect(bytes[(layout.sumsOffset + 12)...].allSatisfy { $0 == 0 })
    }

    @Test(arguments: roles) func floats(role: WeightRole) throws {
        let rows = rows(role)
        let full = try encoder.encode(rows, role: role, as: .float32, name: "w")
        #expect(full.bytes == rows.values.flatMap { $0.bitPattern.littleEndianBytes })
        #expect(full.relativeError == 0)
        let half = try encoder.encode(rows, role: role, as: .float16, name: "w")
        #expect(half.bytes == rows.values.flatMap { Float16($0).bitPattern.littleEndianBytes })
        #expect(half.inRange)
        #expect(abs(half.relativeError - relativeError(rows.values.map { Float(Float16($0)) }, rows.values)) < 1e-7)
    }

    @Test func threadsDoNotMatter() throws {
        for format in WeightFormat.allCases {
            let role = WeightRole.matrix(outputs: 500, inputs: 33)
            let one = try WeightEncoder(workers: Workers(count: 1)).encode(
                rows(role), role: role, as: format, name: "w")
            let many = try WeightEncoder(workers: Workers(count: 7)).encode(
                rows(role), role: role, as: format, name: "w")
            #expect(one.bytes == many.bytes)
            #expect(one.relativeError == many.relativeError)
        }
    }

    @Test func zeros() throws {
        let role = WeightRole.matrix(outputs: 20, inputs: 6)
        for format in WeightFormat.allCases {
            let encoded = try encoder.encode(
                MemoryRows(20, 6, Array(repeating: 0, count: 120)), role: role, as: format, name: "w")
            #expect(encoded.bytes.allSatisfy { $0 == 0 })
            #expect(encoded.relativeError == 0)
        }
    }

    @Test func halvesOverflow() throws {
        let role = WeightRole.matrix(outputs: 1, inputs: 2)
        for (value, fits) in [(65504, true), (65505, false), (-1e9, false)] as [(Float, Bool)] {
            let encoded = try encoder.encode(MemoryRows(1, 2, [0, value]), role: role, as: .float16, name: "w")
            #expect(encoded.inRange == fits)
        }
        #expect(try encoder.encode(MemoryRows(1, 2, [0, 1e30]), role: role, as: .int8, name: "w").inRange)
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity], WeightFormat.allCases)
    func refusesWhatIsNoNumber(value: Float, format: WeightFormat) throws {
        let role = WeightRole.matrix(outputs: 90, inputs: 3)
        var values = [Float](repeating: 1, count: 270)
        values[3 * 80 + 1] = value
        values[3 * 41 + 2] = value
        #expect(throws: QuantizationError.notFinite(name: "unet.w", row: 41)) {
            _ = try encoder.encode(MemoryRows(90, 3, values), role: role, as: format, name: "unet.w")
        }
    }
}
