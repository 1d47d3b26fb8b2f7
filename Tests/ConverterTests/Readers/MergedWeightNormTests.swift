import AudioLDM2Converter
import Checkpoints
import Tensors
import Testing

@Suite struct MergedWeightNormTests {
    @Test(arguments: [
        ("weight_g", "weight_v"), ("parametrizations.weight.original0", "parametrizations.weight.original1"),
    ])
    func merges(magnitude: String, direction: String) throws {
        let source = MemorySource([
            "conv.\(magnitude)": ([2, 1, 1], [10, 0.5]),
            "conv.\(direction)": ([2, 1, 2], [3, 4, 0, -2]),
            "conv.bias": ([2], [1, 2]),
        ])
        let merged = try MergedWeightNorm(source)
        #expect(merged.tensors.keys.sorted() == ["conv.bias", "conv.weight"])
        #expect(merged.tensors["conv.weight"]?.shape == [2, 1, 2])
        let tensor = try merged.open("conv.weight")
        var values = [Float](repeating: 0, count: 3)
        try values.withUnsafeMutableBufferPointer { try tensor.read(1..<4, into: $0) }
        #expect(values == [8, 0, -0.5])
    }

    @Test func keepsZeroRowsZero() throws {
        let merged = try MergedWeightNorm(
            MemorySource(["a.weight_g": ([1, 1], [2]), "a.weight_v": ([1, 2], [0, 0])]))
        var values: [Float] = [1, 1]
        try values.withUnsafeMutableBufferPointer { try merged.open("a.weight").read(0..<2, into: $0) }
        #expect(values == [0, 0])
    }

    @Test func leavesHalvesAlone() throws {
        let merged = try MergedWeightNorm(MemorySource(["a.weight_v": ([1, 2], [0, 0])]))
        #expect(Array(merged.tensors.keys) == ["a.weight_v"])
    }

    @Test func refusesOtherNorms() throws {
        // Over the last axis, as `dim=2` writes it.
        #expect(throws: CheckpointError.self) {
            _ = try MergedWeightNorm(MemorySource(shapes: ["a.weight_g": [1, 1, 3], "a.weight_v": [2, 2, 3]]))
        }
        #expect(throws: CheckpointError.self) {
            _ = try MergedWeightNorm(
                MemorySource(shapes: ["a.weight": [2, 3], "a.weight_g": [2, 1], "a.weight_v": [2, 3]]))
        }
        #expect(throws: CheckpointError.self) {
            _ = try MergedWeightNorm(MemorySource(["a.weight_g": ([0], []), "a.weight_v": ([0, 9], [])]))
        }
    }
}
