import Diffusion
import Tensors

/// A guided prediction of which, at some steps, only the UNet's highest levels are computed: what comes to them from below
/// changes slowly, and is carried on from the steps before (DeepCache, arXiv 2312.00858; carried on in a straight line over
/// the logarithm of the signal-to-noise ratio).
package struct CarryingPredictor: NoisePredictor {
    private let conditioned: ConditionedUNet
    private let conditionings: [UNetConditioning]
    private let guidance: Guidance
    private let policy: StepPolicy
    /// Half the logarithm of the signal-to-noise ratio at every step.
    private let logRatios: [Float]
    /// What came from below at whole steps, the newest last, by window.
    private var past: [Int: [Passed]] = [:]

    /// One whole step.
    private struct Passed {
        let logRatio: Float
        /// Of each batch that the UNet is given.
        let deep: [Tensor]
    }

    /// Whole steps that are kept, and carried on from.
    private static let historyLength = 2

    /// - Parameters:
    ///   - policy: for as many steps as there are `timesteps`.
    ///   - logRatios: as `SchedulerConfig` has them for the time steps.
    package init(
        _ conditioned: ConditionedUNet, at timesteps: [Float], _ guidance: Guidance, _ policy: StepPolicy,
        logRatios: [Float]
    ) throws {
        self.conditioned = conditioned
        conditionings = try conditioned.conditionings(at: timesteps)
        self.guidance = guidance
        self.policy = policy
        self.logRatios = logRatios
    }

    package mutating func callAsFunction(_ sample: Tensor, at place: LoopPlace) throws -> Tensor {
        let timed = try conditionings.map { try $0.reading($0.shifts(at: place.step)) }
        let known = past[place.window] ?? []
        let isWhole = known.isEmpty || policy.steps[place.step]
        let prediction = try isWhole ? whole(sample, timed, place) : carried(sample, timed, place, known)
        return try conditioned.guided(prediction, by: guidance)
    }

    /// Everything, of which is kept what comes from below.
    private mutating func whole(
        _ sample: Tensor, _ timed: [UNetConditioning], _ place: LoopPlace
    ) throws -> Tensor {
        let unet = conditioned.unet
        var deep: [Tensor] = []
        let predictions = try timed.map { conditioning in
            try unet(sample, conditioning, below: policy.depth) { x, size in
                let levels = try unet.levels(from: policy.depth, x, size, conditioning)
                deep.append(levels)
                return levels
            }
        }
        let passed = Passed(logRatio: logRatios[place.step], deep: deep)
        past[place.window] = (past[place.window] ?? []).suffix(Self.historyLength - 1) + [passed]
        return try ConditionedUNet.joined(predictions)
    }

    /// The highest levels, with what is likely to come from below.
    private func carried(
        _ sample: Tensor, _ timed: [UNetConditioning], _ place: LoopPlace, _ known: [Passed]
    ) throws -> Tensor {
        let weights = Self.weights(known.map(\.logRatio), at: logRatios[place.step])
        let predictions = try timed.enumerated().map { batch, conditioning in
            try conditioned.unet(sample, conditioning, below: policy.depth) { x, _ in
                try x.backend.combine(zip(weights, known).map { ($0, $1.deep[batch]) })
            }
        }
        return try ConditionedUNet.joined(predictions)
    }

    /// Weights that carry values at one or two points on to another in a straight line.
    private static func weights(_ points: [Float], at target: Float) -> [Float] {
        guard points.count == 2, points[1] != points[0] else {
            return Array(repeating: 0, count: points.count - 1) + [1]
        }
        let share = (target - points[1]) / (points[1] - points[0])
        return [-share, 1 + share]
    }
}
