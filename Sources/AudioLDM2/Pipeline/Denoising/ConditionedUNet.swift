import Diffusion
import Tensors

/// The UNet with what conditions it: of one sound or of several, with guidance or without.
package struct ConditionedUNet {
    package let unet: UNet
    private let context: GenerationContext
    /// One for each batch that the UNet is given.
    private let conditionings: [UNetConditioning]
    private let sounds: Int
    private let isGuided: Bool

    /// - Parameter conditions: of each sound, the negative one and the positive one, or the positive one alone.
    package init(_ unet: UNet, conditions: [[Condition]], context: GenerationContext) throws {
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
        _ conditions: [Condition], of unet: UNet, in context: GenerationContext
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

    /// What is added to the scores, 0 and −10000, for a mask that is 1 for tokens and 0 for padding.
    package static func additiveMask(_ mask: Tensor) throws -> Tensor {
        try mask.backend.upload(mask.values().map { (1 - $0) * -10000 }, mask.shape)
    }

    /// What conditions each batch at some time steps.
    package func conditionings(at timesteps: [Float]) throws -> [UNetConditioning] {
        try conditionings.map { try unet.conditioning($0, at: timesteps, on: context.backend) }
    }

    /// What predicts the noise at some time steps.
    package func predictor(at timesteps: [Float], _ guidance: Guidance) throws -> GuidedPredictor {
        try GuidedPredictor(self, at: timesteps, guidance, on: context.backend)
    }

    /// The same, with less work at some of them.
    /// - Parameter policy: stretched to their number.
    package func predictor(
        at timesteps: [Float], _ guidance: Guidance, _ policy: StepPolicy
    ) throws -> CarryingPredictor {
        try CarryingPredictor(
            self, at: timesteps, guidance, policy.stretched(to: timesteps.count),
            logRatios: context.model.schedulerConfig.logRatios(at: timesteps))
    }

    /// The UNet's predictions for every sound, with the negative conditions before those with the positive ones:
    /// `[conditions, time, frequency, channels]`.
    /// - Parameter conditionings: of one step, for each batch.
    package func predictions(_ sample: Tensor, _ conditionings: [UNetConditioning]) throws -> Tensor {
        try Self.joined(conditionings.map { try unet(sample, $0) })
    }

    /// The predictions of all batches as one.
    package static func joined(_ predictions: [Tensor]) throws -> Tensor {
        predictions.count == 1 ? predictions[0] : try Tensor.concatenate(predictions, axis: 0)
    }

    /// What guidance makes of the predictions.
    package func guided(_ predictions: Tensor, by guidance: Guidance) throws -> Tensor {
        guard isGuided else { return predictions }
        return try guidance(
            unconditional: predictions.outermost(0..<sounds),
            conditional: predictions.outermost(sounds..<2 * sounds))
    }
}
