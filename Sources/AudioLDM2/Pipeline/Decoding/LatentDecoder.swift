import Audio
import Tensors

/// Latents to mel spectrogram to waveform.
package struct LatentDecoder {
    let context: GenerationContext
    let vocoder: SoundOptions.Vocoder
    /// Settles the phases that Griffin-Lim starts from.
    let seed: UInt64

    package init(
        context: GenerationContext, vocoder: SoundOptions.Vocoder = .hifigan, seed: UInt64 = 0
    ) {
        self.context = context
        self.vocoder = vocoder
        self.seed = seed
    }

    /// - Parameters:
    ///   - latents: `[1, time, frequency, channels]`, as the diffusion loop leaves them.
    ///   - windows: over latents that are decoded piece by piece; nil for all at once.
    /// - Returns: log-mel spectrogram `[1, frames, bands, 1]`.
    package func mel(_ latents: Tensor, windows: LatentWindows? = nil) throws -> Tensor {
        context.report(.decoding, 0, of: 1)
        let config = context.model.vaeConfig
        let isFrugal = context.memory.use(of: PartName.vae).keeping == 0
        let scaled = try 1 / config.scalingFactor * latents
        let mel = try context.with(VAEDecoder.self, config) { decode in
            try windows?.first(context.memory.stepLimit).average(scaled, step: 0) { window, _ in
                try context.cancellation.check()
                return try decode(window, isFrugal: isFrugal)
            } ?? decode(scaled, isFrugal: isFrugal)
        }
        context.report(.decoding, 1, of: 1)
        return mel
    }

    /// - Parameters:
    ///   - mel: from `mel(_:)`.
    ///   - loops: whether the sound's end is to lead back to its start.
    ///   - samples: to which the waveform is cut.
    ///   - onSamples: gets the waveform's next samples as soon as they are known.
    package func waveform(
        _ mel: Tensor, loops: Bool = false, samples: Int, onSamples: ([Float]) throws -> Void
    ) throws {
        // HiFi-GAN makes a loop of what has some of its end before its start, and some of its start behind its end.
        let config = context.model.vocoderConfig
        let margin = loops && vocoder == .hifigan ? config.reach : 0
        let mel = margin > 0 ? try mel.extendedAround(by: margin) : mel
        var skipped = margin * config.hopLength
        var left = samples
        context.report(.vocoding, 0, of: 1)
        var queue = try queue(frames: mel.shape[1], loops: loops)
        queue.append(try mel.values())
        try vocode(&queue) { block in
            let kept = block.dropFirst(skipped).prefix(left)
            skipped -= min(skipped, block.count)
            left -= kept.count
            if !kept.isEmpty { try onSamples(Array(kept)) }
        }
        context.report(.vocoding, 1, of: 1)
    }

    /// - Returns: the first `samples` samples.
    package func waveform(_ mel: Tensor, samples: Int) throws -> [Float] {
        var waveform: [Float] = []
        waveform.reserveCapacity(samples)
        try self.waveform(mel, samples: samples) { waveform += $0 }
        return waveform
    }

    /// An empty queue for a spectrogram.
    func queue(frames: Int, loops: Bool = false) throws -> VocodingQueue {
        switch vocoder {
        case .hifigan: .hifigan(HiFiGANQueue(frames: frames, bands: context.model.vocoderConfig.modelInDim))
        case .griffinLim:
            .griffinLim(
                GriffinLimStream(try context.model.griffinLim(), frames: frames, loops: loops, seed: seed))
        }
    }

    /// All of a queue that can be vocoded.
    func vocode(_ queue: inout VocodingQueue, onSamples: ([Float]) throws -> Void) throws {
        switch queue {
        case .hifigan(var pieces):
            try vocode(&pieces, onSamples: onSamples)
            queue = .hifigan(pieces)
        case .griffinLim(var stream):
            try withMagnitudes { network in
                // What the search itself takes is known beforehand.
                if context.memory.isPlanning {
                    _ = try network?([Float](repeating: 0, count: stream.mostCorrected), on: context.backend)
                    return
                }
                while let samples = try stream.next(correcting: { try network?($0, on: context.backend) }) {
                    try context.cancellation.check()
                    try onSamples(samples)
                }
            }
            queue = .griffinLim(stream)
        }
    }

    /// - Parameter body: gets the network that says magnitudes, nil if the model has none.
    private func withMagnitudes(_ body: (MagnitudeNetwork?) throws -> Void) throws {
        guard let config = context.model.magnitudeConfig else { return try body(nil) }
        try context.with(MagnitudeNetwork.self, config, body)
    }

    private func vocode(_ queue: inout HiFiGANQueue, onSamples: ([Float]) throws -> Void) throws {
        try context.with(HiFiGAN.self, context.model.vocoderConfig) { vocoder in
            while let mel = try queue.next(of: vocoder, on: context.backend) {
                try context.cancellation.check()
                try onSamples(vocoder.samples(of: mel, &queue.progress))
            }
        }
    }
}
