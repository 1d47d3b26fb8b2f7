import Foundation
import Tensors

/// UniPC, arXiv 2302.04867, as `UniPCMultistepScheduler` in diffusers with its defaults: second order, B₂(h), x₀
/// prediction, the corrector at every step but the first, lower order at the end.
struct UniPCScheduler: Scheduler {
    let timesteps: [Float]
    let path: CleanPath
    private let updates: [Update]
    private var counter: StepCounter
    /// The x₀ predicted one and two steps ago.
    private var history: [Tensor] = []
    /// The corrected sample of the step before.
    private var lastSample: Tensor?

    private struct Update {
        /// x₀ from the sample and the model's output.
        let clean: (sample: Float, output: Float)
        /// Takes this step's sample anew, from the last one and from the x₀ of this step and of two before.
        let corrector: Factors?
        /// The next sample, from this one and from the x₀ of this step and of the one before.
        let predictor: Factors
    }

    /// Of a linear combination of a sample and some x₀, the newest first.
    private struct Factors {
        let sample: Float
        let clean: [Float]

        var isFinite: Bool { sample.isFinite && clean.allSatisfy(\.isFinite) }
    }

    init(_ config: SchedulerConfig, spacing: TimestepSpacing, steps: Int, skipped: Int) throws {
        let visited = Array(config.wholeTimesteps(spacing, steps: steps, withoutLast: true).dropFirst(skipped))
        timesteps = visited.map { Float($0) }
        counter = StepCounter(count: visited.count)
        let levels = NoiseSchedule(config, rescaled: true).sigmas(at: visited.map { Double($0) })
            .map { NoiseLevel(sigma: $0) }
        /// The level before a second-order step from `index`; nil where the step is of first order.
        func earlier(_ index: Int) -> NoiseLevel? {
            index == 0 || index == visited.count - 1 ? nil : levels[index - 1]
        }
        updates = try visited.indices.map { index in
            let clean = levels[index].prediction(config.predictionType).clean
            let predictor = Self.predictor(from: levels[index], to: levels[index + 1], earlier: earlier(index))
            let corrector =
                index == 0
                ? nil : Self.corrector(from: levels[index - 1], to: levels[index], earlier: earlier(index - 1))
            guard predictor.isFinite, corrector?.isFinite ?? true, clean.sample.isFinite, clean.output.isFinite else {
                throw SchedulerError.degenerateSchedule(scheduler: .unipc, steps: steps)
            }
            return Update(
                clean: (Float(clean.sample), Float(clean.output)), corrector: corrector, predictor: predictor)
        }
        path = CleanPath(
            signal: levels[0].signal, noise: levels[0].noise, predictions: updates.map(\.clean))
    }

    /// UniP: factors of the sample at `level` and of the x₀ there and at `earlier`.
    private static func predictor(from level: NoiseLevel, to target: NoiseLevel, earlier: NoiseLevel?) -> Factors {
        let h = target.lambda - level.lambda
        let weight = -target.signal * expm1(-h)
        let sample = target.noise / level.noise
        guard let earlier else { return Factors(sample: sample, clean: [weight]) }
        let slope = 0.5 * weight / ((earlier.lambda - level.lambda) / h)
        return Factors(sample: sample, clean: [weight - slope, slope])
    }

    /// UniC: factors of the sample at `level` and of the x₀ at `target`, at `level` and at `earlier`.
    private static func corrector(from level: NoiseLevel, to target: NoiseLevel, earlier: NoiseLevel?) -> Factors {
        let h = target.lambda - level.lambda
        let phi = expm1(-h)
        let weight = -target.signal * phi
        let sample = target.noise / level.noise
        guard let earlier else { return Factors(sample: sample, clean: [0.5 * weight, 0.5 * weight]) }
        // The two equations of order 2 for ρ, with right sides B(h)⁻¹ · k! · h φₖ₊₁(h).
        let ratio = (earlier.lambda - level.lambda) / h
        let phi1 = phi / -h - 1
        let phi2 = phi1 / -h - 0.5
        let (right1, right2) = (phi1 / phi, phi2 * 2 / phi)
        let rhoEarlier = (right2 - right1) / (ratio - 1)
        let rhoTarget = right1 - rhoEarlier
        let slope = weight * rhoEarlier / ratio
        return Factors(sample: sample, clean: [weight * rhoTarget, weight * (1 - rhoTarget) - slope, slope])
    }

    mutating func step(
        _ modelOutput: Tensor, step: Int, sample: Tensor, noise: (Shape) throws -> Tensor
    ) throws -> Tensor {
        try counter.take(step)
        let update = updates[step]
        let backend = sample.backend
        let clean = try backend.combine([(update.clean.sample, sample), (update.clean.output, modelOutput)])
        history = [clean] + history.prefix(2)
        var sample = sample
        if let corrector = update.corrector, let lastSample {
            sample = try backend.combine([(corrector.sample, lastSample)] + zip(corrector.clean, history))
        }
        lastSample = sample
        return try backend.combine([(update.predictor.sample, sample)] + zip(update.predictor.clean, history))
    }
}
