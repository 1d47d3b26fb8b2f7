import AudioLDM2
import Checkpoints
import Files
import Foundation
import Tokenizers

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
            if FileName.exists("\(folder)/model_index.json") {
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
        if component.hasPrefix("tokenizer") {
            let found = try TokenizerKind(folder: URL(fileURLWithPath: folder)).className
            try require(found, canBe: component, file: folder, field: "the tokenizer's class")
            return found
        }
        let place = places[component] ?? (file: "config.json", field: "architectures")
        let file = "\(folder)/\(place.file)"
        let config = try JSONFile.object(path: file, name: file)
        let field = config["_class_name"] == nil ? place.field : "_class_name"
        guard let found = config[field] as? String ?? (config[field] as? [Any])?.first as? String else {
            throw CheckpointError.invalidField(file: file, field: field, reason: "names no class")
        }
        try require(found, canBe: component, file: file, field: field)
        return found
    }

    private static func require(_ className: String, canBe component: String, file: String, field: String) throws {
        guard let kinds = kinds[component], kinds.contains(where: className.hasPrefix) else {
            throw CheckpointError.invalidField(
                file: file, field: field,
                reason: "is \(className.quoted), which cannot be the \(component.quoted); name another folder")
        }
    }

    /// Where components name their class that are nothing but a configuration.
    private static let places = [
        PartName.scheduler: (file: "scheduler_config.json", field: "_class_name"),
        PartName.features: (file: "preprocessor_config.json", field: "feature_extractor_type"),
    ]

    /// How the names of the classes begin that can stand for a component.
    private static let kinds = [
        PartName.clap: ["Clap"], PartName.second: ["T5", "Vits"], PartName.languageModel: ["GPT2"],
        PartName.projection: ["AudioLDM2Projection"], PartName.unet: ["AudioLDM2UNet", "UNet2D"],
        PartName.vae: ["AutoencoderKL"], PartName.vocoder: ["SpeechT5HifiGan"],
        // Whether the schedule fits is for the schedulers to say.
        PartName.scheduler: [""], PartName.features: ["Clap"], PartName.tokenizer: ["Roberta"],
        PartName.tokenizer2: ["T5", "Vits"],
    ]

    package var name: String { base.name }
    package var pipelineClass: String { base.pipelineClass }
    package var savedWith: String? { base.savedWith }
    package var profile: ReferenceProfile? { base.profile }
    package func defaults() throws -> ModelDefaults? { try base.defaults() }

    /// The path of a file of an added component; nil for the checkpoint's own.
    private func added(_ file: String) -> String? {
        let parts = file.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2, let folder = folders[parts[0]] else { return nil }
        return "\(folder)/\(parts[1])"
    }

    /// Whether a component was given by itself.
    func adds(_ component: String) -> Bool { folders[component] != nil }

    package func has(_ file: String) -> Bool { added(file).map(FileName.exists) ?? base.has(file) }

    package func place(of file: String) -> String { added(file) ?? base.place(of: file) }

    package func config(_ file: String) throws -> [UInt8] {
        guard let path = added(file) else { return try base.config(file) }
        return try JSONFile.config(path: path, name: path)
    }

    package func weights(of component: String) throws -> any CheckpointSource {
        guard let folder = folders[component] else { return try base.weights(of: component) }
        return try WeightFiles(folder: folder, name: folder).open()
    }

    package func tokenizerFolder(_ component: String) -> String? {
        folders[component] ?? base.tokenizerFolder(component)
    }

    package func tokenLimit(_ kind: TokenizerKind) -> Int? { base.tokenLimit(kind) }

    package func floatPaths(of component: String) -> [KeyPattern] { base.floatPaths(of: component) }

    package func license() throws -> LicenseText? { try base.license() }
}
