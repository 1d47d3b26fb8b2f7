import Tensors

/// The part of an edit that the models do.
struct EditWork {
    /// Mono, at the model's rate.
    let source: [Float]
    let plan: EditPlan
    let mask: EditMask
    /// Frames of latents that are worked on.
    let span: Range<Int>
    var generation: Generation

    private var model: Model { generation.context.model }
    /// Samples of a frame of latents.
    private var hop: Int { model.vocoderConfig.hopLength * model.vaeConfig.scaleFactor }

    func memoryPlan() throws -> ExecutionPlan {
        try MemoryPlanner(
            context: generation.context, limit: generation.options.memoryLimit,
            samples: source.count + span.count * hop, isGuided: generation.options.guidanceScale > 1
        ) { context in
            var trial = self
            trial.generation.context = context
            var timer = StageTimer()
            _ = try trial.compute(&timer)
        }.plan()
    }

    func following(_ plan: ExecutionPlan) -> EditWork {
        var work = self
        work.generation.context = generation.context.following(plan)
        return work
    }

    /// - Returns: samples of the whole span.
    func compute(_ timer: inout StageTimer) throws -> [Float] {
        let context = generation.context
        let known = try timer.measure(.encoding) { try self.known() }
        let conditions = try timer.measure(.encoding) {
            try generation.conditions(PromptEncoder(context: context).encode(generation.tokens()))
        }
        let steps = generation.options.numInferenceSteps
        let skipped = steps - min(max(Int(Double(steps) * plan.strength), 1), steps)
        let (config, frames) = (model.unetConfig, span.count)
        let build = { try UNet(config, $0) }
        let latents = try context.with(Model.Part.unet, build) { unet in
            try generation.denoise(with: unet, conditions, frames: frames, known: known, skipped: skipped, &timer)
        }
        var samples: [Float] = []
        try generation.decode(latents, samples: span.count * hop, &timer) { samples += $0 }
        return samples
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
