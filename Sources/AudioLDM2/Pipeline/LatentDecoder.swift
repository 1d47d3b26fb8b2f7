import Tensors

/// Latents to mel spectrogram to waveform.
struct LatentDecoder {
    let context: StageContext

    /// - Parameters:
    ///   - latents: `[1, time, frequency, channels]`, as the diffusion loop leaves them.
    ///   - windows: over latents that are decoded piece by piece; nil for all at once.
    /// - Returns: log-mel spectrogram `[1, frames, bands, 1]`.
    func mel(_ latents: Tensor, windows: LatentWindows? = nil) throws -> Tensor {
        context.report(.decoding, 0, of: 1)
        let config = context.model.vaeConfig
        let isFrugal = context.memory.use(of: PartName.vae).keeping == 0
        let scaled = try 1 / config.scalingFactor * latents
        let build = { try VAEDecoder(config, $0) }
        let mel = try context.with(PartName.vae, build) { decode in
            try windows?.first(context.memory.stepLimit).average(scaled, step: 0) { window in
                try context.cancellation.check()
                return try decode(window, isFrugal: isFrugal)
            } ?? decode(scaled, isFrugal: isFrugal)
        }
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
        let build = { try HiFiGAN(context.model.vocoderConfig, $0) }
        try context.with(PartName.vocoder, build) { vocode in
            try vocode(frames) { block in
                try context.cancellation.check()
                try onSamples(Array(block.prefix(left)))
                left -= min(left, block.count)
            }
        }
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
