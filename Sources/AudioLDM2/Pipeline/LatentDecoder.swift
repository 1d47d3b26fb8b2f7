import Tensors

/// Latents to mel spectrogram to waveform.
struct LatentDecoder {
    let context: StageContext

    /// Frames of latents on either side that have a say in a sample, rounded up: 17 by the VAE's convolutions and 5 by the
    /// vocoder's.
    static let reach = 32

    /// - Parameter latents: `[1, time, frequency, channels]`, as the diffusion loop leaves them.
    /// - Returns: log-mel spectrogram `[1, frames, bands, 1]`.
    func mel(_ latents: Tensor) throws -> Tensor {
        context.report(.decoding, 0, of: 1)
        let config = context.model.vaeConfig
        let mel = try context.with(
            Model.Part.vae, { try VAEDecoder(config, $0) },
            { decode in try decode(1 / config.scalingFactor * latents) })
        context.report(.decoding, 1, of: 1)
        return mel
    }

    /// - Parameter mel: from `mel(_:)`.
    /// - Returns: the first `samples` samples.
    func waveform(_ mel: Tensor, samples: Int) throws -> [Float] {
        context.report(.vocoding, 0, of: 1)
        let frames = try mel.reshaped([mel.shape[0], mel.shape[1], mel.shape[2]])
        let waveform = try context.with(
            Model.Part.vocoder, { try HiFiGAN(context.model.vocoderConfig, $0) },
            { vocode in try vocode(frames).values() })
        context.report(.vocoding, 1, of: 1)
        return Array(waveform.prefix(samples))
    }
}
