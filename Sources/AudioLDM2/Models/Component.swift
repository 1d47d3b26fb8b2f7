import FoundationEssentials
import WeightFile

/// One network of a model: the part of a model file that holds it, the classes whose weights it computes with, its
/// configuration, and the weights that it asks for as it is built.
///
/// This is all that the program knows of networks in general: the converter asks it what weights it needs, a stage loads it.
/// A network joins by conforming, and by its line in `Components.all`.
package protocol Component: Sendable {
    associatedtype Config: ModelConfig

    /// The part of a model file that holds it, such as `unet`.
    static var part: String { get }
    /// Classes of the reference implementations that it computes, as checkpoints name them; behind a dot, the half of a class
    /// that it is.
    static var classNames: [String] { get }

    /// - Throws: what the source of `weights` throws for one that is missing or has another shape.
    init(_ config: Config, _ weights: WeightScope) throws
}

extension Component {
    /// The weights that it asks for with a configuration: it is built from nothing else, and every question noted.
    /// - Parameters:
    ///   - config: JSON.
    ///   - component: whose it is, or the file that it is in, for messages.
    /// - Throws: `ConfigError` for a configuration that it refuses.
    package static func requirements(config: Data, component: String) throws -> [WeightRequirement] {
        let recorder = RecordingSource()
        _ = try Self(.read(config, component: component), WeightScope(recorder))
        return recorder.requirements
    }
}

/// All networks that there are.
package enum Components {
    package static let all: [any Component.Type] = [
        CLAPTextEncoder.self, T5Encoder.self, PhonemeEncoder.self, ProjectionModel.self, GPT2.self, UNet.self,
        VAEDecoder.self, HiFiGAN.self, MagnitudeNetwork.self, VAEEncoder.self, CLAPAudioEncoder.self,
        AudioMAEEncoder.self, VGGish.self, Cnn14.self, MusicNN.self, PaSST.self,
    ]

    /// The network that computes a class of the reference implementations, or half of one; nil for classes that none does.
    package static func named(_ className: String) -> (any Component.Type)? {
        all.first { $0.classNames.contains(className) }
    }
}

extension CLAPTextEncoder: Component {
    package static let part = PartName.clap
    package static let classNames = ["ClapModel", "ClapTextModelWithProjection"]
}

extension T5Encoder: Component {
    package static let part = PartName.second
    package static let classNames = ["T5EncoderModel"]
}

extension PhonemeEncoder: Component {
    package static let part = PartName.second
    package static let classNames = ["VitsModel"]
}

extension ProjectionModel: Component {
    package static let part = PartName.projection
    package static let classNames = ["AudioLDM2ProjectionModel"]
}

extension GPT2: Component {
    package static let part = PartName.languageModel
    package static let classNames = ["GPT2Model", "GPT2LMHeadModel"]
}

extension UNet: Component {
    package static let part = PartName.unet
    package static let classNames = ["AudioLDM2UNet2DConditionModel", "UNet2DConditionModel"]
}

extension VAEDecoder: Component {
    package static let part = PartName.vae
    package static let classNames = ["AutoencoderKL"]
}

extension HiFiGAN: Component {
    package static let part = PartName.vocoder
    package static let classNames = ["SpeechT5HifiGan"]
}

extension MagnitudeNetwork: Component {
    package static let part = PartName.magnitudes
    package static let classNames = ["MagnitudeNetwork"]
}

extension VAEEncoder: Component {
    package static let part = PartName.vaeEncoder
    package static let classNames = ["AutoencoderKL.encoder"]
}

extension CLAPAudioEncoder: Component {
    package static let part = PartName.clapAudio
    package static let classNames = ["ClapModel.audio"]
}

extension AudioMAEEncoder: Component {
    package static let part = PartName.audioMAE
    package static let classNames = ["AudioMAE"]
}

extension VGGish: Component {
    package static let part = PartName.vggish
    package static let classNames = ["VGGish"]
}

extension Cnn14: Component {
    package static let part = PartName.cnn14
    package static let classNames = ["Cnn14"]
}

extension MusicNN: Component {
    package static let part = PartName.musicNN
    package static let classNames = ["MusicNN"]
}

extension PaSST: Component {
    package static let part = PartName.passt
    package static let classNames = ["PaSST"]
}
