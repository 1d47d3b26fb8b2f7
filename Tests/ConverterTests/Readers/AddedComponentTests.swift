import AudioLDM2Converter
import Checkpoints
import Foundation
import TestSupport
import Testing
import Tokenizers
import WeightFile

/// Components that are given by themselves, in place of a checkpoint's own.
@Suite struct AddedComponentTests {
    private let folder: TemporaryFolder
    private let checkpoint = CheckpointFixture("tiny").path

    init() throws { folder = try TemporaryFolder() }

    private func convert(adding additions: [(component: String, folder: String)]) throws -> Pack {
        var input = CheckpointInput(path: checkpoint)
        input.additions = additions
        let output = folder.file("model.aldm")
        _ = try CheckpointConverter(input.open(), ConversionOptions(weights: .float16)).convert(to: output)
        return try Pack(opening: output)
    }

    @Test(arguments: [
        nil, #"{"model_max_length": 512}"#, #"{"model_max_length": 512, "tokenizer_class": "TokenizersBackend"}"#,
    ])
    func aTokenizerFolderThatNamesNoClass(config: String?) throws {
        let source = "\(checkpoint)/tokenizer"
        let tokenizer = folder.file("roberta-base")
        try FileManager.default.createDirectory(atPath: tokenizer, withIntermediateDirectories: true)
        for file in ["vocab.json", "merges.txt"] {
            try FileManager.default.copyItem(atPath: "\(source)/\(file)", toPath: "\(tokenizer)/\(file)")
        }
        if let config { try folder.write(config, to: "roberta-base/tokenizer_config.json") }
        let added = try TokenizerDefinition(decoding: convert(adding: [("tokenizer", tokenizer)]).blob("tokenizer"))
        let own = try TokenizerReader.read(folder: URL(fileURLWithPath: source), kind: .roberta)
        let text = "heavy rain and thunder"
        #expect(try makeTokenizer(added).encode(text).ids == makeTokenizer(own).encode(text).ids)
        #expect(added.maxLength == (config == nil ? nil : 512))
        let error = #expect(throws: CheckpointError.self) { try convert(adding: [("tokenizer_2", tokenizer)]) }
        #expect("\(try #require(error))".contains("is 'RobertaTokenizer', which cannot be the 'tokenizer_2'"))
    }

    /// What the scheduler of most sounds cannot run is said when the pack is made; what none can, is refused.
    @Test func aSchedulerThatTheDefaultCannotRun() throws {
        func summary(_ options: String) throws -> ConversionSummary {
            try folder.write(
                #"{"_class_name": "DDIMScheduler", "beta_schedule": "scaled_linear", "beta_start": 0.0015, "beta_end": 0.0195, "#
                    + options + "}", to: "solver/scheduler_config.json")
            var input = CheckpointInput(path: checkpoint)
            input.additions = [("scheduler", folder.file("solver"))]
            return try CheckpointConverter(input.open(), ConversionOptions(weights: .float16))
                .convert(to: folder.file("noted.aldm"))
        }
        #expect(try summary(#""num_train_timesteps": 1000"#).missing.isEmpty)
        // Other solvers' options are no matter where levels are chosen.
        #expect(try summary(#""algorithm_type": "dpmsolver""#).missing.isEmpty)
        for option in [#""algorithm_type": "dpmsolver""#, #""use_lu_lambdas": true"#] {
            let options = option + #", "rescale_betas_zero_snr": true"#
            let missing = try summary(options).missing
            #expect(
                missing.count == 1 && missing[0].contains("choose with --scheduler: ") && missing[0].contains("euler"),
                "\(options): \(missing)")
        }
    }

    /// As transformers 5 saves it.
    @Test func anIndexThatNamesAGeneralClass() throws {
        let copy = try CheckpointFixture("tiny").copy(
            to: folder, changed: ["model_index.json", "tokenizer/tokenizer_config.json"])
        try copy.replace("RobertaTokenizer", by: "TokenizersBackend", in: "model_index.json")
        try copy.replace("RobertaTokenizer", by: "TokenizersBackend", in: "tokenizer/tokenizer_config.json")
        let output = folder.file("model.aldm")
        _ = try copy.convert(ConversionOptions(), to: output)
        let read = try TokenizerDefinition(decoding: Pack(opening: output).blob("tokenizer"))
        #expect(
            try read == TokenizerReader.read(folder: URL(fileURLWithPath: "\(checkpoint)/tokenizer"), kind: .roberta))
    }

    /// flan-t5's own folder holds what writes text, too.
    @Test func aWholeT5IsTakenForItsEncoder() throws {
        let copy = try CheckpointFixture("tiny").copy(to: folder, changed: ["text_encoder_2/config.json"])
        try copy.replace("T5EncoderModel", by: "T5ForConditionalGeneration", in: "text_encoder_2/config.json")
        let source = try DiffusersFolder(path: checkpoint).weights(of: "text_encoder_2")
        var builder = SafetensorsBuilder()
        for (key, header) in source.tensors.sorted(by: { $0.key < $1.key }) {
            builder.add(key, header.shape.extents, try source.open(key).readAll())
        }
        builder.add("lm_head.weight", [1], [1])
        builder.add("decoder.final_layer_norm.weight", [1], [1])
        let path = "\(copy.path)/text_encoder_2"
        try FileManager.default.removeItem(atPath: "\(path)/model.safetensors")
        try folder.write(builder.encoded(), to: "checkpoint/text_encoder_2/model.safetensors")
        let whole = try convert(adding: [("text_encoder_2", path)])
        let own = try convert(adding: [])
        #expect(try whole.requiredComponent("text_encoder_2").className == "T5EncoderModel")
        #expect(
            try whole.requiredComponent("text_encoder_2").tensors.map(\.name)
                == own.requiredComponent("text_encoder_2").tensors.map(\.name))
    }

    /// What does not fit is refused before there is a file.
    @Test(arguments: [
        ("unet", "audioldm1-tiny-48k", "unet/config.json: 'in_channels' is 16, but the vae of this model has 8"),
        ("vae", "audioldm1-tiny-48k", "unet/config.json: 'in_channels' is 8, but the vae of this model has 16"),
        ("text_encoder_2", "tiny-tts", "projection_model/config.json: 'text_encoder_1_dim' is"),
        ("tokenizer_2", "tiny-tts", "'model_type' is t5, but the tokenizer_2 of this model has the ids of vits"),
    ])
    func partsOfAnotherModelAreRefused(component: String, other: String, message: String) throws {
        let error = #expect(throws: (any Error).self) {
            try convert(adding: [(component, CheckpointFixture(other).path)])
        }
        #expect("\(try #require(error))".contains(message), "\(error!)")
        #expect(try folder.contents().isEmpty)
    }

    @Test(arguments: [
        (
            component: "tokenizer", files: ["vocab.json", "merges.txt", "tokenizer_config.json"],
            encoder: "text_encoder"
        ),
        (component: "tokenizer_2", files: ["tokenizer.json", "tokenizer_config.json"], encoder: "text_encoder_2"),
    ])
    func moreIDsThanTheEmbeddingHasRows(component: String, files: [String], encoder: String) throws {
        let copy = try CheckpointFixture("tiny").copy(to: folder, changed: files.map { "\(component)/\($0)" })
        let extra = (0..<1000).map { #""<one more \#($0)>""# }.joined(separator: ", ")
        let file = "\(component)/tokenizer_config.json"
        if component == "tokenizer" {
            try copy.replace("{\n", by: #"{"additional_special_tokens": [\#(extra)],"# + "\n", in: file)
        } else {
            try copy.replace(#""extra_special_tokens": ["#, by: #""extra_special_tokens": [\#(extra),"#, in: file)
        }
        let error = #expect(throws: (any Error).self) {
            try copy.convert(ConversionOptions(), to: folder.file("model.aldm"))
        }
        let message = "\(try #require(error))"
        #expect(message.contains("\(encoder)/config.json: 'vocab_size' is"), "\(message)")
        #expect(message.contains("but the \(component) of this model has ids up to"))
        #expect(try folder.contents() == ["checkpoint"])
    }

    /// The authors' code has its lengths in it.
    @Test func theAuthorsFilesReadAsManyTokensAsTheirCode() throws {
        let files = AuthorsFixture.names.filter { !$0.contains("speech") && !$0.contains("-m-") && !$0.contains("-l-") }
        for name in files {
            let fixture = try FolderFixture(name)
            var input = CheckpointInput(path: try folder.write(AuthorsFixture(name).encoded(), to: "\(name).pth"))
            for (component, source) in fixture.tokenizers {
                // As flan-t5's own folder says, and one that is less than CLAP reads.
                let copy = folder.file("\(name)-\(component)")
                try FileManager.default.copyItem(atPath: source, toPath: copy)
                let config = try String(contentsOfFile: "\(copy)/tokenizer_config.json", encoding: .utf8)
                try folder.write(
                    config.replacing(
                        /"model_max_length": \d+/, with: "\"model_max_length\": \(component == "tokenizer" ? 77 : 512)"),
                    to: "\(name)-\(component)/tokenizer_config.json")
                input.additions.append((component, copy))
            }
            let output = folder.file("\(name).aldm")
            _ = try CheckpointConverter(input.open(), ConversionOptions(weights: .float16)).convert(to: output)
            let pack = try Pack(opening: output)
            for (component, length) in [("tokenizer", 512), ("tokenizer_2", 128)]
            where pack.blobs.map(\.name).contains(component) {
                #expect(
                    try TokenizerDefinition(decoding: pack.blob(component)).maxLength == length, "\(name) \(component)")
            }
        }
        // A folder of diffusers' is read as diffusers reads it.
        let copy = folder.file("t5")
        try FileManager.default.copyItem(atPath: "\(checkpoint)/tokenizer_2", toPath: copy)
        let config = try String(contentsOfFile: "\(copy)/tokenizer_config.json", encoding: .utf8)
        try folder.write(
            config.replacing("\"model_max_length\": 128", with: "\"model_max_length\": 512"),
            to: "t5/tokenizer_config.json")
        #expect(
            try TokenizerDefinition(decoding: convert(adding: [("tokenizer_2", copy)]).blob("tokenizer_2")).maxLength
                == 512)
    }

    @Test func aSchedulerByItself() throws {
        try folder.write(
            #"{"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity, "beta_start": 0.25}"#,
            to: "solver/scheduler_config.json")
        let pack = try convert(adding: [("scheduler", folder.file("solver"))])
        #expect(
            String(decoding: try pack.blob("scheduler"), as: UTF8.self)
                == #"{"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": "-Infinity", "beta_start": 0.25}"#
        )
    }

    @Test(arguments: ["FlowMatchEulerDiscreteScheduler", "LCMScheduler", "TCDScheduler", "EDMEulerScheduler"])
    func schedulersOfOtherProcessesAreRefused(name: String) throws {
        try folder.write(#"{"_class_name": "\#(name)"}"#, to: "solver/scheduler_config.json")
        let error = #expect(throws: (any Error).self) { try convert(adding: [("scheduler", folder.file("solver"))]) }
        #expect(
            "\(try #require(error))".contains(
                "scheduler config: _class_name is \(name), and models made for it are not"))
    }
}
