import Layers
import Tensors
import WeightFile

/// The denoiser: predicts the noise in a latent spectrogram, given the time step and two conditioning sequences.
///
/// diffusers `AudioLDM2UNet2DConditionModel`; arXiv 2308.05734, section III-C.
package struct UNet: Sendable {
    private let convIn: Conv2d
    private let timeEmbedding: TimeEmbedding
    /// Of a vector that conditions every block beside the time step (FiLM, arXiv 1709.07871, as AudioLDM has it).
    private let filmEmbedding: Linear?
    private let downLevels: [UNetDownLevel]
    private let middle: UNetMiddle
    private let upLevels: [UNetUpLevel]
    private let normOut: GroupNorm
    private let convOut: Conv2d
    private let slotContexts: [Int]

    package init(_ config: UNetConfig, _ weights: WeightScope) throws {
        let levels = config.levels
        let build = UNetBuild(
            timeEmbedDim: config.blockEmbedDim, norm: .init(groups: config.normNumGroups, epsilon: config.normEps))
        let base = config.blockOutChannels[0]
        convIn = try Conv2d(
            config.inChannels, base, kernel: config.convInKernel ?? 3, weights["conv_in"].preferring(.float))
        timeEmbedding = try TimeEmbedding(config, weights["time_embedding"])
        filmEmbedding = try config.filmWidth.map {
            try Linear($0, config.timeEmbedDim, weights["class_embedding"].preferring(.float))
        }

        var skipChannels = [base]
        var channels = base
        downLevels = try levels.enumerated().map { index, level in
            let isLast = index == levels.count - 1
            defer { channels = level.channels }
            skipChannels += Array(repeating: level.channels, count: level.layers + (isLast ? 0 : 1))
            return try UNetDownLevel(
                channels, level, downsamples: !isLast, build: build, weights["down_blocks"][index])
        }
        middle = try UNetMiddle(levels[levels.count - 1], build: build, weights["mid_block"])
        upLevels = try levels.reversed().enumerated().map { index, level in
            let count = level.layers + 1
            let skips = Array(skipChannels.suffix(count).reversed())
            skipChannels.removeLast(count)
            defer { channels = level.channels }
            return try UNetUpLevel(
                channels, skips: skips, level, upsamples: index < levels.count - 1, build: build,
                weights["up_blocks"][index])
        }
        normOut = try GroupNorm(
            base, groups: config.normNumGroups, epsilon: config.normEps, activation: .silu, weights["conv_norm_out"])
        convOut = try Conv2d(
            base, config.outChannels, kernel: config.convOutKernel ?? 3, weights["conv_out"].preferring(.float))
        slotContexts = build.slots.contexts
    }

    /// Computes every cross-attention's keys and values.
    /// - Parameters:
    ///   - contexts: the language of audio, and the second text encoder's states, `[batch, tokens, width]` each.
    ///   - masks: `[batch, tokens]` for each context, 0 at tokens and −10000 at padding; nil where all are tokens.
    ///   - film: `[batch, filmWidth]`, for models that are conditioned by one vector.
    package func conditioning(contexts: [Tensor?], masks: [Tensor?], film: Tensor? = nil) throws -> UNetConditioning {
        if filmEmbedding != nil, film == nil {
            throw TensorError.shapeMismatch(operation: "denoiser", expected: "a vector that conditions it", found: [])
        }
        return try UNetConditioning(
            of: layers.flatMap(\.transformers), slots: slotContexts.count, contexts: contexts, masks: masks,
            // After the SiLU that every block applies first.
            film: filmEmbedding.flatMap { embed in try film.map { try embed($0, activation: .silu) } })
    }

    /// Computes what every residual block adds at each of some time steps.
    /// - Parameter timesteps: of the training schedule, 0…999, in the order of the steps.
    package func conditioning(
        _ conditioning: UNetConditioning, at timesteps: [Float], on backend: any Backend
    ) throws -> UNetConditioning {
        let times = try timeEmbedding(timesteps, on: backend)
        var embeddings = try times.reshaped([timesteps.count, 1, times.shape.last])
        if let film = conditioning.film {
            embeddings = try .concatenate(
                timesteps.indices.map { step in
                    let time = try times.outermost(step..<step + 1)
                    let beside = try Tensor.concatenate(Array(repeating: time, count: film.shape[0]), axis: 0)
                    let both = try Tensor.concatenate([beside, film])
                    return try both.reshaped([1, film.shape[0], both.shape.last])
                }, axis: 0)
        }
        var conditioning = conditioning
        try conditioning.addShifts(of: layers.map(\.resnet) + [middle.resnet2], embeddings)
        return conditioning
    }

    /// All layers but the last residual block of the middle.
    private var layers: [UNetLayer] { downLevels.flatMap(\.layers) + [middle.first] + upLevels.flatMap(\.layers) }

    /// - Parameters:
    ///   - sample: noisy latents `[samples, time, frequency, inChannels]`. If the conditioning is of more, such as the two
    ///     sides of guidance, all samples are predicted under the first conditions, then under the next.
    ///   - conditioning: of the one step that is predicted.
    /// - Returns: the predicted noise, `[batch, time, frequency, outChannels]`.
    package func callAsFunction(_ sample: Tensor, _ conditioning: UNetConditioning) throws -> Tensor {
        try self(sample, conditioning, below: levelCount) { x, _ in try middle(x, conditioning) }
    }

    /// Resolutions, from the highest at 0 to the lowest; below the last one is the middle.
    package var levelCount: Int { downLevels.count }

    /// The same with somebody else's work in the place of everything below some levels: what changes little from step to step
    /// need not be computed at every one (DeepCache, arXiv 2312.00858).
    /// - Parameters:
    ///   - depth: how many levels, from the highest, are computed.
    ///   - deep: of what the last of them gives downwards, `[batch, time, frequency, channels]`, what comes back to it from
    ///     below, with the height and width of its own: what `levels(from:_:_:_:)` makes of it.
    package func callAsFunction(
        _ sample: Tensor, _ conditioning: UNetConditioning, below depth: Int,
        _ deep: (Tensor, _ size: (Int, Int)) throws -> Tensor
    ) throws -> Tensor {
        // What conditions every block leaves nothing in common.
        let sample = filmEmbedding == nil ? sample : try conditioning.forAll(sample)
        return try convOut(normOut(conditioning.forAll(levels(0..<depth, convIn(sample), nil, conditioning, deep))))
    }

    /// A level and all below it.
    /// - Parameters:
    ///   - level: from 0; `levelCount` is the middle alone.
    ///   - x: what the level above gives downwards, `[batch, time, frequency, channels]`.
    ///   - size: height and width of the level above.
    /// - Returns: what comes back to the level above.
    package func levels(
        from level: Int, _ x: Tensor, _ size: (Int, Int), _ conditioning: UNetConditioning
    ) throws -> Tensor {
        try levels(level..<levelCount, x, size, conditioning) { x, _ in try middle(x, conditioning) }
    }

    /// - Parameter x: consumed, so that it goes when the last level that reads it has done so.
    private func levels(
        _ range: Range<Int>, _ x: consuming Tensor, _ size: (Int, Int)?, _ conditioning: UNetConditioning,
        _ deep: (Tensor, _ size: (Int, Int)) throws -> Tensor
    ) throws -> Tensor {
        var skips = [copy x]
        for level in range { x = try downLevels[level](x, conditioning, skips: &skips) }
        // What is given downwards is read there, and not on the way up.
        if range.upperBound < levelCount { skips.removeLast() }
        let lowest = skips.last?.shape ?? x.shape
        x = try deep(x, (lowest[1], lowest[2]))
        for level in range.reversed() {
            x = try upLevels[levelCount - 1 - level](x, conditioning, skips: &skips, outer: size)
        }
        return x
    }
}
