import AudioLDM2Converter
import Checkpoints
import Tensors
import Testing

@Suite struct FoldedBatchNormTests {
    @Test func becomesAScaleAndAShift() throws {
        let source = MemorySource([
            "a.norm.running_mean": ([2], [1, -2]), "a.norm.running_var": ([2], [4, 0.25]),
            "a.norm.weight": ([2], [2, 3]), "a.norm.bias": ([2], [0.5, 0]), "a.other.weight": ([1], [7]),
        ])
        let folded = try FoldedBatchNorm(source)
        #expect(Set(folded.tensors.keys) == ["a.norm.weight", "a.norm.bias", "a.other.weight"])
        let (weight, bias) = (try folded.open("a.norm.weight").readAll(), try folded.open("a.norm.bias").readAll())
        #expect(zip(weight, [1, 6] as [Float]).allSatisfy { abs($0 - $1) < 1e-3 })
        #expect(zip(bias, [-0.5, 12] as [Float]).allSatisfy { abs($0 - $1) < 1e-3 })
        #expect(try folded.open("a.other.weight").readAll() == [7])
    }

    @Test func becomesAMeanAndADeviation() throws {
        let source = MemorySource([
            "n.running_mean": ([3], [1, -2, 5]), "n.running_var": ([3], [4, 0.25, 1]), "n.weight": ([3], [2, -3, 0]),
            "n.bias": ([3], [0.5, 0, 0.75]),
        ])
        let folded = try FoldedBatchNorm(source, as: .meanAndDeviation)
        #expect(Set(folded.tensors.keys) == ["n.mean", "n.deviation"])
        let (mean, deviation) = (try folded.open("n.mean").readAll(), try folded.open("n.deviation").readAll())
        // Also of a scale of nothing, whose result is the shift.
        for x in [-3, 0.5, 4] as [Float] {
            let found = zip(mean, deviation).map { (x - $0) / $1 }
            let expected = [(x - 1) / 2 * 2 + 0.5, (x + 2) / 0.5 * -3, 0.75]
            #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 2e-3 }, "\(found), \(expected)")
        }
    }

    @Test func becomesPartOfAConvolution() throws {
        let source = MemorySource([
            "a.conv1.weight": ([2, 1, 2], [1, 2, 3, 4]), "a.bn1.weight": ([2], [10, -1]), "a.bn1.bias": ([2], [5, 6]),
            "b.conv1.weight": ([1], [7]), "bn0.weight": ([1], [8]), "bn0.bias": ([1], [9]),
        ])
        let fused = try FusedBatchNorm(source, fusing: [("*.conv1", "*.bn1")])
        #expect(
            Set(fused.tensors.keys)
                == ["a.conv1.weight", "a.conv1.bias", "b.conv1.weight", "bn0.weight", "bn0.bias"])
        #expect(try fused.open("a.conv1.weight").readAll() == [10, 20, -3, -4])
        #expect(try fused.open("a.conv1.bias").readAll() == [5, 6])
        #expect(try fused.open("b.conv1.weight").readAll() == [7])
        // Any part of a tensor is scaled as its place in the whole says.
        var part = [Float](repeating: 0, count: 2)
        try part.withUnsafeMutableBufferPointer { try fused.open("a.conv1.weight").read(1..<3, into: $0) }
        #expect(part == [20, -3])
        let wrong = MemorySource([
            "a.conv1.weight": ([2, 1], [1, 2]), "a.bn1.weight": ([3], [1, 1, 1]), "a.bn1.bias": ([3], [0, 0, 0]),
        ])
        let error = #expect(throws: CheckpointError.self) {
            try FusedBatchNorm(wrong, fusing: [("*.conv1", "*.bn1")])
        }
        #expect(error?.description.contains("a.bn1.weight") == true)
    }

    @Test func partsOfAnotherLengthAreNamed() {
        let source = MemorySource([
            "n.running_mean": ([2], [1, 2]), "n.running_var": ([3], [1, 1, 1]), "n.weight": ([2], [1, 1]),
            "n.bias": ([2], [0, 0]),
        ])
        let error = #expect(throws: CheckpointError.self) { try FoldedBatchNorm(source) }
        #expect(error?.description.contains("n.running_mean") == true)
    }
}
