import Diffusion
import Tensors

/// The diffusion loop: from noise to latents, of one sound or of several at once.
struct Denoiser {
    let context: StageContext
    let unet: UNet
    /// One for each batch that the UNet is given.
    private let conditionings: [UNetConditioning]
    private let sounds: Int
    private let isGuided: Bool
    /// Nil if the UNet sees the whole sample at once.
    let windows: LatentWindows?
    /// Nil if all of the sample is made.
    let known: KnownLatents?

    /// - Parameter conditions: of each sound, the negative one and the positive one, or the positive one alone.
    init(
        _ unet: UNet, conditions: [[Condition]], windows: LatentWindows? = nil, known: KnownLatents? = nil,
        context: StageContext
    ) throws {
        self.windows = windows
        self.known = known
        self.unet = unet
        self.context = context
        sounds = conditions.count
        let sides = conditions.first?.count ?? 0
        isGuided = sides == 2
        // All the negative ones first.
        let bySide = (0..<sides).map { side in conditions.map { $0[side] } }
        let batches = context.memory.batching.guidance == .together ? [bySide.flatMap(\.self)] : bySide
        conditionings = try batches.map { try Self.conditioning($0, of: unet, in: context) }
    }

    private static func conditioning(
        _ conditions: [Condition], of unet: UNet, in context: StageContext
    ) throws -> UNetConditioning {
        func joined(_ tensors: [Tensor]) throws -> Tensor? {
            tensors.isEmpty ? nil : try Tensor.concatenate(tensors, axis: 0)
        }
        func mask() throws -> Tensor {
            let mask = conditions.flatMap { $0.mask.map(Float.init) }
            return try additiveMask(
                context.backend.upload(mask, [conditions.count, mask.count / conditions.count]))
        }
        let sources = context.model.contextSources
        return try unet.conditioning(
            contexts: sources.map { source in
                switch source {
                case .languageOfAudio: try joined(conditions.compactMap(\.loa))
                case .states: try joined(conditions.compactMap(\.states))
                }
            },
            masks: sources.map { $0 == .states ? try mask() : nil }, film: joined(conditions.compactMap(\.film)))
    }

    /// Of a mask that is 1 for tokens and 0 for padding, what is added to the scores: 0 and −10000.
    static func additiveMask(_ mask: Tensor) throws -> Tensor {
        try mask.backend.upload(mask.values().map { (1 - $0) * -10000 }, mask.shape)
    }

    /// This loop, ready for some time steps.
    func at(_ timesteps: [Float], _ guidance: Guidance) throws -> TimedDenoiser {
        try TimedDenoiser(
            self,
            conditionings.map { try unet.conditioning($0, at: timesteps, on: context.backend) },
            guidance)
    }

    /// The UNet's predictions for every sound, with the negative conditions before those with the positive ones:
    /// `[conditions, time, frequency, channels]`.
    /// - Parameter conditionings: of one step, for each batch.
    func predictions(_ sample: Tensor, _ conditionings: [UNetConditioning]) throws -> Tensor {
        if isGuided, conditionings.count == 1 {
            return try unet(Tensor.concatenate([sample, sample], axis: 0), conditionings[0])
        }
        let predictions = try conditionings.map { try unet(sample, $0) }
        return predictions.count == 1 ? predictions[0] : try Tensor.concatenate(predictions, axis: 0)
    }

    /// What guidance makes of the predictions.
    func guided(_ predictions: Tensor, by guidance: Guidance) throws -> Tensor {
        guard isGuided else { return predictions }
        return try guidance(
            unconditional: predictions.outermost(0..<sounds),
            conditional: predictions.outermost(sounds..<2 * sounds))
    }

    /// - Parameters:
    ///   - noise: `[sounds, time, frequency, channels]`, of variance 1.
    ///   - draw: more such noise, for schedulers that add some at every step.
    /// - Returns: latents of the same shape.
    func callAsFunction(
        _ noise: Tensor, _ scheduler: any Scheduler, _ guidance: Guidance, draw: (Shape) throws -> Tensor
    ) throws -> Tensor {
        var scheduler = scheduler
        var sample = try known?.start(noise, scheduler) ?? scheduler.initialNoiseScale * noise
        let total = scheduler.timesteps.count
        let timed = try at(scheduler.timesteps, guidance)
        context.report(.denoising, 0, of: total)
        for step in scheduler.timesteps.indices.prefix(context.memory.stepLimit) {
            try context.cancellation.check()
            sample = try timed.step(step, of: &scheduler, sample, draw: draw)
            context.report(.denoising, step + 1, of: total)
        }
        return sample
    }
}

/// Normal noise as PyTorch's CPU generator draws it, in channels-last order, for each sound from its own seed.
struct NoiseSource {
    private var generators: [TorchGenerator]
    private let backend: any Backend

    init(seeds: [UInt64], on backend: any Backend) {
        generators = seeds.map { TorchGenerator(seed: $0) }
        self.backend = backend
    }

    /// - Parameter shape: `[sounds, time, frequency, channels]`; each sound's numbers are drawn as if it were
    ///   `[1, channels, time, frequency]`.
    mutating func normal(_ shape: Shape) throws -> Tensor {
        var values: [Float] = []
        for sound in generators.indices {
            let drawn = generators[sound].normal(count: shape.count / generators.count)
            values += ChannelOrder.channelsLast(drawn, [1, shape[3], shape[1], shape[2]])
        }
        return try backend.upload(values, shape)
    }
}

/// Between PyTorch's order of axes and ours.
enum ChannelOrder {
    /// `[batch, channels, ...]` → `[batch, ..., channels]`; `shape` is the former.
    static func channelsLast(_ values: [Float], _ shape: [Int]) -> [Float] {
        let positions = shape.dropFirst(2).reduce(1, *)
        return transposed(values, batch: shape[0], rows: shape[1], columns: positions)
    }

    /// `[batch, ..., channels]` → `[batch, channels, ...]`; `shape` is the former.
    static func channelsFirst(_ values: [Float], _ shape: [Int]) -> [Float] {
        let positions = shape.dropFirst().dropLast().reduce(1, *)
        return transposed(values, batch: shape[0], rows: positions, columns: shape[shape.count - 1])
    }

    private static func transposed(_ values: [Float], batch: Int, rows: Int, columns: Int) -> [Float] {
        [Float](unsafeUninitializedCapacity: values.count) { result, count in
            for sample in 0..<batch {
                let base = sample * rows * columns
                for row in 0..<rows {
                    for column in 0..<columns {
                        result[base + column * rows + row] = values[base + row * columns + column]
                    }
                }
            }
            count = values.count
        }
    }
}
