import WeightFile

/// A kind of model: which parts work together in it, and to what end.
///
/// A model file whose parts do not tell its family notes it by name. A family joins by a file in this folder and its line in `all`.
package struct ModelFamily: Sendable {
    /// As a model file notes it.
    package let name: String
    /// What it is, for people: "AudioLDM 2, text to sound and music".
    package let summary: String
    /// Parts that it cannot do without, in the order in which they work.
    let requiredParts: [String]
    /// Whether `ModelConfigs` describe what it makes sounds with.
    package let makesSounds: Bool
    /// Whether parts, by name, are those of such a model: asked about files that note no family, as those whose parts tell it
    /// do not, and about checkpoints.
    let recognizes: @Sendable (_ parts: [String: PackIndex.Component]) -> Bool

    /// All that there are; of several that recognize the same parts the first one counts.
    package static let all = [speech, audioLDM2, audioLDM, crossAttention, vggish, cnn14, musicNN, passt, judges]

    /// The name under which a model file notes its family.
    package static let note = "family"
}

extension ModelFamily {
    /// The family of parts that nobody named one for.
    package init(recognizing parts: [String: PackIndex.Component]) {
        self = Self.all.first { $0.recognizes(parts) } ?? .audioLDM2
    }

    /// - Throws: `AudioLDM2Error` of kind `.modelFile` for a family that this version does not know.
    init(of pack: Pack) throws {
        guard let name = pack.note(Self.note) else {
            self.init(recognizing: pack.descriptions)
            return
        }
        guard let family = Self.all.first(where: { $0.name == name }) else {
            let known = Self.all.map(\.name).joined(separator: ", ")
            throw AudioLDM2Error(
                .modelFile,
                "\(pack.path): its family is \(name.quoted), but this version knows only \(known); use a newer program")
        }
        self = family
    }
}

/// What a model file can be used for.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum ModelAbility: String, CaseIterable, Sendable, Codable {
    /// Sounds of prompts.
    case generate
    /// Speech of a text and a prompt.
    case speak
    /// Changes of sounds: `transform`, `inpaint`, `extend`, `upsample`.
    case edit
    /// How well sounds fit a prompt, and with it the choice among candidates.
    case score
    /// The language of audio of sounds.
    case hear
    /// Distances between sets of sounds, by a network that was made to hear: `evaluate`. A model's own CLAP can do that too.
    case judge
}

extension OpenedModel {
    /// What the file can be used for.
    var abilities: [ModelAbility] {
        ModelAbility.allCases.filter { ability in
            switch ability {
            case .generate: file.family.makesSounds && file.family.name != ModelFamily.speech.name
            case .speak: file.family.name == ModelFamily.speech.name
            case .edit: file.family.makesSounds && has(.vaeEncoder)
            case .score:
                has(.clapAudio) && pack.component(PartName.clap)?.tensors.isEmpty == false
                    && pack.blobs.contains { $0.name == PartName.tokenizer }
            case .hear: has(.audioMAE)
            case .judge: SoundJudges.of(pack.components.map(\.name)) != nil
            }
        }
    }

    /// The same for messages.
    var abilityList: String {
        let names = abilities.map(\.rawValue)
        return names.isEmpty ? "do nothing by itself" : names.joined(separator: ", ")
    }
}
