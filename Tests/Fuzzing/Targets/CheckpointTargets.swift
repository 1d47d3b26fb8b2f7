import AudioLDM2Converter
import AudioLDM2Diagnostics
import Checkpoints
import Tensors
import TestSupport

/// Checkpoints and other files of tensors.
extension FuzzTarget {
    static let checkpoints = [
        FuzzTarget("safetensors", "a safetensors file and all of its tensors", dictionary: "safetensors") { input in
            let file = try SafetensorsFile(path: input.file(), name: "input")
            for (key, header) in file.tensors {
                input.declare(4 * header.shape.count)
                try input.attempt { _ = try file.values(key) }
            }
        },
        FuzzTarget("torch", "a file of PyTorch: zip, or the older row of pickles", longest: 8192, dictionary: "pickle")
        {
            try readTorch($0, $0.bytes)
        },
        FuzzTarget("pickle", "the pickle of PyTorch's zip files, and views of two storages", dictionary: "pickle") {
            try readTorch($0, TorchArchive.encoded(pickle: $0.bytes))
        },
        FuzzTarget("checkpoint", "a folder in the diffusers layout, or of one network", dictionary: "config") { input in
            try readCheckpoint(input, input.folder(input.sections))
        },
        FuzzTarget(
            "checkpoint-file", "a file of the authors' models or of a judge", longest: 8192, dictionary: "authors"
        ) { input in
            try readCheckpoint(input, input.file())
        },
        FuzzTarget("adapter", "a LoRA, and its products with weights", dictionary: "adapter") { input in
            let sections = input.sections
            let path =
                sections.contains { $0.name == "adapter_model.safetensors" }
                ? try input.folder(sections) : try input.file()
            let adapter = try LowRankAdapter(path: path)
            for (component, modelName, base) in SampleSource.components {
                try input.attempt {
                    let adapted = try AdaptedComponents([adapter], [(component, base)])
                        .applied(to: base, of: component, modelName: modelName)
                    for key in base.tensors.keys { _ = try adapted.open(key).readAll() }
                }
            }
        },
        FuzzTarget("yaml", "a training configuration", longest: 2048, dictionary: "yaml") { input in
            let text = String(decoding: input.bytes, as: UTF8.self)
            try input.attempt { _ = try YAMLReader.read(text, file: "input").first("none") }
            var settings = AuthorsSettings()
            try settings.read(configuration: input.file())
        },
        FuzzTarget("golden", "recorded tensors to verify a model by", dictionary: "safetensors") { input in
            let file = try GoldenFile(input.file())
            for name in file.names {
                try input.attempt {
                    input.declare(8 * (try file.values(name)).values.count)
                    _ = try file.latents(name, on: HostBackend())
                }
            }
        },
    ]

    /// Elements that are read of a file, whose views may repeat what is stored.
    private static let mostElements = 1 << 20

    private static func readTorch(_ input: FuzzInput, _ bytes: [UInt8]) throws {
        let file = try TorchFile(path: input.file(bytes), name: "input")
        var elements = 0
        for (key, header) in file.tensors.sorted(by: { $0.key < $1.key }) {
            elements += min(header.shape.count, mostElements)
            guard elements < mostElements else { break }
            input.declare(16 * header.shape.count)
            try input.attempt { _ = try file.values(key) }
        }
    }

    private static func readCheckpoint(_ input: FuzzInput, _ path: String) throws {
        let checkpoint = try CheckpointInput(path: path).open()
        try input.attempt { _ = try CheckpointDescription(checkpoint) }
        try input.attempt { _ = try checkpoint.license() }
        for name in checkpoint.components.keys.sorted() {
            try input.attempt { _ = try checkpoint.config("\(name)/config.json") }
            try input.attempt {
                let source = try checkpoint.weights(of: name)
                for (key, header) in source.tensors where header.shape.count < mostElements {
                    input.declare(8 * header.shape.count)
                    try input.attempt { _ = try source.open(key).readAll() }
                }
            }
        }
        var options = ConversionOptions(weights: .int8, compression: .none, threads: 1)
        options.calibration = nil
        let converter = try CheckpointConverter(checkpoint, options)
        _ = try converter.convert(to: Scratch.shared.path + "/output.aldm")
    }
}

/// Weights for adapters to change.
private struct SampleSource: CheckpointSource {
    let name = "sample"
    let tensors: [String: TensorHeader]

    static let components: [(name: String, modelName: String, source: SampleSource)] = [
        (
            "unet", "AudioLDM2UNet2DConditionModel",
            SampleSource(["mid.to_q.weight": [4, 4], "mid.to_out.0.weight": [4, 4], "conv1.weight": [2, 3, 1, 1]])
        ),
        ("language_model", "GPT2Model", SampleSource(["transformer.h.0.attn.c_attn.weight": [4, 12]])),
    ]

    private init(_ shapes: [String: Shape]) {
        tensors = shapes.mapValues { TensorHeader(type: .float32, shape: $0) }
    }

    func open(_ key: String) throws -> any SourceTensor {
        guard let header = tensors[key] else { throw CheckpointError.noSuchTensor(file: name, tensor: key) }
        return SampleTensor(key: key, shape: header.shape)
    }
}

private struct SampleTensor: SourceTensor {
    let key: String
    let shape: Shape

    var location: String { key }

    func read(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<Float>) {
        for (place, index) in zip(buffer.indices, range) { buffer[place] = Float(index) }
    }
}
