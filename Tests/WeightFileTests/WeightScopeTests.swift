import Tensors
import Testing
import WeightFile

@Suite struct WeightScopeTests {
    @Test func layersAreRecordedInTheOrderAsked() throws {
        let recorder = RecordingSource()
        let root = WeightScope(recorder)
        let block = root["down_blocks"][0]["resnets"][1]
        _ = try root.convolution("conv_in.weight", outputs: 4, kernelHeight: 3, kernelWidth: 1, inputs: 8)
        _ = try block["norm"].vector("weight", 8)
        _ = try block.preferring(.weightOnly)["proj"].matrix("weight", outputs: 2, inputs: 8)
        _ = try block.preferring(.float).transposedConvolution("up", outputs: 2, kernel: 4, stride: 2, inputs: 8)
        _ = try block["norm"].vector("weight", 8)
        _ = try root.preferring(.full).table("embedding", rows: 5, width: 3)
        #expect(
            recorder.requirements == [
                WeightRequirement(
                    path: "conv_in.weight",
                    role: .convolution(outputs: 4, kernelHeight: 3, kernelWidth: 1, inputs: 8), precision: .quantized),
                WeightRequirement(
                    path: "down_blocks.0.resnets.1.norm.weight", role: .vector(count: 8), precision: .full),
                WeightRequirement(
                    path: "down_blocks.0.resnets.1.proj.weight", role: .matrix(outputs: 2, inputs: 8),
                    precision: .weightOnly),
                WeightRequirement(
                    path: "down_blocks.0.resnets.1.up",
                    role: .transposedConvolution(outputs: 2, kernel: 4, stride: 2, inputs: 8), precision: .float),
                WeightRequirement(path: "embedding", role: .table(rows: 5, width: 3), precision: .full),
            ])
    }

    @Test func placeholdersKnowTheirRole() throws {
        let weight = try WeightScope(RecordingSource(), path: "a", precision: .float).matrix("b", outputs: 3, inputs: 4)
        #expect(weight.description.role == .matrix(outputs: 3, inputs: 4))
    }

    @Test func onePathInTwoWaysIsAnError() throws {
        let scope = WeightScope(RecordingSource())["emb"]
        _ = try scope.matrix("weight", outputs: 3, inputs: 4)
        #expect(
            throws: PackError.conflictingRequirements(
                tensor: "emb.weight", first: "matrix [3, 4], quantized", second: "table [3, 4], quantized")
        ) { try scope.table("weight", rows: 3, width: 4) }
        #expect(throws: PackError.self) { try scope.preferring(.float).matrix("weight", outputs: 3, inputs: 4) }
    }

    @Test func impossibleConfigurationsAreErrors() {
        let scope = WeightScope(RecordingSource())["up"]
        #expect(throws: PackError.impossibleRequirement(tensor: "up.bias", reason: "extents [-3]")) {
            try scope.vector("bias", -3)
        }
        #expect(throws: PackError.self) { try scope.matrix("weight", outputs: .max, inputs: .max) }
        #expect(throws: PackError.self) {
            try scope.transposedConvolution("weight", outputs: 1, kernel: 1, stride: 0, inputs: 1)
        }
    }
}
