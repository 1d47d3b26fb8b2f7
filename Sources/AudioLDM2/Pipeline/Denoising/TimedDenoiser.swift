import Diffusion
import Tensors

/// The diffusion loop, ready for some time steps.
///
/// The UNet and the guidance are nearly all of a step, and the same work at every one: what differs is the sample and a row
/// of a table, so a device may record it once and replay it. The scheduler's few sums, with their own factors at every
/// step, noise that is drawn, windows and what is known of the latents stay outside, as do progress and cancellation: so
/// every kind of loop is replayed.
struct TimedDenoiser {
    private let loop: Denoiser
    private let conditionings: [UNetConditioning]
    /// The guided prediction, of a sample and of each conditioning's row.
    private let predict: TensorWork

    /// - Parameter conditionings: for these time steps, one for each batch that the UNet is given.
    init(_ loop: Denoiser, _ conditionings: [UNetConditioning], _ guidance: Guidance) throws {
        (self.loop, self.conditionings) = (loop, conditionings)
        predict = loop.context.backend.repeatable { inputs in
            let timed = zip(conditionings, inputs.dropFirst()).map { $0.reading($1) }
            return try loop.guided(loop.predictions(inputs[0], timed), by: guidance)
        }
    }

    /// The UNet's predictions at a step, as `Denoiser` has them.
    func predictions(_ sample: Tensor, step: Int) throws -> Tensor {
        try loop.predictions(sample, conditionings.map { try $0.reading($0.shifts(at: step)) })
    }

    /// One step of the loop: predict, guide, and let the scheduler make the next sample.
    func step(
        _ step: Int, of scheduler: inout any Scheduler, _ sample: Tensor, draw: (Shape) throws -> Tensor
    ) throws -> Tensor {
        let predict = { try guidedPrediction($0, step: step) }
        let input = try scheduler.scaleInput(sample, step: step)
        let predicted = try loop.windows?.average(input, step: step, predict) ?? predict(input)
        let output = try loop.known?.corrected(predicted, sample: sample, step: step, scheduler) ?? predicted
        return try scheduler.step(output, step: step, sample: sample, noise: draw)
    }

    private func guidedPrediction(_ input: Tensor, step: Int) throws -> Tensor {
        try loop.context.cancellation.check()
        return try predict([input] + conditionings.map { try $0.shifts(at: step) })
    }
}
