import Tensors

extension LatentDecoder {
    /// Latents to waveform some windows at a time, so that samples are there before the last latents have been decoded, in
    /// memory that does not grow with their number. VAE and vocoder take turns.
    /// - Parameters:
    ///   - latents: `[1, time, frequency, channels]`, as the diffusion loop leaves them.
    ///   - windows: over them, with ends.
    ///   - samples: to which the waveform is cut.
    ///   - onSamples: gets the waveform's next samples as soon as they are known.
    func waveform(
        of latents: Tensor, windows: LatentWindows, samples: Int, _ timer: inout StageTimer,
        onSamples: ([Float]) throws -> Void
    ) throws {
        var mean = WindowMean(of: windows)
        var vocoding = try queue(frames: windows.frames * context.model.vaeConfig.scaleFactor)
        var left = samples
        context.report(.decoding, 0, of: 1)
        context.report(.decoding, 1, of: 1)
        for turn in turns(windows.first(context.memory.stepLimit).starts.count) {
            context.report(.vocoding, turn.lowerBound, of: windows.starts.count)
            try timer.measure(.decoding) { try decode(latents, windows, turn, into: &mean) }
            let known = turn.upperBound < windows.starts.count ? windows.starts[turn.upperBound] : windows.frames
            vocoding.append(try mean.take(to: known))
            try timer.measure(.vocoding) {
                try vocode(&vocoding) { block in
                    try onSamples(Array(block.prefix(left)))
                    left -= min(left, block.count)
                }
            }
        }
        context.report(.vocoding, windows.starts.count, of: windows.starts.count)
    }

    /// The first window alone, so that listeners need not wait, then as many as make up for loading the weights again.
    private func turns(_ count: Int) -> [Range<Int>] {
        [0..<min(1, count)] + stride(from: 1, to: count, by: 4).map { $0..<min($0 + 4, count) }
    }

    private func decode(
        _ latents: Tensor, _ windows: LatentWindows, _ turn: Range<Int>, into mean: inout WindowMean
    ) throws {
        let (config, isFrugal) = (context.model.vaeConfig, context.memory.use(of: PartName.vae).keeping == 0)
        try context.with(VAEDecoder.self, config) { decode in
            for window in turn {
                try context.cancellation.check()
                let start = windows.starts[window]
                let scaled = try 1 / config.scalingFactor * windows.cut(latents, from: start)
                try mean.add(decode(scaled, isFrugal: isFrugal), from: start)
            }
        }
    }
}
