import AudioLDM2Converter
import Checkpoints
import TestSupport
import Testing

@Suite struct DiffusersFolderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func open(_ index: String) throws -> DiffusersFolder {
        try folder.write(index, to: "model_index.json")
        return try DiffusersFolder(path: folder.path)
    }

    private static let index = """
        {"_class_name": "AudioLDM2Pipeline", "_diffusers_version": "0.42.1", "unet": ["audioldm2", "UNet"],
         "vae": ["diffusers", "AutoencoderKL"], "safety_checker": [null, null], "requires_safety_checker": false}
        """

    @Test func readsTheIndex() throws {
        let checkpoint = try open(Self.index)
        #expect(checkpoint.pipelineClass == "AudioLDM2Pipeline")
        #expect(checkpoint.savedWith == "0.42.1")
        #expect(checkpoint.components.keys.sorted() == ["unet", "vae"])
        #expect(try checkpoint.component("unet").className == "UNet")
        #expect(throws: CheckpointError.self) { _ = try checkpoint.component("vocoder") }
        #expect(folder.path.hasSuffix("/" + checkpoint.name))
    }

    @Test func readsFiles() throws {
        let checkpoint = try open(Self.index)
        try folder.write("{\"a\": 1}\n", to: "unet/config.json")
        try folder.write("[1]", to: "vae/config.json")
        #expect(try checkpoint.config("unet/config.json") == Array("{\"a\": 1}\n".utf8))
        #expect(throws: CheckpointError.malformed(file: "vae/config.json", reason: "is not a JSON object")) {
            _ = try checkpoint.config("vae/config.json")
        }
        #expect(throws: CheckpointError.missing(path: "x/config.json", remedy: "the checkpoint folder is incomplete")) {
            _ = try checkpoint.config("x/config.json")
        }
    }

    @Test func findsWeightsUnderEitherName() throws {
        let checkpoint = try open(Self.index)
        var builder = SafetensorsBuilder()
        builder.add("w", [1], [1])
        try folder.write(builder.encoded(), to: "unet/diffusion_pytorch_model.safetensors")
        try folder.write(builder.encoded(), to: "clap/model.safetensors")
        try folder.write(builder.encoded(), to: "t5/model-00001-of-00001.safetensors")
        try folder.write(
            "{\"weight_map\":{\"w\":\"model-00001-of-00001.safetensors\"}}", to: "t5/model.safetensors.index.json")
        #expect(try checkpoint.weights(of: "unet").name == "unet/diffusion_pytorch_model.safetensors")
        #expect(try checkpoint.weights(of: "clap").name == "clap/model.safetensors")
        #expect(try checkpoint.weights(of: "t5").name == "t5/model.safetensors.index.json")
        let error = try #require(throws: CheckpointError.self) { _ = try checkpoint.weights(of: "vae") }
        #expect(error.description.contains("vae/model.safetensors"))
        #expect(error.description.contains("or either as .bin"))
    }

    /// Safetensors before pickles, full precision before half.
    @Test func findsOtherForms() throws {
        let checkpoint = try open(Self.index)
        var builder = SafetensorsBuilder()
        builder.add("w", [2, 2], [1, 2, 3, 4])
        let pickled = ZipBuilder.checkpoint(PickleBuilder.dictionary { $0.tensor() }).encoded()
        for (file, bytes) in [
            ("diffusion_pytorch_model.fp16.bin", pickled), ("pytorch_model.bin", pickled),
            ("model.fp16.safetensors", builder.encoded()), ("diffusion_pytorch_model.safetensors", builder.encoded()),
        ] {
            try folder.write(bytes, to: "unet/\(file)")
            let source = try checkpoint.weights(of: "unet")
            #expect(source.name == "unet/\(file)")
            #expect(try source.open("w").readAll() == [1, 2, 3, 4])
        }
        try folder.write(pickled, to: "vae/pytorch_model-00001-of-00001.bin")
        try folder.write(
            "{\"weight_map\":{\"w\":\"pytorch_model-00001-of-00001.bin\"}}", to: "vae/pytorch_model.bin.index.json")
        #expect(try checkpoint.weights(of: "vae").open("w").readAll() == [1, 2, 3, 4])
    }

    @Test(arguments: [
        ("not json", "is not a JSON object"), ("{}", "_class_name"),
        ("{\"_class_name\":\"P\",\"unet\":[\"a\"]}", "'unet'"),
        ("{\"_class_name\":\"P\",\"../x\":[\"a\",\"b\"]}", "'../x'"),
        ("{\"_class_name\":\"P\",\"unet\":[1,2]}", "'unet'"),
    ])
    func refusesWrongIndexes(index: String, reason: String) throws {
        let error = try #require(throws: CheckpointError.self) { _ = try open(index) }
        #expect(error.description.contains("model_index.json") && error.description.contains(reason), "\(error)")
    }

    @Test func refusesOtherFolders() throws {
        let error = try #require(throws: CheckpointError.self) { _ = try DiffusersFolder(path: folder.path) }
        #expect(error.description.contains("model_index.json is missing; give the folder"))
    }
}
