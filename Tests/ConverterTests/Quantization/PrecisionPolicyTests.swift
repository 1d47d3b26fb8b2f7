import AudioLDM2Converter
import Tensors
import TestSupport
import Testing
import WeightFile

@Suite struct PrecisionPolicyTests {
    private static let matrix = WeightRole.matrix(outputs: 2, inputs: 2)
    private static let table = WeightRole.table(rows: 2, width: 2)

    private func requirement(_ role: WeightRole, _ precision: WeightPrecision) -> WeightRequirement {
        WeightRequirement(path: "w", role: role, precision: precision)
    }

    @Test(
        arguments: [
            (.quantized, .int8, [.int8, .float16, .float32]), (.weightOnly, .int8, [.int8, .float16, .float32]),
            (.float, .int8, [.float16, .float32]), (.full, .int8, [.float32]),
            (.quantized, .float16, [.float16, .float32]),
            (.full, .float16, [.float32]), (.quantized, .float32, [.float32]), (.float, .float32, [.float32]),
        ] as [(WeightPrecision, WeightPreset, [WeightFormat])])
    func candidates(precision: WeightPrecision, preset: WeightPreset, formats: [WeightFormat]) {
        #expect(PrecisionPolicy(preset).candidates(for: requirement(Self.matrix, precision)) == formats)
        #expect(PrecisionPolicy(preset).candidates(for: requirement(.vector(count: 3), precision)) == [.float32])
    }

    @Test func onlyProductsQuantizeTheirInput() {
        let policy = PrecisionPolicy(.int8)
        func activation(_ role: WeightRole, _ precision: WeightPrecision, _ format: WeightFormat) -> ActivationMode {
            policy.description(of: requirement(role, precision), as: format).activation
        }
        #expect(activation(Self.matrix, .quantized, .int8) == .quantized)
        #expect(activation(Self.matrix, .quantized, .float16) == .float)
        #expect(activation(Self.matrix, .weightOnly, .int8) == .float)
        #expect(activation(Self.table, .quantized, .int8) == .float)
    }

    @Test func acceptsByMeasuredError() throws {
        let policy = PrecisionPolicy(.int8)
        let encoder = WeightEncoder(workers: Workers(count: 1))
        func isAccepted(_ row: [Float], _ format: WeightFormat) throws -> Bool {
            let role = WeightRole.matrix(outputs: 1, inputs: row.count)
            return policy.accepts(try encoder.encode(MemoryRows(1, row.count, row), role: role, as: format, name: "w"))
        }
        var random = SplitMix(seed: 2)
        var row = random.normal(4096)
        #expect(try isAccepted(row, .int8))
        row[7] = 40
        #expect(try !isAccepted(row, .int8))
        #expect(try isAccepted(row, .float16))
        row[7] = 70000
        #expect(try !isAccepted(row, .float16))
        #expect(try isAccepted(row, .float32))
    }
}
