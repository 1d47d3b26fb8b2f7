import AudioLDM2
import Checkpoints

/// A component of the pack, and where the checkpoint keeps it.
package struct CheckpointPart: Hashable, Sendable {
    /// In the pack.
    package let name: String
    /// In the checkpoint, by its name in `model_index.json`.
    let folder: String
    private let kind: Kind

    private enum Kind: Hashable, Sendable {
        case whole
        /// A whole folder that this kind of model makes sounds without.
        case optional
        /// A part of the folder's class that the pack keeps apart; a checkpoint without keys that start with the prefix
        /// does not have it.
        case aspect(String, keyPrefix: String)
        /// A folder that no published checkpoint has and no index names.
        case addition(className: String)
    }

    init(_ name: String, isOptional: Bool = false) {
        (self.name, folder, kind) = (name, name, isOptional ? .optional : .whole)
    }

    init(_ name: String, aspect: String, of folder: String, keyPrefix: String) {
        (self.name, self.folder, kind) = (name, folder, .aspect(aspect, keyPrefix: keyPrefix))
    }

    init(_ name: String, className: String) {
        (self.name, folder, kind) = (name, name, .addition(className: className))
    }

    /// The class of a folder that no index names.
    var addedClassName: String? {
        if case .addition(let className) = kind { className } else { nil }
    }

    /// Whether the model makes sounds without it.
    var isOptional: Bool { kind == .optional }

    /// Whether it is a part of a folder that may be missing as a whole.
    private var isAspect: Bool { if case .aspect = kind { true } else { false } }

    /// The reference class of the folder, or of the half of it that is a model's part here.
    func className(in checkpoint: any Checkpoint) throws -> String {
        if case .addition(let className) = kind { return className }
        let name = try checkpoint.component(folder).className
        return Self.halves[name] ?? name
    }

    /// Classes that hold one that is used here and more, by their names: what encodes, of what also writes.
    private static let halves = ["T5ForConditionalGeneration": "T5EncoderModel", "T5Model": "T5EncoderModel"]

    /// The name under which models and mappings know what `className` holds here: `AutoencoderKL.encoder`.
    func modelName(_ className: String) -> String {
        if case .aspect(let aspect, _) = kind { return "\(className).\(aspect)" }
        return className
    }

    /// The weights; nil if this part can be missing and is.
    func weights(in checkpoint: any Checkpoint) throws -> (any CheckpointSource)? {
        if case .addition = kind, !checkpoint.has("\(folder)/config.json") { return nil }
        if isOptional || isAspect, checkpoint.components[folder] == nil { return nil }
        let source = try checkpoint.weights(of: folder)
        if case .aspect(_, let prefix) = kind, !source.tensors.keys.contains(where: { $0.hasPrefix(prefix) }) {
            return nil
        }
        return source
    }
}

/// The parts of one kind of pipeline's checkpoint, by their names in `model_index.json`.
package struct CheckpointLayout: Sendable {
    /// In the order in which they work.
    let models: [CheckpointPart]
    let tokenizers: [String]

    /// What text to sound can do without. Converted where the checkpoint has it, unless told otherwise.
    package static let extras = [
        CheckpointPart(PartName.vaeEncoder, aspect: "encoder", of: PartName.vae, keyPrefix: "encoder."),
        CheckpointPart(PartName.clapAudio, aspect: "audio", of: PartName.clap, keyPrefix: "audio_model."),
        CheckpointPart(PartName.audioMAE, className: "AudioMAE"),
        CheckpointPart(PartName.magnitudes, className: "MagnitudeNetwork"),
    ]

    /// What can be left out: without what reads texts, sounds are made of saved conditions alone.
    package static let omissible = PartName.textEncoders + extras.map(\.name)

    private static let clap = CheckpointPart(PartName.clap)
    private static let second = CheckpointPart(PartName.second)
    private static let denoising = [PartName.unet, PartName.vae, PartName.vocoder].map { CheckpointPart($0) }

    /// By the class of the pipeline.
    private static let table = [
        "AudioLDM2Pipeline": CheckpointLayout(
            models: [clap, second, CheckpointPart(PartName.projection), CheckpointPart(PartName.languageModel)]
                + denoising,
            tokenizers: [PartName.tokenizer, PartName.tokenizer2]),
        // CLAP by itself, which judges.
        "ClapModel": CheckpointLayout(models: [clap], tokenizers: [PartName.tokenizer]),
        // Others that judge.
        "VGGish": CheckpointLayout(models: [CheckpointPart(PartName.vggish)], tokenizers: []),
        "Cnn14": CheckpointLayout(models: [CheckpointPart(PartName.cnn14)], tokenizers: []),
        "MusicNN": CheckpointLayout(models: [CheckpointPart(PartName.musicNN)], tokenizers: []),
        "PaSST": CheckpointLayout(models: [CheckpointPart(PartName.passt)], tokenizers: []),
        "AudioLDMPipeline": CheckpointLayout(models: [clap] + denoising, tokenizers: [PartName.tokenizer]),
        // No class of diffusers': the authors' model that reads nothing but FLAN-T5, with a CLAP that ranks its sounds.
        AuthorsCheckpoint.crossAttentionPipeline: CheckpointLayout(
            models: [CheckpointPart(PartName.clap, isOptional: true), second] + denoising,
            tokenizers: [PartName.tokenizer, PartName.tokenizer2]),
    ]

    /// Everything that some kind of checkpoint has.
    static let knownNames = Set(
        table.values.flatMap { $0.models.map(\.folder) + $0.tokenizers } + extras.map(\.folder) + settings)

    /// Parts that are nothing but a configuration.
    private static let settings = [PartName.scheduler, PartName.features]

    /// The extras that go with this kind: parts of its models, and what no other part is needed for.
    var extras: [CheckpointPart] {
        Self.extras.filter { extra in
            models.contains { $0.folder == extra.folder } || makesSounds && extra.addedClassName != nil
        }
    }

    /// Whether there is a denoiser, and what goes with it.
    var makesSounds: Bool { models.contains { $0.name == PartName.unet } }

    /// - Throws: `CheckpointError.invalidField` for another pipeline, or one with parts that are not known; `AudioLDM2Error` of kind
    ///   `.invalidOption` for an addition that it has no use for.
    static func of(_ checkpoint: any Checkpoint) throws -> CheckpointLayout {
        let file = "model_index.json"
        guard let layout = table[checkpoint.pipelineClass] else {
            throw CheckpointError.invalidField(
                file: file, field: "_class_name",
                reason: "is \(checkpoint.pipelineClass.quoted); only AudioLDM2Pipeline and AudioLDMPipeline can be "
                    + "converted, and ClapModel by itself")
        }
        let known = Set(
            layout.models.map(\.folder) + layout.extras.map(\.folder) + layout.tokenizers
                + (layout.makesSounds ? settings : [PartName.features]))
        let unknown = checkpoint.components.values.filter { !known.contains($0.name) && $0.library != "authors" }
        if let unknown = unknown.map(\.name).min() {
            // What somebody adds is in no index.
            guard (checkpoint as? AssembledCheckpoint)?.adds(unknown) != true else {
                throw AudioLDM2Error(
                    .invalidOption,
                    "\(unknown) was given, but \(checkpoint.name) is of class \(checkpoint.pipelineClass), which has none; "
                        + "leave it out, or choose from \(known.sorted().joined(separator: ", "))")
            }
            throw CheckpointError.invalidField(file: file, field: unknown, reason: "is a component of no known use")
        }
        return layout
    }

    /// What a model made without a tokenizer cannot do, and the way to add one.
    func withoutTokenizer(_ name: String) -> String {
        let reader = models.first { PartName.tokenizers[$0.name] == name }
        let loss = reader?.isOptional == true ? "sounds cannot be judged" : "texts cannot be read"
        return "\(name): \(loss) without it; add it by --\(name.replacing("_", with: "-")) FOLDER"
    }

    /// The tokenizers of those text encoders that a checkpoint has.
    func tokenizers(of checkpoint: any Checkpoint) -> [String] {
        let absent = models.filter { $0.isOptional && checkpoint.components[$0.folder] == nil }
        return tokenizers.filter { name in !absent.contains { PartName.tokenizers[$0.name] == name } }
    }
}
