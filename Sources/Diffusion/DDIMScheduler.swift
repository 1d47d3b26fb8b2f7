import Tensors

/// Denoising diffusion implicit models, arXiv 2010.02502, equation 12, as `DDIMScheduler` in diffusers.
struct DDIMScheduler: Scheduler {
    let timesteps: [Float]
    let path: CleanPath
    private let updates: [Update]
    private let drawsNoise: Bool
    private var counter: StepCounter

    /// Factors of one step's linear combination.
    private struct Update {
        let sample, output, noise: Float
    }

    init(_ config: SchedulerConfig, spacing: TimestepSpacing, steps: Int, skipped: Int, eta: Double) throws {
        let alphas = NoiseSchedule(config, rescaled: true).alphasCumprod
        let finalAlpha = config.setAlphaToOne ?? true ? 1 : alphas[0]
        let visited = Array(config.wholeTimesteps(spacing, steps: steps, withoutLast: false).dropFirst(skipped))
        let stride = config.trainSteps / steps
        timesteps = visited.map { Float($0) }
        counter = StepCounter(count: visited.count)
        drawsNoise = eta > 0
        updates = try visited.map { timestep in
            guard alphas.indices.contains(timestep) else {
                throw SchedulerError.degenerateSchedule(scheduler: .ddim, steps: steps)
            }
            guard alphas[timestep] > 0 || config.predictionType != .epsilon else {
                throw SchedulerError.noSignal(scheduler: .ddim)
            }
            let target = timestep - stride
            let update = Self.update(
                config.predictionType, alpha: Double(alphas[timestep]),
                target: Double(target >= 0 ? alphas[target] : finalAlpha), eta: eta)
            guard [update.sample, update.output, update.noise].allSatisfy(\.isFinite) else {
                throw SchedulerError.degenerateSchedule(scheduler: .ddim, steps: steps)
            }
            return update
        }
        path = CleanPath(config.predictionType, alphas: visited.map { alphas[$0] })
    }

    /// From a sample at ᾱ = `alpha` to one at ᾱ = `target`.
    private static func update(_ type: PredictionType, alpha: Double, target: Double, eta: Double) -> Update {
        let prediction = Prediction(type, signal: alpha.squareRoot(), noise: (1 - alpha).squareRoot())
        // Equation 16.
        let variance = (1 - target) / (1 - alpha) * (1 - alpha / target)
        let deviation = eta * variance.squareRoot()
        let direction = max(1 - target - deviation * deviation, 0).squareRoot()
        let signal = target.squareRoot()
        return Update(
            sample: Float(signal * prediction.clean.sample + direction * prediction.noise.sample),
            output: Float(signal * prediction.clean.output + direction * prediction.noise.output),
            noise: Float(deviation))
    }

    mutating func step(
        _ modelOutput: Tensor, step: Int, sample: Tensor, noise: (Shape) throws -> Tensor
    ) throws -> Tensor {
        try counter.take(step)
        let update = updates[step]
        var terms = [(update.sample, sample), (update.output, modelOutput)]
        if drawsNoise { terms.append((update.noise, try noise(sample.shape))) }
        return try sample.backend.combine(terms)
    }
}
