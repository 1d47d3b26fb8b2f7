import AudioLDM2
import Diffusion
import Tensors

/// A prompt and a seed, with all that does not depend on how the way from noise to latents is gone.
struct DenoisedSound {
    let prompt: String
    let conditions: [Condition]
    let length: ClipLength
    let seed: UInt64

    /// A way from noise to latents.
    struct Way: Hashable {
        var kind = SchedulerKind.unipc
        var steps: Int
        var levels = NoiseLevels.settled
        /// Nil for all steps whole.
        var policy: StepPolicy?
    }

    /// - Returns: latents, `[1, frames, bands, channels]`.
    func latents(_ way: Way, with unet: UNet, in context: GenerationContext) throws -> Tensor {
        let scheduler = try makeScheduler(
            way.kind, config: context.model.schedulerConfig, steps: way.steps, levels: way.levels)
        let conditioned = try ConditionedUNet(unet, conditions: [conditions], context: context)
        let guidance = SoundOptions().guidance(for: context.model)
        let predictor: any NoisePredictor =
            if let policy = way.policy {
                try conditioned.predictor(at: scheduler.timesteps, guidance, policy)
            } else {
                try conditioned.predictor(at: scheduler.timesteps, guidance)
            }
        var source = NoiseSource(seeds: [seed], on: context.backend)
        let noise = try source.normal(
            [1, length.latentFrames, length.latentBands, context.model.unetConfig.inChannels])
        return try DiffusionLoop(context: context)(noise, scheduler, predictor) { try source.normal($0) }
    }
}

/// How far numbers are from others, as a share of what these deviate from their mean: 1 is no better than the mean.
func relativeDeviation(_ values: [Float], from reference: [Float]) -> Double {
    let mean = reference.reduce(0) { $0 + Double($1) } / Double(max(reference.count, 1))
    var (error, deviation) = (0.0, 0.0)
    for (value, expected) in zip(values, reference) {
        let (difference, offset) = (Double(value) - Double(expected), Double(expected) - mean)
        error += difference * difference
        deviation += offset * offset
    }
    return (error / max(deviation, .leastNormalMagnitude)).squareRoot()
}
