import AudioLDM2
import Checkpoints
import Files
import FoundationEssentials
import Tokenizers

/// A folder of one network, as transformers saves it: its `config.json`, its weights and what goes with it side by side.
package struct NetworkFolder: Checkpoint {
    package let name: String
    private let path: String
    /// The network's own: `ClapModel`.
    package let pipelineClass: String
    package let savedWith: String? = nil
    package let components: [String: CheckpointComponent]

    /// Whether a folder is one: it has no index of a pipeline.
    static func isOne(_ path: String) -> Bool {
        FileName.exists("\(path)/config.json") && !FileName.exists("\(path)/model_index.json")
    }

    /// - Throws: `CheckpointError` if the folder does not name a class that can stand by itself.
    package init(path: String) throws {
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        name = URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
        let file = "\(self.path)/config.json"
        let config = try JSONFile.object(path: file, name: file)
        let named = config["architectures"]?.array?.first?.string
        guard let className = named, let part = Self.parts[className] else {
            throw CheckpointError.invalidField(
                file: file, field: "architectures",
                reason:
                    "\(named.map { "is " + $0.quoted } ?? "names no class"); a folder with model_index.json is a whole model, and of networks "
                    + "by themselves \(Self.parts.keys.sorted().joined(separator: ", ")) can be converted")
        }
        pipelineClass = className
        var components = [part: CheckpointComponent(name: part, library: "transformers", className: className)]
        if let tokenizer = PartName.tokenizers[part],
            Self.tokenizerFiles.contains(where: { FileName.exists("\(path)/\($0)") })
        {
            let kind = try TokenizerKind(folder: URL(fileURLWithPath: path))
            guard kind == .roberta else {
                throw CheckpointError.invalidField(
                    file: "\(self.path)/tokenizer_config.json", field: "tokenizer_class",
                    reason: "is \(kind.className.quoted), which CLAP cannot read; put RoBERTa's tokenizer there")
            }
            components[tokenizer] = CheckpointComponent(
                name: tokenizer, library: "transformers", className: kind.className)
        }
        self.components = components
    }

    /// Any of these means that there is a tokenizer.
    private static let tokenizerFiles = [
        "tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "spiece.model",
    ]

    /// Classes that stand by themselves, and what they are in a model file.
    static let parts = ["ClapModel": PartName.clap]

    /// What lies in a folder of its own in a whole model lies in the folder itself here.
    package func place(of file: String) -> String {
        "\(path)/\(file.split(separator: "/", maxSplits: 1).last ?? "")"
    }

    package func has(_ file: String) -> Bool {
        let parts = file.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2, components[parts[0]] != nil || parts[0] == PartName.features else { return false }
        return FileName.exists(place(of: file))
    }

    package func config(_ file: String) throws -> [UInt8] {
        try JSONFile.config(path: place(of: file), name: place(of: file))
    }

    package func weights(of component: String) throws -> any CheckpointSource {
        try WeightFiles(folder: path, name: path).open()
    }

    package func tokenizerFolder(_ component: String) -> String? { path }

    package func license() throws -> LicenseText? { nil }
}
