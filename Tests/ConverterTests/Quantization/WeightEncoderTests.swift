import AudioLDM2Converter
import Tensors
import TestSupport
import Testing

@Suite struct WeightEncoderTests {
    private let encoder = WeightEncoder(workers: Workers(count: 2))

    private func rows(_ role: WeightRole, seed: UInt64 = 1) -> MemoryRows {
        var random = SplitMix(seed: seed)
        return MemoryRows(role.outputs, role.rowWidth, random.normal(role.shape.count))
    }

    private static let roles: [WeightRole] = [
        .matrix(outputs: 1, inputs: 1), .matrix(outputs: 16, inputs: 4), .matrix(outputs: 33, inputs: 7),
        .matrix(outputs: 70, inputs: 130), .convolution(outputs: 17, kernelHeight: 3, kernelWidth: 3, inputs: 5),
        .convolution(outputs: 40, kernelHeight: 7, kernelWidth: 1, inputs: 8),
        .transposedConvolution(outputs: 6, kernel: 16, stride: 5, inputs: 9),
        .table(rows: 100, width: 13), .table(rows: 3, width: 64),
    ]

    @Test(arguments: roles) func int8(role: WeightRole) throws {
        let rows = rows(role)
        let encoded = try encoder.encode(rows, role: role, as: .int8, name: "w")
        #expect(encoded.bytes.count == Int8Layout(role: role).byteCount)
        #expect(encoded.format == .int8 && encoded.inRange)
        let unpacked = Unpacking.values(encoded.bytes, role, .int8)
        let error = relativeError(unpacked, rows.values)
        #expect(error < 0.01)
        #expect(abs(error - encoded.relativeError) < 1e-5)
        for start in stride(from: 0, to: unpacked.count, by: rows.width) {
            let range = start..<start + rows.width
            #expect(relativeError(unpacked[range], rows.values[range]) < 0.012)
        }
        if case .table = role { return }
        let sums = (0..<role.outputs).map { output in
            Unpacking.integers(encoded.bytes, role, output: output).reduce(Int32(0)) { $0 + Int32($1) }
        }
        #expect(Unpacking.sums(encoded.bytes, role) == sums)
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

    @Test func aRowOfZerosAmongOthers() throws {
        let role = WeightRole.matrix(outputs: 3, inputs: 2)
        let rows = MemoryRows(3, 2, [1, 0.5, 0, 0, -2, 1])
        let encoded = try encoder.encode(rows, role: role, as: .int8, name: "w")
        #expect(encoded.relativeError < 0.01)
        #expect(Unpacking.values(encoded.bytes, role, .int8)[2..<4] == [0, 0])
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
