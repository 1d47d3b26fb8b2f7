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

    @Test func partsOfAnotherLengthAreNamed() {
        let source = MemorySource([
            "n.running_mean": ([2], [1, 2]), "n.running_var": ([3], [1, 1, 1]), "n.weight": ([2], [1, 1]),
            "n.bias": ([2], [0, 0]),
        ])
        let error = #expect(throws: CheckpointError.self) { try FoldedBatchNorm(source) }
        #expect(error?.description.contains("n.running_mean") == true)
    }
}
