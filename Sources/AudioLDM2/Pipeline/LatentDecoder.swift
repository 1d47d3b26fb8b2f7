import Tensors

/// Latents to mel spectrogram to waveform.
struct LatentDecoder {
    let context: StageContext

    /// - Parameter latents: `[1, time, frequency, channels]`, as the diffusion loop leaves them.
    /// - Returns: log-mel spectrogram `[1, frames, bands, 1]`.
    func mel(_ latents: Tensor) throws -> Tensor {
        context.report(.decoding, 0, of: 1)
        let config = context.model.vaeConfig
        let mel = try context.with(
            Model.Part.vae, { try VAEDecoder(config, $0) },
            { decode in
                try decode(
                    1 / config.scalingFactor * latents, isFrugal: context.memory.use(of: Model.Part.vae).keeping == 0)
            })
        context.report(.decoding, 1, of: 1)
        return mel
    }

    /// - Parameters:
    ///   - mel: from `mel(_:)`.
    ///   - samples: to which the waveform is cut.
    ///   - onSamples: gets the waveform's next samples as soon as they are known.
    func waveform(_ mel: Tensor, samples: Int, onSamples: ([Float]) throws -> Void) throws {
        let frames = try mel.reshaped([mel.shape[0], mel.shape[1], mel.shape[2]])
        context.report(.vocoding, 0, of: 1)
        var left = samples
        try context.with(
            Model.Part.vocoder, { try HiFiGAN(context.model.vocoderConfig, $0) },
            { vocode in
                try vocode(frames) { block in
                    try context.cancellation.check()
                    try onSamples(Array(block.prefix(left)))
                    left -= min(left, block.count)
                }
            })
        context.report(.vocoding, 1, of: 1)
    }

    /// - Returns: the first `samples` samples.
    func waveform(_ mel: Tensor, samples: Int) throws -> [Float] {
        var waveform: [Float] = []
        waveform.reserveCapacity(samples)
        try self.waveform(mel, samples: samples) { waveform += $0 }
        return waveform
    }
}
