import AudioLDM2
import Checkpoints
import Foundation

/// A checkpoint of which some components come from other folders.
package struct AssembledCheckpoint: Checkpoint {
    package let components: [String: CheckpointComponent]
    let base: any Checkpoint
    /// Folders by component.
    private let folders: [String: String]

    /// - Parameters:
    ///   - folders: for each component its own folder, or a checkpoint's that has it.
    /// - Throws: `CheckpointError` if a folder does not say what it holds.
    package init(_ base: any Checkpoint, adding folders: [(component: String, folder: String)]) throws {
        self.base = base
        var components = base.components
        var places: [String: String] = [:]
        for (name, folder) in folders {
            guard CheckpointLayout.knownNames.contains(name) else {
                throw CheckpointError.missing(
                    path: "a component called \(name.quoted)",
                    remedy: "choose one of \(CheckpointLayout.knownNames.sorted().joined(separator: ", "))")
            }
            if FileManager.default.fileExists(atPath: "\(folder)/model_index.json") {
                let checkpoint = try DiffusersFolder(path: folder)
                components[name] = try checkpoint.component(name)
                places[name] = "\(folder)/\(name)"
            } else {
                components[name] = CheckpointComponent(
                    name: name, library: "folder", className: try Self.className(of: name, in: folder))
                places[name] = folder
            }
        }
        self.components = components
        self.folders = places
    }

    /// The class that a component's own files name.
    private static func className(of component: String, in folder: String) throws -> String {
        let added = CheckpointLayout.extras.first { $0.folder == component && $0.addedClassName != nil }
        if let className = added?.addedClassName { return className }
        let isTokenizer = component.hasPrefix("tokenizer")
        let file = isTokenizer ? "tokenizer_config.json" : "config.json"
        let name = "\(URL(fileURLWithPath: folder).lastPathComponent)/\(file)"
        let config = try JSONFile.object(try JSONFile.contents(path: "\(folder)/\(file)", name: name), file: name)
        let found =
            isTokenizer
            ? config["tokenizer_class"] as? String
            : config["_class_name"] as? String ?? (config["architectures"] as? [Any])?.first as? String
        guard let found else {
            throw CheckpointError.invalidField(
                file: name, field: isTokenizer ? "tokenizer_class" : "architectures", reason: "names no class")
        }
        guard let kinds = kinds[component], kinds.contains(where: found.hasPrefix) else {
            throw CheckpointError.invalidField(
                file: name, field: isTokenizer ? "tokenizer_class" : "architectures",
                reason: "is \(found.quoted), which cannot be the \(component.quoted); name another folder")
        }
        return found
    }

    /// How the names of the classes begin that can stand for a component.
    private static let kinds = [
        PartName.clap: ["Clap"], PartName.second: ["T5", "Vits"], PartName.languageModel: ["GPT2"],
        PartName.projection: ["AudioLDM2Projection"], PartName.unet: ["AudioLDM2UNet", "UNet2D"],
        PartName.vae: ["AutoencoderKL"], PartName.vocoder: ["SpeechT5HifiGan"],
        PartName.tokenizer: ["Roberta", "Clap"], PartName.tokenizer2: ["T5", "Vits"],
    ]

    package var name: String { base.name }
    package var pipelineClass: String { base.pipelineClass }
    package var savedWith: String? { base.savedWith }
    package var profile: GenerationProfile? { base.profile }
    package func defaults() throws -> ModelDefaults? { try base.defaults() }

    package func has(_ file: String) -> Bool {
        let parts = file.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2, let folder = folders[parts[0]] else { return base.has(file) }
        return FileManager.default.fileExists(atPath: "\(folder)/\(parts[1])")
    }

    package func config(_ file: String) throws -> [UInt8] {
        let parts = file.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2, let folder = folders[parts[0]] else { return try base.config(file) }
        let bytes = try JSONFile.contents(path: "\(folder)/\(parts[1])", name: file)
        _ = try JSONFile.object(bytes, file: file)
        return bytes
    }

    package func weights(of component: String) throws -> any CheckpointSource {
        guard let folder = folders[component] else { return try base.weights(of: component) }
        return try DiffusersFolder.weights(in: folder, name: component)
    }

    package func tokenizerFolder(_ component: String) -> String? {
        folders[component] ?? base.tokenizerFolder(component)
    }

    package func license() throws -> LicenseText? { try base.license() }
}
