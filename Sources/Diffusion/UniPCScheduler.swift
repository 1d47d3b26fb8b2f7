import Glibc
import Tensors

/// UniPC, arXiv 2302.04867, as `UniPCMultistepScheduler` in diffusers, of an order up to three: B₂(h), x₀ prediction,
/// the corrector at every step but the first, lower order at the end.
struct UniPCScheduler: Scheduler {
    let timesteps: [Float]
    let path: CleanPath
    private let updates: [Update]
    private var counter: StepCounter
    /// The x₀ predicted at the last steps, the newest first.
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

    init(
        _ config: SchedulerConfig, spacing: TimestepSpacing, steps: Int, skipped: Int, levels noise: NoiseLevels
    ) throws {
        let order = try config.fields.integer("solver_order", in: 1...3) ?? 2
        let whole = config.wholeTimesteps(spacing, steps: steps, withoutLast: true).map { Double($0) }
        let way = try SolverWay(
            config, .unipc, schedule: NoiseSchedule(config, rescaled: true), timesteps: whole, skipped: skipped,
            levels: noise)
        timesteps = way.timesteps
        counter = StepCounter(count: timesteps.count)
        let (levels, count) = (way.sigmas.map { NoiseLevel(sigma: $0) }, way.timesteps.count)
        /// The levels before a step from `index` that it takes into account, the latest first.
        func earlier(_ index: Int) -> [NoiseLevel] {
            Array(levels[..<index].suffix(min(order, count - index) - 1).reversed())
        }
        updates = try timesteps.indices.map { index in
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

    /// UniP: factors of the sample at `level` and of the x₀ there and at `earlier`, at most two.
    private static func predictor(from level: NoiseLevel, to target: NoiseLevel, earlier: [NoiseLevel]) -> Factors {
        let equations = Equations(from: level, to: target, earlier: earlier)
        // For the second order the reference takes a half in place of the solution.
        let rho = earlier.count == 1 ? [0.5] : equations.solution(count: earlier.count)
        let slopes = zip(rho, equations.ratios).map { equations.weight * $0 / $1 }
        return Factors(
            sample: target.noise / level.noise, clean: [equations.weight - slopes.reduce(0, +)] + slopes)
    }

    /// UniC: factors of the sample at `level` and of the x₀ at `target`, at `level` and at `earlier`.
    private static func corrector(from level: NoiseLevel, to target: NoiseLevel, earlier: [NoiseLevel]) -> Factors {
        let equations = Equations(from: level, to: target, earlier: earlier)
        // For the first order the reference takes a half in place of the solution.
        let rho = earlier.isEmpty ? [0.5] : equations.solution(count: earlier.count + 1)
        let (weight, last) = (equations.weight, rho[rho.count - 1])
        let slopes = zip(rho, equations.ratios).map { weight * $0 / $1 }
        return Factors(
            sample: target.noise / level.noise,
            clean: [weight * last, weight * (1 - last) - slopes.reduce(0, +)] + slopes)
    }

    /// The equations for ρ: Σ rⱼᵏ ρⱼ = B(h)⁻¹ · (k + 1)! · h φₖ₊₂(h) for k = 0, 1, …, where the last r is 1.
    private struct Equations {
        /// Of the earlier levels' distances to the step.
        let ratios: [Float]
        /// Of a constant x₀.
        let weight: Float
        private let rightSides: [Float]

        init(from level: NoiseLevel, to target: NoiseLevel, earlier: [NoiseLevel]) {
            let h = target.lambda - level.lambda
            let phi = expm1(-h)
            weight = -target.signal * phi
            ratios = earlier.map { ($0.lambda - level.lambda) / h }
            let phi1 = phi / -h - 1
            let phi2 = phi1 / -h - 0.5
            let phi3 = phi2 / -h - 1 / 6
            rightSides = [phi1 / phi, phi2 * 2 / phi, phi3 * 6 / phi]
        }

        /// The first unknowns, by as many of the equations.
        func solution(count: Int) -> [Float] {
            let places = (ratios + [1]).prefix(count)
            switch count {
            case 0: return []
            case 1: return [rightSides[0]]
            case 2:
                let first = (rightSides[1] - places[1] * rightSides[0]) / (places[0] - places[1])
                return [first, rightSides[0] - first]
            default:
                // By Lagrange's polynomials through the three places: what each is worth under the right sides.
                return (0..<3).map { index in
                    let others = (0..<3).filter { $0 != index }.map { places[$0] }
                    let value =
                        rightSides[2] - (others[0] + others[1]) * rightSides[1] + others[0] * others[1] * rightSides[0]
                    return value / ((places[index] - others[0]) * (places[index] - others[1]))
                }
            }
        }
    }

    mutating func step(
        _ modelOutput: Tensor, step: Int, sample: Tensor, noise: (Shape) throws -> Tensor
    ) throws -> Tensor {
        try counter.take(step)
        let update = updates[step]
        let backend = sample.backend
        let clean = try backend.combine([(update.clean.sample, sample), (update.clean.output, modelOutput)])
        history = [clean] + history.prefix(3)
        var sample = sample
        if let corrector = update.corrector, let lastSample {
            sample = try backend.combine([(corrector.sample, lastSample)] + zip(corrector.clean, history))
        }
        lastSample = sample
        return try backend.combine([(update.predictor.sample, sample)] + zip(update.predictor.clean, history))
    }
}
