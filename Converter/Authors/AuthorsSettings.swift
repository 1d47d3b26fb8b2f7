import Checkpoints
import FoundationEssentials
import Glibc

/// What the authors' files do not say about themselves: read from the model's name, or from a training configuration.
package struct AuthorsSettings: Sendable, Equatable {
    /// Channels of an attention head of the UNet; nil for those of its size.
    package var headWidth: Int?
    /// Of the UNet's first level, to tell a configuration of another model; nil if nothing was said.
    package var modelChannels: Int?
    /// Of the waveform, in Hz; nil for what the vocoder's hop makes of frames of 10 ms.
    package var samplingRate: Int?
    /// Frames of latents that the UNet was trained on; nil for those of 10.24 s.
    package var latentFrames: Int?
    /// Vectors of the language of audio; nil for what the kind of model has.
    package var languageLength: Int?
    /// AudioMAE's patches along time and frequency for each vector; nil for what the kind of model has.
    package var poolTime: Int?
    package var poolFrequency: Int?
    package var trainingSteps = 1000
    package var betaStart = 0.0015
    package var betaEnd = 0.0195
    /// As diffusers calls it.
    package var predictionType = "epsilon"

    package init() {}

    /// - Parameter modelName: as the authors call it, such as `audioldm2-full` or `audioldm-l-full.ckpt`.
    package init(modelName: String) {
        // Only the large model of AudioLDM 1 has wider heads.
        if modelName.hasPrefix("audioldm-l-") || modelName.hasPrefix("audioldm-full-l") { headWidth = 64 }
    }

    /// Reads a training configuration over the settings of a name.
    /// - Throws: `CheckpointError` if the file cannot be read, is no such configuration, or a value in it cannot be used.
    package mutating func read(configuration path: String) throws {
        let file = URL(fileURLWithPath: path).lastPathComponent
        let bytes = try InputFile.contents(path: path, name: file, limit: 1 << 20)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CheckpointError.malformed(file: file, reason: "is not UTF-8 text")
        }
        let values = SettingValues(root: try YAMLReader.read(text, file: file), file: file)
        guard values.root["model.params.unet_config"] != nil else {
            throw CheckpointError.invalidField(
                file: file, field: "model.params.unet_config",
                reason: "is not there; give the configuration that the model was trained with")
        }
        let (model, unet) = ("model.params", "model.params.unet_config.params")
        headWidth = try values.number("\(unet).num_head_channels", in: 1...4096) ?? headWidth
        modelChannels = try values.number("\(unet).model_channels", in: 1...1 << 20)
        samplingRate = try values.number("preprocessing.audio.sampling_rate", in: 1000...768_000)
        latentFrames = try values.number("\(model).latent_t_size", in: 1...1 << 20)
        trainingSteps = try values.number("\(model).timesteps", in: 1...100_000) ?? trainingSteps
        betaStart = try values.number("\(model).linear_start", in: 1e-9...1) ?? betaStart
        betaEnd = try values.number("\(model).linear_end", in: 1e-9...1) ?? betaEnd
        predictionType = try values.choice("\(model).parameterization", Self.predictions) ?? predictionType
        // One of the conditioners, under a name that may be anything, makes the language of audio, and has AudioMAE inside.
        let conditioners = "\(model).cond_stage_config"
        languageLength = try values.number("sequence_gen_length", below: conditioners, in: 1...1024)
        poolTime = try values.number("eval_time_pooling", below: conditioners, in: 1...1 << 20)
        poolFrequency = try values.number("eval_freq_pooling", below: conditioners, in: 1...1 << 20)
    }

    private static let predictions = ["eps": "epsilon", "x0": "sample", "v": "v_prediction"]
}

/// The values of a training configuration, by their paths.
private struct SettingValues {
    let root: YAMLValue
    let file: String

    /// - Parameter below: the path under which the key may be at any depth.
    /// - Returns: nil if there is no such value.
    func number<Number: LosslessStringConvertible & Comparable>(
        _ key: String, below path: String? = nil, in range: ClosedRange<Number>
    ) throws -> Number? {
        guard let value = path.map({ root[$0]?.first(key) }) ?? root[key] else { return nil }
        guard case .scalar(let text) = value, let number = Number(text), range.contains(number) else {
            throw CheckpointError.invalidField(file: file, field: key, reason: "is not a number in \(range)")
        }
        return number
    }

    func choice(_ key: String, _ choices: [String: String]) throws -> String? {
        guard let value = root[key] else { return nil }
        guard case .scalar(let text) = value, let choice = choices[text] else {
            throw CheckpointError.invalidField(
                file: file, field: key, reason: "is none of \(choices.keys.sorted().joined(separator: ", "))")
        }
        return choice
    }
}
