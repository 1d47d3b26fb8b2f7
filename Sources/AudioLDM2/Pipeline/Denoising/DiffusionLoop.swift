import Diffusion
import Tensors

/// The way from noise to latents, of one sound or of several at once.
///
/// Ho et al. 2020 (arXiv 2006.11239), algorithm 2, with any scheduler.
package struct DiffusionLoop {
    let context: GenerationContext
    /// Nil if the whole sample is seen at once.
    let windows: LatentWindows?
    /// Nil if all of the sample is made.
    let known: KnownLatents?

    package init(context: GenerationContext, windows: LatentWindows? = nil, known: KnownLatents? = nil) {
        self.context = context
        self.windows = windows
        self.known = known
    }

    /// - Parameters:
    ///   - noise: `[sounds, time, frequency, channels]`, of variance 1.
    ///   - predictor: for the scheduler's time steps.
    ///   - draw: more such noise, for schedulers that add some at every step.
    /// - Returns: latents of the same shape.
    package func callAsFunction(
        _ noise: Tensor, _ scheduler: any Scheduler, _ predictor: any NoisePredictor, draw: (Shape) throws -> Tensor
    ) throws -> Tensor {
        var scheduler = scheduler
        var predictor = predictor
        var sample = try known?.start(noise, scheduler) ?? scheduler.initialNoiseScale * noise
        let total = scheduler.timesteps.count
        context.report(.denoising, 0, of: total)
        for step in scheduler.timesteps.indices.prefix(context.memory.stepLimit) {
            sample = try self.step(step, sample, &scheduler, &predictor, draw: draw)
            context.report(.denoising, step + 1, of: total)
        }
        return sample
    }

    /// One step: predict, and let the scheduler make the next sample.
    package func step(
        _ step: Int, _ sample: Tensor, _ scheduler: inout any Scheduler, _ predictor: inout any NoisePredictor,
        draw: (Shape) throws -> Tensor
    ) throws -> Tensor {
        let input = try scheduler.scaleInput(sample, step: step)
        let predicted = try prediction(input, step, &predictor)
        let output = try known?.corrected(predicted, sample: sample, step: step, scheduler) ?? predicted
        return try scheduler.step(output, step: step, sample: sample, noise: draw)
    }

    private func prediction(_ input: Tensor, _ step: Int, _ predictor: inout any NoisePredictor) throws -> Tensor {
        func predict(_ sample: Tensor, window: Int) throws -> Tensor {
            try context.cancellation.check()
            return try predictor(sample, at: LoopPlace(step: step, window: window))
        }
        guard let windows else { return try predict(input, window: 0) }
        return try windows.average(input, step: step, predict)
    }
}
