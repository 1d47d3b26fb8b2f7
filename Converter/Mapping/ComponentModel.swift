import AudioLDM2
import Foundation
import WeightFile

/// The model behind a class of checkpoint component, asked what weights it needs.
enum ComponentModel {
    /// Builds the model of a component from nothing but its config, and notes what it asks for.
    /// - Parameter modelName: a class of `model_index.json`, or one of its parts: `CheckpointPart.modelName`.
    /// - Returns: nil for classes that the runtime has no model for.
    /// - Throws: `ConfigError` for a config that the model refuses.
    static func requirements(_ modelName: String, component: String, config: Data) throws -> [WeightRequirement]? {
        let recorder = RecordingSource()
        let scope = WeightScope(recorder)
        switch modelName {
        case "ClapModel", "ClapTextModelWithProjection":
            _ = try CLAPTextEncoder(.read(config, component: component), scope)
        case "T5EncoderModel": _ = try T5Encoder(.read(config, component: component), scope)
        case "VitsModel": _ = try PhonemeEncoder(.read(config, component: component), scope)
        case "AudioLDM2ProjectionModel": _ = try ProjectionModel(.read(config, component: component), scope)
        case "GPT2Model", "GPT2LMHeadModel": _ = try GPT2(.read(config, component: component), scope)
        case "AudioLDM2UNet2DConditionModel", "UNet2DConditionModel":
            _ = try UNet(.read(config, component: component), scope)
        case "AutoencoderKL": _ = try VAEDecoder(.read(config, component: component), scope)
        case "ClapModel.audio": _ = try CLAPAudioEncoder(.read(config, component: component), scope)
        case "AudioMAE": _ = try AudioMAEEncoder(.read(config, component: component), scope)
        case "AutoencoderKL.encoder": _ = try VAEEncoder(.read(config, component: component), scope)
        case "SpeechT5HifiGan": _ = try HiFiGAN(.read(config, component: component), scope)
        default: return nil
        }
        return recorder.requirements
    }
}
