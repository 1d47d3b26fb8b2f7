import Diffusion
import Tensors

/// The UNet's prediction, led away from the negative prompt: classifier-free guidance (arXiv 2207.12598).
///
/// UNet and guidance are nearly all of a step, and the same work at every one: what differs is the sample and a row of a
/// table, so a device may record it once and replay it. The scheduler's few sums, with their own factors at every step, noise
/// that is drawn, windows and what is known of the latents stay outside, as do progress and cancellation: so every kind of
/// loop is replayed.
package struct GuidedPredictor: NoisePredictor {
    private let conditioned: ConditionedUNet
    /// For the time steps, one for each batch that the UNet is given.
    private let conditionings: [UNetConditioning]
    /// The guided prediction, of a sample and of each conditioning's row.
    private let predict: TensorWork

    package init(
        _ conditioned: ConditionedUNet, at timesteps: [Float], _ guidance: Guidance, on backend: any Backend
    ) throws {
        let conditionings = try conditioned.conditionings(at: timesteps)
        self.conditioned = conditioned
        self.conditionings = conditionings
        predict = backend.repeatable { inputs in
            let timed = zip(conditionings, inputs.dropFirst()).map { $0.reading($1) }
            return try conditioned.guided(conditioned.predictions(inputs[0], timed), by: guidance)
        }
    }

    /// The UNet's predictions at a step, as `ConditionedUNet` has them.
    package func predictions(_ sample: Tensor, step: Int) throws -> Tensor {
        try conditioned.predictions(sample, conditionings.map { try $0.reading($0.shifts(at: step)) })
    }

    package func callAsFunction(_ sample: Tensor, at place: LoopPlace) throws -> Tensor {
        try predict([sample] + conditionings.map { try $0.shifts(at: place.step) })
    }
}
