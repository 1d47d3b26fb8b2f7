import Diffusion
import Tensors
import WeightFile

/// An opened model file that makes sounds: the configuration of what makes them, and the way to its weights.
@dynamicMemberLookup
package struct Model: OpenedModel {
    package let file: ModelFile
    package let configs: ModelConfigs

    /// - Throws: `PackError`, `ConfigError`, `SchedulerError`; `AudioLDM2Error` for a model that makes no sounds.
    package init(opening path: String) throws { try self.init(ModelFile(opening: path)) }

    package init(_ file: ModelFile) throws {
        self.file = file
        guard file.family.makesSounds else {
            throw AudioLDM2Error(
                .modelFile,
                "\(file.pack.path): makes no sounds: it is \(file.family.summary), and can \(file.abilityList); choose a model "
                    + "with a denoiser")
        }
        configs = try ModelConfigs(
            file.pack.descriptions, scheduler: file.pack.blob(PartName.scheduler), source: file.pack.path)
    }

    package subscript<Value>(dynamicMember config: KeyPath<ModelConfigs, Value>) -> Value { configs[keyPath: config] }

    package var profile: ReferenceProfile? { file.profile }
    package var defaults: ModelDefaults { file.defaults }
    package var vocabulary: PromptVocabulary? { file.vocabulary }

    /// Whether it must be told what to say.
    package var speaks: Bool {
        if case .phonemes = configs.secondConfig { true } else { false }
    }

    /// The length of a sound if nobody asks for another: what the UNet was trained on.
    package var defaultSeconds: Double {
        Double((configs.unetConfig.sampleSize ?? 256) * configs.vaeConfig.scaleFactor) * secondsPerFrame
    }

    /// Of the mel spectrogram.
    package var secondsPerFrame: Double {
        Double(configs.vocoderConfig.hopLength) / Double(configs.vocoderConfig.samplingRate)
    }
}

/// The extents of one sound, as the reference computes them from its length in seconds.
package struct ClipLength: Sendable, Equatable {
    /// Frames of latents; the spectrogram is a multiple of the VAE's scale.
    package let latentFrames: Int
    /// Bands of latents.
    package let latentBands: Int
    /// Samples of the waveform, to which it is cut.
    package let samples: Int

    /// - Parameter loops: rounds to whole frames of latents.
    /// - Throws: `AudioLDM2Error` of kind `.invalidOption` outside of `SoundOptions.secondsRange`.
    package init(seconds: Double, loops: Bool = false, model: Model) throws {
        let range = SoundOptions.secondsRange
        guard range.contains(seconds) else {
            throw AudioLDM2Error(
                .invalidOption,
                "\(seconds) seconds: choose a length of \(range.lowerBound)…\(Int(range.upperBound))")
        }
        let frames = Int(seconds / model.secondsPerFrame)
        let scale = model.vaeConfig.scaleFactor
        latentFrames = (frames + scale - 1) / scale
        latentBands = model.vocoderConfig.modelInDim / scale
        samples =
            loops
            ? latentFrames * scale * model.vocoderConfig.hopLength
            : min(
                Int(seconds * Double(model.vocoderConfig.samplingRate)),
                model.vocoderConfig.sampleCount(frames: latentFrames * scale))
    }
}
