import Tensors

/// Pseudo linear multistep sampling, arXiv 2202.09778, as `PNDMScheduler` in diffusers with `skip_prk_steps`.
///
/// The second timestep is visited twice: the first two evaluations make one step of Heun's kind, with which the history
/// starts.
struct PNDMScheduler: Scheduler {
    let timesteps: [Float]
    let path: CleanPath
    private let transfers: [Transfer]
    private var counter: StepCounter
    /// The model's outputs that later steps use, the newest first.
    private var history: [Tensor] = []
    private var firstSample: Tensor?

    /// Equation 11: factors of the sample and of the combined outputs.
    private struct Transfer {
        let sample, output: Float
    }

    /// Adams-Bashforth weights of the outputs, the newest first; by the number of outputs.
    private static let weights: [[Float]] = [
        [1],
        [3.0 / 2, -1.0 / 2],
        [23.0 / 12, -16.0 / 12, 5.0 / 12],
        [55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24],
    ]

    init(_ config: SchedulerConfig, spacing: TimestepSpacing, steps: Int, skipped: Int) throws {
        guard config.predictionType != .sample else {
            throw SchedulerError.unsupportedOption(key: "prediction_type", value: "\"sample\"", scheduler: .pndm)
        }
        var visited = Array(config.wholeTimesteps(spacing, steps: steps, withoutLast: false).dropFirst(skipped))
        if visited.count > 1 { visited.insert(visited[1], at: 1) }
        timesteps = visited.map { Float($0) }
        counter = StepCounter(count: visited.count)

        let alphas = NoiseSchedule(config, rescaled: false).alphasCumprod
        let finalAlpha = config.setAlphaToOne ?? false ? 1 : alphas[0]
        let stride = config.trainSteps / steps
        transfers = try visited.enumerated().map { index, timestep in
            // The second evaluation repeats the first step, with what was learned at its end.
            let source = index == 1 ? timestep + stride : timestep
            let target = source - stride
            guard alphas.indices.contains(source) else {
                throw SchedulerError.degenerateSchedule(scheduler: .pndm, steps: steps)
            }
            let transfer = Self.transfer(
                config.predictionType, alpha: Double(alphas[source]),
                target: Double(target >= 0 ? alphas[target] : finalAlpha))
            guard transfer.sample.isFinite && transfer.output.isFinite else {
                throw SchedulerError.degenerateSchedule(scheduler: .pndm, steps: steps)
            }
            return transfer
        }
        path = CleanPath(config.predictionType, alphas: visited.map { alphas[$0] })
    }

    private static func transfer(_ type: PredictionType, alpha: Double, target: Double) -> Transfer {
        let noise = Prediction(type, signal: alpha.squareRoot(), noise: (1 - alpha).squareRoot()).noise
        let divisor = alpha * (1 - target).squareRoot() + (alpha * (1 - alpha) * target).squareRoot()
        let factor = (alpha - target) / divisor
        return Transfer(
            sample: Float((target / alpha).squareRoot() + factor * noise.sample), output: Float(factor * noise.output))
    }

    mutating func step(
        _ modelOutput: Tensor, step: Int, sample: Tensor, noise: (Shape) throws -> Tensor
    ) throws -> Tensor {
        try counter.take(step)
        let transfer = transfers[step]
        var start = sample
        var outputs = [modelOutput] + history
        var weights = Self.weights[min(outputs.count, 4) - 1]
        if step == 1, let firstSample {
            start = firstSample
            weights = [0.5, 0.5]
        } else {
            outputs = Array(outputs.prefix(4))
            history = Array(outputs.prefix(3))
        }
        firstSample = step == 0 ? sample : nil
        let terms = zip(weights, outputs).map { (transfer.output * $0, $1) }
        return try sample.backend.combine([(transfer.sample, start)] + terms)
    }
}
