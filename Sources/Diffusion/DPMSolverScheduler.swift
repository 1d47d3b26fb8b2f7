import Tensors

/// DPM-Solver++, as `DPMSolverMultistepScheduler` and `DPMSolverSinglestepScheduler` in diffusers.
struct DPMSolverScheduler: Scheduler {
    let timesteps: [Float]
    let path: CleanPath
    private let updates: [Update]
    private let isStochastic: Bool
    private var counter: StepCounter
    /// The x₀ predicted at the last steps, the newest first.
    private var history: [Tensor] = []
    /// The sample from which the steps of the singlestep solver start anew.
    private var start: Tensor?

    private struct Update {
        /// x₀ from the sample and the model's output.
        let clean: (sample: Float, output: Float)
        let step: DPMSolverStep
        /// Whether the step goes from its own sample on, and not from an earlier one.
        let isStart: Bool

        var isFinite: Bool { clean.sample.isFinite && clean.output.isFinite && step.isFinite }
    }

    /// - Parameters:
    ///   - kind: `.dpmpp` or `.dpmppSinglestep`.
    ///   - anew: steps of the first that take no earlier prediction into account.
    init(
        _ config: SchedulerConfig, _ kind: SchedulerKind, spacing: TimestepSpacing, steps: Int, skipped: Int,
        levels: NoiseLevels, anew: Set<Int> = []
    ) throws {
        let options = try DPMSolverOptions(config)
        let isSinglestep = kind == .dpmppSinglestep
        let whole = config.wholeTimesteps(spacing, steps: steps, withoutLast: true)
        let way = try SolverWay(
            config, kind, schedule: NoiseSchedule(config, rescaled: !isSinglestep), timesteps: whole.map { Double($0) },
            skipped: skipped, levels: levels)
        timesteps = way.timesteps
        counter = StepCounter(count: timesteps.count)
        isStochastic = options.isStochastic
        let levels = way.sigmas.map { NoiseLevel(sigma: $0) }
        let orders = isSinglestep ? options.singlestepOrders(whole.count) : options.multistepOrders(whole.count)
        updates = try timesteps.indices.map { index in
            // No more of the past than there is, where the first steps are left out, and than is of use.
            let oldest = anew.filter { $0 <= index }.max() ?? 0
            let order = min(orders[skipped + index], index + 1 - oldest)
            let past = Array(levels[index + 1 - order...index])
            let clean = levels[index].prediction(config.predictionType).clean
            let update = Update(
                clean: (Float(clean.sample), Float(clean.output)),
                step: isSinglestep
                    ? DPMSolverStep(singlestep: past, to: levels[index + 1], options)
                    : DPMSolverStep(multistep: past, to: levels[index + 1], options),
                isStart: !isSinglestep || order == 1)
            guard update.isFinite else { throw SchedulerError.degenerateSchedule(scheduler: kind, steps: steps) }
            return update
        }
        path = CleanPath(
            signal: levels[0].signal, noise: levels[0].noise, predictions: updates.map(\.clean))
    }

    mutating func step(
        _ modelOutput: Tensor, step: Int, sample: Tensor, noise: (Shape) throws -> Tensor
    ) throws -> Tensor {
        try counter.take(step)
        let update = updates[step]
        let backend = sample.backend
        let current = try backend.combine([(update.clean.sample, sample), (update.clean.output, modelOutput)])
        history = [current] + history.prefix(2)
        if update.isStart { start = sample }
        var terms = [(update.step.sample, start ?? sample)]
        terms += zip(update.step.clean, history).filter { $0.0 != 0 }
        if isStochastic { terms.append((update.step.noise, try noise(sample.shape))) }
        return try backend.combine(terms)
    }
}

extension DPMSolverOptions {
    /// The order of each step: of the first ones as much as there is of the past, of the last ones less.
    fileprivate func multistepOrders(_ count: Int) -> [Int] {
        let isShort = (lowersOrderAtEnd ?? true) && count < 15
        return (0..<count).map { index in
            let isLast = index == count - 1 && (isFirstOrderAtEnd || isShort || endsWithoutNoise)
            let isSecondLast = index == count - 2 && isShort
            return min(order, index + 1, isLast ? 1 : isSecondLast ? 2 : 3)
        }
    }

    /// Rising from 1 to the solver's own in turn, and starting anew at the end.
    fileprivate func singlestepOrders(_ count: Int) -> [Int] {
        var orders = (0..<count).map { $0 % order + 1 }
        let lowers = lowersOrderAtEnd ?? false || !count.isMultiple(of: order) || endsWithoutNoise
        if lowers, order > 1, count.isMultiple(of: order) {
            // The last three are of orders 1, 2, 1, the last two of order 1.
            orders[count - 1] = 1
        }
        if endsWithoutNoise { orders[count - 1] = 1 }
        return orders
    }
}
