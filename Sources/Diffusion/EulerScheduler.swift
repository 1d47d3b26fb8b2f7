import Tensors

/// Euler's method on the probability flow, arXiv 2206.00364, as `EulerDiscreteScheduler` in diffusers.
///
/// Samples are kept in coordinates where the signal's scale is 1 and the noise's is σ.
struct EulerScheduler: Scheduler {
    let timesteps: [Float]
    let path: CleanPath
    let initialNoiseScale: Float
    private let inputScales: [Float]
    private let updates: [Update]
    private var counter: StepCounter

    private struct Update {
        let sample, output: Float
    }

    init(_ config: SchedulerConfig, spacing: TimestepSpacing, steps: Int, skipped: Int) throws {
        // Unlike the other schedulers, this one asks the model about timesteps between the trained ones.
        let visited = spacing.timesteps(
            steps, of: config.trainSteps, offset: config.stepsOffset, withoutLast: false
        ).map { Double(Float($0)) }
        let way = try SolverWay(
            config, .euler, schedule: NoiseSchedule(config, rescaled: true), timesteps: visited, skipped: skipped)
        timesteps = way.timesteps
        counter = StepCounter(count: timesteps.count)
        let sigmas = way.sigmas
        let highest = sigmas.max() ?? 0
        initialNoiseScale = spacing == .leading ? (highest * highest + 1).squareRoot() : highest
        inputScales = sigmas.map { 1 / ($0 * $0 + 1).squareRoot() }
        updates = try zip(sigmas, sigmas.dropFirst()).map { (sigma, target) throws in
            let update = Self.update(config.predictionType, level: NoiseLevel(sigma: sigma), ratio: target / sigma)
            guard update.sample.isFinite && update.output.isFinite else {
                throw SchedulerError.degenerateSchedule(scheduler: .euler, steps: steps)
            }
            return update
        }
        path = CleanPath(
            signal: 1, noise: sigmas[0],
            predictions: sigmas.dropLast().map { sigma in
                let level = NoiseLevel(sigma: sigma)
                let clean = level.prediction(config.predictionType).clean
                return (Float(clean.sample * Double(level.signal)), Float(clean.output))
            })
    }

    /// A straight line from the sample towards the predicted x₀, to `ratio` of the noise.
    private static func update(_ type: PredictionType, level: NoiseLevel, ratio: Float) -> Update {
        let clean = level.prediction(type).clean
        let ratio = Double(ratio)
        return Update(
            sample: Float(ratio + (1 - ratio) * clean.sample * Double(level.signal)),
            output: Float((1 - ratio) * clean.output))
    }

    func scaleInput(_ sample: Tensor, step: Int) throws -> Tensor {
        guard timesteps.indices.contains(step) else {
            throw SchedulerError.stepOutOfOrder(expected: timesteps.count - 1, found: step)
        }
        return try inputScales[step] * sample
    }

    mutating func step(
        _ modelOutput: Tensor, step: Int, sample: Tensor, noise: (Shape) throws -> Tensor
    ) throws -> Tensor {
        try counter.take(step)
        return try sample.backend.combine([(updates[step].sample, sample), (updates[step].output, modelOutput)])
    }
}
