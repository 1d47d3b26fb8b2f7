import AudioLDM2Converter
import Checkpoints
import Foundation
import TestSupport
import Testing

/// Which of a component's files are its weights.
@Suite struct WeightFilesTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Writes weights under these names and finds those that are read.
    private func found(_ files: [String]) throws -> String {
        var builder = SafetensorsBuilder()
        builder.add("w", [1], [1])
        try folder.write(#"{"_class_name": "AudioLDM2Pipeline"}"#, to: "model_index.json")
        try? FileManager.default.removeItem(atPath: folder.file("unet"))
        for file in files {
            let isIndex = file.contains(".index.")
            if isIndex { try folder.write(builder.encoded(), to: "unet/model-00001-of-00001.safetensors") }
            let index = Array(#"{"weight_map": {"w": "model-00001-of-00001.safetensors"}}"#.utf8)
            try folder.write(isIndex ? index : builder.encoded(), to: "unet/\(file)")
        }
        return try DiffusersFolder(path: folder.path).weights(of: "unet").name
    }

    @Test(arguments: [
        ["model.bf16.safetensors"], ["model.fp32.safetensors", "model.bf16.safetensors"],
        ["model.fp16.safetensors", "model.bf16.safetensors"], ["diffusion_pytorch_model.non_ema.safetensors"],
        ["diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.non_ema.safetensors"],
        ["diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.non_ema.safetensors"],
        ["pytorch_model.ema.bin"], ["model.my.own.safetensors"], ["model.safetensors.index.bf16.json"],
        ["model.safetensors.index.non_ema.json"], ["model.safetensors", "model.safetensors.index.json"],
        ["model.safetensors", "flax_model.msgpack", "model.onnx"],
    ])
    func aVariantIsTaken(files: [String]) throws { #expect(try found(files) == "unet/\(files[0])") }

    @Test(arguments: [
        (
            ["diffusion_pytorch_model.ema.safetensors", "diffusion_pytorch_model.non_ema.safetensors"],
            "there are only variants, diffusion_pytorch_model.ema.safetensors, diffusion_pytorch_model.non_ema.safetensors: "
                + "rename the one that is meant"
        ),
        (
            ["flax_model.msgpack", "tf_model.h5"],
            "there is only flax_model.msgpack, tf_model.h5, under names or in formats"
        ),
        (["model-00001-of-00002.safetensors"], "there is only model-00001-of-00002.safetensors"),
        (["weights.safetensors"], "there is only weights.safetensors"),
        (["config.json"], "copy or download the weights"),
    ])
    func othersAreNamed(files: [String], message: String) throws {
        let error = #expect(throws: CheckpointError.self) { try found(files) }
        #expect("\(try #require(error))".contains(message), "\(error!)")
    }

    /// A repository that was cloned without `git lfs`.
    @Test(arguments: [
        "unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors",
        "vocoder/model.safetensors", "text_encoder/model.safetensors", "tokenizer/tokenizer.json",
        "tokenizer/vocab.json", "tokenizer_2/spiece.model", "tokenizer_2/tokenizer.json", "unet/config.json",
        "model_index.json", "LICENSE",
    ])
    func aPointerIsNamed(file: String) throws {
        let copy = try CheckpointFixture("tiny").copy(to: folder)
        if file.hasSuffix("vocab.json") || file.hasSuffix("spiece.model") {
            try FileManager.default.removeItem(
                atPath: "\(copy.path)/\(file.split(separator: "/")[0])/tokenizer.json")
        }
        try? FileManager.default.removeItem(atPath: "\(copy.path)/\(file)")
        try folder.write(
            """
            version https://git-lfs.github.com/spec/v1
            oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
            size 1234567

            """, to: "checkpoint/\(file)")
        let error = #expect(throws: (any Error).self) {
            _ = try copy.convert(ConversionOptions(), to: folder.file("model.aldm"))
        }
        let message = "\(try #require(error))"
        #expect(message.contains("\(file): is a Git LFS pointer"), "\(message)")
        #expect(message.contains("git lfs pull") && !message.contains("damaged"))
    }

    @Test func aPointerInPlaceOfTheAuthorsFile() throws {
        let path = try folder.write(
            "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", to: "audioldm2-full.pth")
        #expect(throws: CheckpointError.pointer(file: "audioldm2-full.pth")) { try CheckpointInput(path: path).open() }
    }
}
