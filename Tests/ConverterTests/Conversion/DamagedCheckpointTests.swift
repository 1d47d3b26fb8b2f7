import AudioLDM2Converter
import Checkpoints
import Foundation
import TestSupport
import Testing

/// What the converter says about checkpoints that it cannot convert.
@Suite struct DamagedCheckpointTests {
    private let folder: TemporaryFolder
    private static let unet = "unet/diffusion_pytorch_model.safetensors"
    private static let vocoder = "vocoder/model.safetensors"

    init() throws { folder = try TemporaryFolder() }

    /// The message of converting a copy of the fixture after `change`, having made sure that nothing was written.
    private func message(changing files: [String], _ change: (CheckpointFixture) throws -> Void) throws -> String {
        let copy = try CheckpointFixture(CheckpointFixture.names[0]).copy(to: folder, changed: files)
        try change(copy)
        let error = try #require(throws: (any Error).self) {
            _ = try copy.convert(ConversionOptions(), to: folder.path + "/model.aldm")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["checkpoint"])
        return "\(error)"
    }

    private func message(replacing old: String, by new: String, in file: String) throws -> String {
        try message(changing: [file]) { try $0.replace(old, by: new, in: file) }
    }

    @Test func missingAndUnknownKeys() throws {
        #expect(
            try message(replacing: "\"conv_pre.bias\"", by: "\"conv_pra.bias\"", in: Self.vocoder)
                == "\(Self.vocoder): 1 tensor that the model needs missing: 'conv_pre.bias'; "
                + "1 tensor of no known use: 'conv_pra.bias'; "
                + "check that config.json and the weights are of one checkpoint")
    }

    @Test func anotherShapeThanTheConfigs() throws {
        #expect(
            try message(replacing: "\"model_in_dim\": 64", by: "\"model_in_dim\": 80", in: "vocoder/config.json")
                == "\(Self.vocoder): tensor 'conv_pre.weight' has shape [64, 64, 7], "
                + "but the model's config.json needs [64, 80, 7]")
    }

    @Test func unknownConfigValues() throws {
        let message = try message(replacing: "\"silu\"", by: "\"mish\"", in: "vae/config.json")
        #expect(message.contains("vae/config.json: 'act_fn' is mish"))
    }

    @Test func listsOfWordsThatCannotBeUsed() throws {
        for (text, reason) in [("{}", "key 'classes' is missing"), ("[1]", "is not a JSON object")] {
            let message = try message(changing: []) { _ in try folder.write(text, to: "checkpoint/vocabulary.json") }
            #expect(message.hasPrefix("vocabulary.json: \(reason)"))
            try FileManager.default.removeItem(atPath: folder.path + "/checkpoint")
        }
    }

    @Test func truncatedWeights() throws {
        let message = try message(changing: [Self.unet]) { copy in
            let handle = try #require(FileHandle(forWritingAtPath: "\(copy.path)/\(Self.unet)"))
            try handle.truncate(atOffset: 1_000_000)
        }
        #expect(message.hasPrefix("\(Self.unet): tensor '"))
        #expect(message.contains("should lie at bytes"))
    }

    @Test func numbersThatAreNone() throws {
        let message = try message(changing: [Self.vocoder]) { copy in
            // The first tensor, conv_post.bias, is float16: its only number becomes an infinity.
            let path = "\(copy.path)/\(Self.vocoder)"
            var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            let start = 8 + bytes.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
            bytes[start..<start + 2] = [0x00, 0x7C]
            try Data(bytes).write(to: URL(fileURLWithPath: path))
        }
        #expect(message.hasPrefix("\(Self.vocoder): tensor 'conv_post.bias': row 0 has a number that is infinite"))
    }

    @Test(arguments: [
        ("model_index.json", "model_index.json is missing; give the folder of a checkpoint"),
        ("unet/config.json", "unet/config.json is missing"), ("scheduler/scheduler_config.json", "is missing"),
        (vocoder, "vocoder/model.safetensors (or diffusion_pytorch_model.safetensors, or either as .bin) is missing"),
        ("tokenizer_2/spiece.model", nil),
    ])
    func missingFiles(file: String, expected: String?) throws {
        let copy = try CheckpointFixture(CheckpointFixture.names[0]).copy(to: folder)
        try FileManager.default.removeItem(atPath: "\(copy.path)/\(file)")
        let output = folder.path + "/model.aldm"
        guard let expected else {
            // Either form of a tokenizer is enough.
            _ = try copy.convert(ConversionOptions(), to: output)
            return
        }
        let error = try #require(throws: (any Error).self) { _ = try copy.convert(ConversionOptions(), to: output) }
        #expect("\(error)".contains(expected))
    }

    @Test(arguments: [
        ("AudioLDM2Pipeline", "MusicLDMPipeline", "'_class_name' is 'MusicLDMPipeline'; only AudioLDM2Pipeline"),
        (
            "T5EncoderModel", "MT5EncoderModel",
            "text_encoder_2: components of class 'MT5EncoderModel' are not supported"
        ),
        ("RobertaTokenizer", "BertTokenizer", "tokenizer: components of class 'BertTokenizer' are not supported"),
        ("\"vocoder\"", "\"vocoder2\"", "'vocoder2' is a component of no known use"),
    ])
    func otherPipelines(old: String, new: String, expected: String) throws {
        let message = try message(replacing: old, by: new, in: "model_index.json")
        #expect(message.contains(expected), "\(message)")
    }

    @Test func outputsThatCannotBeWritten() throws {
        let fixture = CheckpointFixture(CheckpointFixture.names[0])
        for (path, reason) in [(folder.path, "it is a folder"), (folder.path + "/absent/model.aldm", "No such file")] {
            let error = try #require(throws: (any Error).self) {
                _ = try fixture.convert(ConversionOptions(), to: path)
            }
            #expect("\(error)".contains(path) && "\(error)".contains(reason))
        }
    }
}
