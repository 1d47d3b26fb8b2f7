import Glibc

/// How DPM-Solver++ is to solve, by a config.
struct DPMSolverOptions {
    /// Predicted x₀ that a step takes into account at most.
    let order: Int
    /// Heun's form of the second and third order instead of the midpoint's.
    let isHeun: Bool
    /// Solves the stochastic differential equation: every step adds fresh noise.
    let isStochastic: Bool
    let lowersOrderAtEnd: Bool?
    let isFirstOrderAtEnd: Bool
    let endsWithoutNoise: Bool

    init(_ config: SchedulerConfig) throws {
        order = try config.fields.integer("solver_order", in: 1...3) ?? 2
        isHeun = config.fields["solver_type"] == .string("heun")
        isStochastic = config.fields["algorithm_type"] == .string("sde-dpmsolver++")
        lowersOrderAtEnd = try config.fields.bool("lower_order_final")
        isFirstOrderAtEnd = try config.fields.bool("euler_at_final") ?? false
        endsWithoutNoise = try config.endsWithoutNoise()
    }
}

/// Factors of one step's linear combination of a sample, of predicted x₀ (the newest first), and of fresh noise.
struct DPMSolverStep {
    let sample: Float
    let clean: [Float]
    let noise: Float

    /// DPM-Solver++(1, 2M, 3M), arXiv 2211.01095: from the last of the levels, with the x₀ predicted at all of them.
    init(multistep levels: [NoiseLevel], to target: NoiseLevel, _ options: DPMSolverOptions) {
        let newest = levels[levels.count - 1]
        let h = target.lambda - newest.lambda
        let weights = Weights(from: newest, to: target, isStochastic: options.isStochastic)
        (sample, noise) = (weights.sample, weights.noise)
        // Ratios of the steps before to this one, the latest first.
        let ratios = zip(levels.dropFirst(), levels).reversed().map { ($0.lambda - $1.lambda) / h }
        switch levels.count {
        case 1: clean = [weights.constant]
        case 2:
            let slope = (options.isHeun ? weights.slope : 0.5 * weights.constant) / ratios[0]
            clean = [weights.constant + slope, -slope]
        default:
            let (r0, r1) = (ratios[0], ratios[1])
            let (late, early): ([Float], [Float]) = ([1 / r0, -1 / r0, 0], [0, 1 / r1, -1 / r1])
            let sum = r0 + r1
            clean = (0..<3).map { index in
                let difference = late[index] - early[index]
                let (first, second) = (late[index] + r0 / sum * difference, difference / sum)
                return (index == 0 ? weights.constant : 0) + weights.slope * first + weights.curve * second
            }
        }
    }

    /// DPM-Solver++(1, 2S, 3S), arXiv 2206.00927: from the first of the levels, with the x₀ predicted at all of them.
    init(singlestep levels: [NoiseLevel], to target: NoiseLevel, _ options: DPMSolverOptions) {
        let start = levels[0]
        let h = target.lambda - start.lambda
        let weights = Weights(from: start, to: target, isStochastic: options.isStochastic)
        (sample, noise) = (weights.sample, weights.noise)
        // How far between start and target the other levels are, the newest first.
        let ratios = levels.dropFirst().reversed().map { ($0.lambda - start.lambda) / h }
        switch levels.count {
        case 1: clean = [weights.constant]
        case 2:
            let slope = (options.isHeun ? weights.slope : 0.5 * weights.constant) / ratios[0]
            clean = [slope, weights.constant - slope]
        default:
            let (r0, r1) = (ratios[0], ratios[1])
            let (late, early): ([Float], [Float]) = ([1 / r0, 0, -1 / r0], [0, 1 / r1, -1 / r1])
            clean = (0..<3).map { index in
                let constant = index == 2 ? weights.constant : 0
                guard options.isHeun else { return constant + weights.slope * late[index] }
                let first = (r0 * early[index] - r1 * late[index]) / (r0 - r1)
                let second = 2 * (late[index] - early[index]) / (r0 - r1)
                return constant + weights.slope * first + weights.curve * second
            }
        }
    }

    var isFinite: Bool { (clean + [sample, noise]).allSatisfy(\.isFinite) }

    /// What a step makes of the sample, of a constant x₀, of its slope and curve over λ, and of noise.
    private struct Weights {
        let sample, constant, slope, curve, noise: Float

        init(from start: NoiseLevel, to target: NoiseLevel, isStochastic: Bool) {
            let h = target.lambda - start.lambda
            let ratio = target.noise / start.noise
            if isStochastic {
                let rest = 1 - exp(-2 * h)
                sample = ratio * exp(-h)
                constant = target.signal * rest
                slope = target.signal * (rest / (-2 * h) + 1)
                curve = target.signal * ((rest - 2 * h) / (4 * h * h) - 0.5)
                noise = target.noise * rest.squareRoot()
            } else {
                let change = exp(-h) - 1
                sample = ratio
                constant = -target.signal * change
                slope = target.signal * (change / h + 1)
                curve = -target.signal * ((change + h) / (h * h) - 0.5)
                noise = 0
            }
        }
    }
}
