import Foundation
import TestSupport
import Testing

/// The folders that diffusers' own scripts make of the authors' files.
struct FolderFixture {
    struct Component {
        let library: String
        let className: String
        let config: [String: Any]
        let tensors: [String: Place]
    }

    /// Where a tensor comes from.
    struct Place {
        /// In the authors' file.
        let key: String
        let row: Int
        /// Nil for published models.
        let shape: [Int]?
    }

    let name: String
    let components: [String: Component]

    /// - Parameter kind: "small" or "published".
    init(_ name: String, _ kind: String = "small") throws {
        self.name = name
        let root = try JSONSerialization.jsonObject(with: AuthorsFixture.contents(of: "folders.json.zst"))
        let models = try #require((root as? [String: Any])?[kind] as? [String: [String: [String: Any]]])
        components = try #require(models[name]).mapValues { fields in
            Component(
                library: fields["library"] as? String ?? "", className: fields["className"] as? String ?? "",
                config: fields["config"] as? [String: Any] ?? [:],
                tensors: try #require(fields["tensors"] as? [String: [Any]]).mapValues { place in
                    Place(
                        key: try #require(place[0] as? String), row: try #require(place[1] as? Int),
                        shape: place.count > 2 ? place[2] as? [Int] : nil)
                })
        }
    }

    var isSpeech: Bool { name.contains("-speech-") }

    /// Tokenizers that fit the model, by component.
    var tokenizers: [(component: String, folder: String)] {
        let source = CheckpointFixture(isSpeech ? "tiny-tts" : "tiny").path
        let names = isAudioLDM1 ? ["tokenizer"] : ["tokenizer", "tokenizer_2"]
        return names.map { ($0, "\(source)/\($0)") }
    }

    private var isAudioLDM1: Bool { name.hasPrefix("audioldm-") || name.contains("48k") }

    private var pipeline: String {
        isAudioLDM1
            ? "AudioLDMPipeline" : name.contains("t5") ? "LatentDiffusion (FLAN-T5)" : "AudioLDM2Pipeline"
    }

    /// Writes the folder with the authors' numbers.
    func write(to folder: TemporaryFolder) throws -> String {
        let path = folder.file("folder-\(name)")
        let numbers = try AuthorsFixture(name)
        var index: [String: Any] = ["_class_name": pipeline, "scheduler": ["diffusers", "DDIMScheduler"]]
        for (name, component) in components {
            index[name] = [component.library, component.className]
            try write(component.config, to: "\(path)/\(name)/config.json")
            var file = SafetensorsBuilder()
            for (key, place) in component.tensors.sorted(by: { $0.key < $1.key }) {
                let shape = try #require(place.shape)
                file.add(
                    key, shape, try numbers.numbers(place.key, from: place.row, count: shape.reduce(1, *)))
            }
            let isDiffusers = component.library == "diffusers"
            try Data(file.encoded()).write(
                to: URL(
                    fileURLWithPath: "\(path)/\(name)/\(isDiffusers ? "diffusion_pytorch_model" : "model").safetensors")
            )
        }
        let manager = FileManager.default
        for (name, source) in tokenizers {
            index[name] = [
                "transformers", name == "tokenizer" ? "RobertaTokenizer" : isSpeech ? "VitsTokenizer" : "T5Tokenizer",
            ]
            try manager.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: source)
        }
        try manager.createSymbolicLink(
            atPath: "\(path)/scheduler", withDestinationPath: "\(CheckpointFixture("tiny").path)/scheduler")
        try write(index, to: "\(path)/model_index.json")
        return path
    }

    private func write(_ object: [String: Any], to path: String) throws {
        let url = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try JSONSerialization.data(withJSONObject: object).write(to: url)
    }
}
