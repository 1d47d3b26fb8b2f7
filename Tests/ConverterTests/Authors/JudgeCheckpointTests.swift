import AudioLDM2
import AudioLDM2Converter
import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

/// Published files of networks that judge. That they compute what they should is tested with the library.
@Suite struct JudgeCheckpointTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// VGGish's published shapes, and a hidden layer of another width.
    private func vggish(hidden: Int = 4096) -> [String: Shape] {
        var shapes: [String: Shape] = [:]
        for (place, inputs, outputs) in [
            (0, 1, 64), (3, 64, 128), (6, 128, 256), (8, 256, 256), (11, 256, 512), (13, 512, 512),
        ] {
            shapes["features.\(place).weight"] = [outputs, inputs, 3, 3]
            shapes["features.\(place).bias"] = [outputs]
        }
        for (place, inputs, outputs) in [(0, 12288, 4096), (2, hidden, 4096), (4, 4096, 128)] {
            shapes["embeddings.\(place).weight"] = [outputs, inputs]
            shapes["embeddings.\(place).bias"] = [outputs]
        }
        return shapes
    }

    private func open(_ shapes: [String: Shape]) throws -> JudgeCheckpoint? {
        try JudgeCheckpoint(ShapeSource(shapes, name: "judge.pth"), name: "judge.pth")
    }

    private func message(_ shapes: [String: Shape]) throws -> String {
        let checkpoint = try #require(try open(shapes))
        do {
            _ = try CheckpointConverter(checkpoint, ConversionOptions())
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test func readsSizesOffTheTensors() throws {
        let checkpoint = try #require(try open(vggish()))
        #expect(try message(vggish()).isEmpty)
        let config = try JSONSerialization.jsonObject(with: Data(checkpoint.config("vggish/config.json")))
        let values = try #require(config as? [String: Any])
        #expect(values["channels"] as? [Int] == [64, 128, 256, 256, 512, 512])
        #expect(values["hidden_size"] as? Int == 4096 && values["embedding_size"] as? Int == 128)
        let description = try CheckpointDescription(checkpoint)
        #expect(description.kind == "VGGish, which judges" && description.components.map(\.name) == ["vggish"])
        #expect(description.components[0].tensors == 18 && description.missing.isEmpty)
    }

    @Test func whatDoesNotFitIsNamed() throws {
        var shapes = vggish()
        shapes["features.6.bias"] = nil
        #expect(try message(shapes).contains("judge.pth (vggish): 1 tensor that the model needs missing"))
        #expect(try message(shapes).contains("'features.6.bias'"))
        shapes = vggish()
        shapes["pca"] = [4]
        #expect(try message(shapes).contains("of no known use: 'pca'"))
        #expect(try message(vggish(hidden: 17)).contains("embeddings.2.weight"))
        shapes = vggish()
        shapes["features.13.weight"] = [512]
        #expect(try message(shapes).contains("features.13.weight"))
        #expect(try open(["a": [3]]) == nil)
    }

    @Test func whatAFileDoesNotHaveIsRefused() throws {
        let path = Fixtures.folder("Judges").appendingPathComponent("vggish/vggish-10086976.pth").path
        var input = CheckpointInput(path: path)
        input.usesAverage = true
        let error = #expect(throws: CheckpointError.self) { try input.open() }
        #expect(error?.description.contains("VGGish") == true && error?.description.contains("--ema") == true)
        input = CheckpointInput(path: path)
        input.additions = [("vae", Fixtures.folder("Checkpoints").appendingPathComponent("tiny/vae").path)]
        #expect(throws: (any Error).self) { try CheckpointConverter(input.open(), ConversionOptions()) }
        var options = ConversionOptions()
        options.componentWeights = ["unet": .float16]
        #expect(throws: CheckpointError.self) { try CheckpointConverter(CheckpointInput(path: path).open(), options) }
        // A file of tensors that nobody knows.
        let foreign = folder.file("foreign.safetensors")
        try SafetensorsWriter.write([("conv.weight", [1], [1])], to: foreign)
        let refusal = #expect(throws: CheckpointError.self) { try CheckpointInput(path: foreign).open() }
        #expect(refusal?.description.contains("of a network that judges") == true)
    }

    /// Tensors without axes, and without elements, among those whose shares become tensors of their own.
    @Test(arguments: [[], [0], [0, 3], [3], [6, 2]] as [Shape]) func oddShapes(_ shape: Shape) throws {
        let prefix = "module.text_branch.embeddings"
        let shapes: [String: Shape] = [
            "\(prefix).word_embeddings.weight": [4, 2],
            "module.audio_branch.layers.0.blocks.0.attn.qkv.weight": shape,
        ]
        let weights = try #require(try open(shapes)).weights(of: PartName.clap)
        let keys = weights.tensors.keys.filter { $0.hasSuffix("query.weight") }
        #expect(keys.count == (shape.extents.first ?? 0 > 0 ? 1 : 0))
        #expect(try !message(shapes).isEmpty)
    }

    /// A vector of which a weight is made again and again: as often as a vocoder upsamples, and no more.
    @Test func copiesAreCounted() throws {
        func component(_ count: Int) throws -> MappedComponent {
            try MappedComponent(
                "SpeechT5HifiGan", weights: ["upsampler.0.bias": .vector(count: count)],
                source: ShapeSource(["upsampler.0.bias": [2]], name: "vocoder"))
        }
        #expect(try component(128).byteCount == 8)
        #expect(throws: MappingError.self) { try component(130) }
        #expect(throws: MappingError.self) { try component(1 << 31) }
    }
}
