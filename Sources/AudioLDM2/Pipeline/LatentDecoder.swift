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
        let scaled = try 1 / config.scalingFactor * latents
        let build = { try VAEDecoder(config, $0) }
        let mel = try context.with(Model.Part.vae, build) { decode in
            try windows?.average(scaled, step: 0) { window in
                try context.cancellation.check()
                return try decode(window)
            } ?? decode(scaled)
        }
        context.report(.decoding, 1, of: 1)
        return mel
    }

    /// - Parameter mel: from `mel(_:)`.
    /// - Returns: the first `samples` samples.
    func waveform(_ mel: Tensor, samples: Int) throws -> [Float] {
        var waveform: [Float] = []
        try stream(mel, 0..<samples, pieceFrames: mel.shape[1]) { waveform += $0 }
        return waveform
    }

    /// Vocodes piece by piece, in memory that does not grow with the sound.
    ///
    /// Each piece sees as much beyond its ends as has a say in its samples. Pieces fade into each other, because int8
    /// inputs are scaled by what else is in a piece.
    /// - Parameters:
    ///   - mel: from `mel(_:)`.
    ///   - range: of samples that are wanted.
    ///   - pieceFrames: frames of the spectrogram in a piece.
    ///   - receive: takes the samples in order.
    func stream(
        _ mel: Tensor, _ range: Range<Int>, pieceFrames: Int, to receive: ([Float]) throws -> Void
    ) throws {
        let (hop, reach) = (context.model.vocoderConfig.hopLength, context.model.vocoderConfig.reach)
        let mel = try mel.reshaped([mel.shape[0], mel.shape[1], mel.shape[2]])
        let frames = mel.shape[1]
        let starts = Array(stride(from: 0, to: frames, by: pieceFrames))
        var tail: [Float] = []
        let build = { try HiFiGAN(context.model.vocoderConfig, $0) }
        try context.with(Model.Part.vocoder, build) { vocode in
            for (index, start) in starts.enumerated() {
                try context.cancellation.check()
                context.report(.vocoding, index, of: starts.count)
                let isLast = index == starts.count - 1
                let first = max(start - reach, 0)
                let end = isLast ? frames : start + pieceFrames
                let input = try mel.slice(axis: 1, first..<min(end + Self.fade + reach, frames))
                var samples = Array(try vocode(input).values().dropFirst((start - first) * hop))
                for place in tail.indices {
                    let share = (Float(place) + 0.5) / Float(tail.count)
                    samples[place] = (1 - share) * tail[place] + share * samples[place]
                }
                let count = isLast ? samples.count : (end - start) * hop
                tail = isLast ? [] : Array(samples[count..<min(count + Self.fade * hop, samples.count)])
                let wanted = range.clamped(to: start * hop..<start * hop + count)
                try receive(Array(samples[(wanted.lowerBound - start * hop)..<(wanted.upperBound - start * hop)]))
            }
        }
        context.report(.vocoding, starts.count, of: starts.count)
    }

    /// Frames in which one piece gives way to the next.
    private static let fade = 4
}
