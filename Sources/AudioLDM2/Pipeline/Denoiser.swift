import Diffusion
import Tensors

/// The diffusion loop: from noise to latents.
struct Denoiser {
    let context: StageContext
    let unet: UNet
    /// One for each batch that the UNet is given.
    private let conditionings: [UNetConditioning]
    private let isGuided: Bool

    /// - Parameter conditions: the negative one and the positive one, or the positive one alone.
    init(_ unet: UNet, conditions: [Condition], context: StageContext) throws {
        self.unet = unet
        self.context = context
        isGuided = conditions.count == 2
        let batches = context.memory.guidance == .together ? [conditions] : conditions.map { [$0] }
        conditionings = try batches.map { try Self.conditioning($0, of: unet, context) }
    }

    private static func conditioning(
        _ conditions: [Condition], of unet: UNet, _ context: StageContext
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

    /// The UNet's prediction for every condition: `[conditions, time, frequency, channels]`.
    func predictions(_ sample: Tensor, timestep: Float) throws -> Tensor {
        if isGuided, conditionings.count == 1 {
            return try unet(Tensor.concatenate([sample, sample], axis: 0), timestep: timestep, conditionings[0])
        }
        let predictions = try conditionings.map { try unet(sample, timestep: timestep, $0) }
        return predictions.count == 1 ? predictions[0] : try Tensor.concatenate(predictions, axis: 0)
    }

    /// - Parameters:
    ///   - noise: `[1, time, frequency, channels]`, of variance 1.
    ///   - draw: more such noise, for schedulers that add some at every step.
    /// - Returns: latents of the same shape.
    func callAsFunction(
        _ noise: Tensor, _ scheduler: any Scheduler, guidanceScale: Float, draw: (Shape) throws -> Tensor
    ) throws -> Tensor {
        var scheduler = scheduler
        var sample = try scheduler.initialNoiseScale * noise
        let total = scheduler.timesteps.count
        context.report(.denoising, 0, of: total)
        for step in scheduler.timesteps.indices.prefix(context.memory.stepLimit) {
            try context.cancellation.check()
            sample = try self.step(step, of: &scheduler, sample, guidanceScale: guidanceScale, draw: draw)
            context.report(.denoising, step + 1, of: total)
        }
        return sample
    }

    /// One step of the loop: predict, guide, and let the scheduler make the next sample.
    func step(
        _ step: Int, of scheduler: inout any Scheduler, _ sample: Tensor, guidanceScale: Float,
        draw: (Shape) throws -> Tensor
    ) throws -> Tensor {
        let predictions = try predictions(
            scheduler.scaleInput(sample, step: step), timestep: scheduler.timesteps[step])
        let noise =
            isGuided
            ? try guided(
                unconditional: predictions.outermost(0..<1), conditional: predictions.outermost(1..<2),
                scale: guidanceScale) : predictions
        return try scheduler.step(noise, step: step, sample: sample, noise: draw)
    }
}

/// Normal noise as PyTorch's CPU generator draws it, in channels-last order.
struct NoiseSource {
    private var generator: TorchGenerator
    private let backend: any Backend

    init(seed: UInt64, on backend: any Backend) {
        generator = TorchGenerator(seed: seed)
        self.backend = backend
    }

    /// - Parameter shape: `[batch, time, frequency, channels]`; the numbers are drawn as if it were
    ///   `[batch, channels, time, frequency]`.
    mutating func normal(_ shape: Shape) throws -> Tensor {
        let values = generator.normal(count: shape.count)
        return try backend.upload(
            ChannelOrder.channelsLast(values, [shape[0], shape[3], shape[1], shape[2]]), shape)
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
