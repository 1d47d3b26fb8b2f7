import Tensors

/// The part of an edit that the models do.
struct EditWork {
    /// Mono, at the model's rate.
    let source: [Float]
    let plan: EditPlan
    let mask: EditMask
    /// Frames of latents that are worked on.
    let span: Range<Int>
    /// One sound is made of each.
    let seeds: [UInt64]
    var generation: Generation

    private var model: Model { generation.context.model }
    /// Samples of a frame of latents.
    private var hop: Int { model.vocoderConfig.hopLength * model.vaeConfig.scaleFactor }

    /// - Parameters:
    ///   - mixBytes: of what is done with the samples.
    ///   - ranking: of the sounds.
    func memoryPlan(mixBytes: Int, ranking: Ranking?) throws -> ExecutionPlan {
        let samples = source.count + span.count * hop
        return try MemoryPlanner(
            context: generation.context, limit: generation.options.memoryLimit,
            soundBytes: 3 * samples * MemoryLayout<Float>.size + mixBytes + (ranking?.soundBytes(samples: 0) ?? 0),
            isGuided: generation.isGuided, sounds: seeds.count
        ) { context in
            var trial = self
            trial.generation.context = context
            try trial.compute { _, _ in }
            try ranking?.tryOut(in: context)
        }.plan()
    }

    /// - Parameters:
    ///   - start: hears the number of each sound that is begun.
    ///   - take: gets the samples of the whole span for each seed, and its share of the time.
    func compute(start: (Int) -> Void = { _ in }, take: ([Float], StageTimer) throws -> Void) throws {
        let context = generation.context
        var timer = StageTimer()
        let known = try timer.measure(.encoding) { try self.known() }
        let conditions = try timer.measure(.encoding) {
            try generation.conditions(PromptEncoder(context: context).encode(generation.tokens()))
        }
        let latents = try timer.measure(.denoising) { try denoised(conditions, known, start) }
        for (number, latents) in latents.enumerated() {
            start(number)
            var own = StageTimer()
            own.add(timer, sharedBy: seeds.count)
            var samples: [Float] = []
            try generation.decode(latents, samples: span.count * hop, &own) { samples += $0 }
            try take(samples, own)
        }
    }

    /// Latents for each seed.
    private func denoised(
        _ conditions: [Condition], _ known: KnownLatents, _ start: (Int) -> Void
    ) throws -> [Tensor] {
        let context = generation.context
        let steps = generation.options.numInferenceSteps
        let skipped = steps - min(max(Int(Double(steps) * plan.strength), 1), steps)
        let config = model.unetConfig
        let build = { try UNet(config, $0) }
        return try context.with(PartName.unet, build) { unet in
            let most = context.memory.batching.sounds
            return try stride(from: 0, to: seeds.count, by: most).flatMap { first in
                start(first)
                let batch = Array(seeds[first..<min(first + most, seeds.count)])
                let latents = try generation.denoise(
                    with: unet, Array(repeating: conditions, count: batch.count), seeds: batch, frames: span.count,
                    known: known, skipped: skipped)
                return try batch.indices.map { try latents.outermost($0..<$0 + 1) }
            }
        }
    }

    /// The sound's own latents, and where they stay.
    private func known() throws -> KnownLatents {
        let (context, rate) = (generation.context, Double(model.vocoderConfig.samplingRate))
        // What is to come has no latents: only whole frames are encoded.
        let end = plan.appendedSeconds > 0 ? min(source.count / hop, span.upperBound) : span.upperBound
        let (bands, channels) = (
            model.vocoderConfig.modelInDim / model.vaeConfig.scaleFactor, model.unetConfig.inChannels
        )
        var values: [Float] = []
        if end > span.lowerBound {
            let samples = Array(source[min(span.lowerBound * hop, source.count)..<min(end * hop, source.count)])
            let encoder = LatentEncoder(context: context)
            values = try encoder.latents(
                of: samples, frames: end - span.lowerBound, tile: generation.windowFrames()
            ).values()
        }
        values += [Float](repeating: 0, count: (span.upperBound - max(end, span.lowerBound)) * bands * channels)
        var kept: [Float] = []
        for frame in span {
            let time = Double(frame * hop) / rate
            let touched = frame >= end || mask.touches(time...(time + Double(hop) / rate))
            for band in 0..<bands {
                kept.append(touched && mask.touches(band: band, scale: model.vaeConfig.scaleFactor) ? 0 : 1)
            }
        }
        return KnownLatents(
            latents: try context.backend.upload(values, [1, span.count, bands, channels]), kept: kept,
            startsFromNoise: plan.strength == 1)
    }
}

extension LatentEncoder {
    /// Latents of a sound of any length, piece by piece.
    /// - Parameters:
    ///   - frames: of latents; silence follows if the sound has fewer.
    ///   - tile: frames of latents that are encoded at once.
    /// - Returns: `[1, frames, bands, channels]`.
    func latents(of samples: [Float], frames: Int, tile: Int) throws -> Tensor {
        let scale = context.model.vaeConfig.scaleFactor
        let samples = samples.isEmpty ? [0] : samples
        let mel = try mel(samples, frames: frames * scale)
        let (context, config) = (context, context.model.vaeConfig)
        let part = Model.OptionalPart.vaeEncoder
        try context.model.require(part)
        let margin = tile / 8
        let build = { try VAEEncoder(config, $0) }
        return try context.with(part.name, build) { encode in
            func latents(_ mel: Tensor) throws -> Tensor { try config.scalingFactor * encode(mel).mean }
            guard frames > tile else { return try latents(mel) }
            let pieces = try stride(from: 0, to: frames, by: tile - 2 * margin).map { start in
                try context.cancellation.check()
                let end = min(start + tile - 2 * margin, frames)
                let (low, high) = (max(start - margin, 0), min(end + margin, frames))
                let piece = try latents(mel.slice(axis: 1, low * scale..<high * scale))
                return try piece.slice(axis: 1, start - low..<end - low)
            }
            return try Tensor.concatenate(pieces, axis: 1)
        }
    }
}
