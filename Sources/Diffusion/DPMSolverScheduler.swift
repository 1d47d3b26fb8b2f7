import Foundation
import Tensors

/// DPM-Solver++(2M), arXiv 2211.01095, algorithm 2, as `DPMSolverMultistepScheduler` in diffusers with its defaults:
/// second order, midpoint, the last step to zero noise in first order.
struct DPMSolverScheduler: Scheduler {
    let timesteps: [Float]
    let path: CleanPath
    private let updates: [Update]
    private var counter: StepCounter
    /// The x₀ predicted one step ago.
    private var previous: Tensor?

    private struct Update {
        /// x₀ from the sample and the model's output.
        let clean: (sample: Float, output: Float)
        let sample, current, previous: Float

        var isFinite: Bool {
            [clean.sample, clean.output, sample, current, previous].allSatisfy(\.isFinite)
        }
    }

    init(_ config: SchedulerConfig, spacing: TimestepSpacing, steps: Int, skipped: Int) throws {
        let visited = Array(config.wholeTimesteps(spacing, steps: steps, withoutLast: true).dropFirst(skipped))
        timesteps = visited.map { Float($0) }
        counter = StepCounter(count: visited.count)
        let levels = NoiseSchedule(config, rescaled: true).sigmas(at: visited.map { Double($0) })
            .map { NoiseLevel(sigma: $0) }
        updates = try visited.indices.map { index in
            let isFirstOrder = index == 0 || index == visited.count - 1
            let update = Self.update(
                config.predictionType, from: levels[index], to: levels[index + 1],
                previous: isFirstOrder ? nil : levels[index - 1])
            guard update.isFinite else {
                throw SchedulerError.degenerateSchedule(scheduler: .dpmpp, steps: steps)
            }
            return update
        }
        path = CleanPath(
            signal: levels[0].signal, noise: levels[0].noise, predictions: updates.map(\.clean))
    }

    private static func update(
        _ type: PredictionType, from level: NoiseLevel, to target: NoiseLevel, previous: NoiseLevel?
    ) -> Update {
        let clean = level.prediction(type).clean
        let h = target.lambda - level.lambda
        let weight = -target.signal * (exp(-h) - 1)
        var slope: Float = 0
        if let previous {
            // Half of the difference quotient of x₀ over λ.
            slope = 0.5 * weight / ((level.lambda - previous.lambda) / h)
        }
        return Update(
            clean: (Float(clean.sample), Float(clean.output)),
            sample: target.noise / level.noise, current: weight + slope, previous: -slope)
    }

    mutating func step(
        _ modelOutput: Tensor, step: Int, sample: Tensor, noise: (Shape) throws -> Tensor
    ) throws -> Tensor {
        try counter.take(step)
        let update = updates[step]
        let backend = sample.backend
        let current = try backend.combine([(update.clean.sample, sample), (update.clean.output, modelOutput)])
        var terms = [(update.sample, sample), (update.current, current)]
        if let previous, update.previous != 0 { terms.append((update.previous, previous)) }
        previous = current
        return try backend.combine(terms)
    }
}
