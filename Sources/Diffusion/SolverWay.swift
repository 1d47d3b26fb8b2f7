import Glibc

/// Where a solver's way goes: the timesteps that the model is asked about, and the noise levels at them.
struct SolverWay {
    let timesteps: [Float]
    /// One more than timesteps: the last is where the way ends.
    let sigmas: [Float]

    /// Levels that are even in the logarithm of σ.
    /// - Parameters:
    ///   - end: the lowest before none.
    ///   - steps: of the whole way.
    ///   - skipped: steps that are left out at the start: the first level is that of time step
    ///     `trainSteps · (steps − skipped) / steps − 1`, and the rest is even from there.
    init(_ config: SchedulerConfig, _ schedule: NoiseSchedule, end: Double, steps: Int, skipped: Int) throws {
        let count = steps - skipped
        let first = max(config.trainSteps * count / steps - 1, 0)
        let trained = schedule.sigmas
        let highest = Double(trained[min(first, trained.count - 1)])
        // A way that starts below the end is still one that goes down.
        let lowest = min(end, highest / 2)
        let spaced = SigmaSpacing.exponential.sigmas(from: highest, to: lowest, count: count)
        let logarithms = trained.map { Float(log(Double($0))) }
        timesteps = spaced.map { Float(Self.timestep(of: $0, among: logarithms)) }
        sigmas = try spaced.map { Float($0) } + [config.endsWithoutNoise() ? 0 : trained[0]]
    }

    /// - Parameters:
    ///   - kind: the scheduler, since diffusers' classes differ in what they space and round.
    ///   - timesteps: that its spacing of timesteps visits.
    ///   - skipped: how many of the first steps are left out.
    ///   - levels: those that are visited.
    init(
        _ config: SchedulerConfig, _ kind: SchedulerKind, schedule: NoiseSchedule, timesteps visited: [Double],
        skipped: Int, levels: NoiseLevels = .configured
    ) throws {
        if case .even(let end) = levels {
            self = try SolverWay(config, schedule, end: end, steps: visited.count, skipped: skipped)
            return
        }
        let trained = schedule.sigmas
        let plain = schedule.interpolatedSigmas(at: visited)
        guard let spacing = try config.sigmaSpacing() else {
            let end = try config.endsWithoutNoise() ? 0 : trained[0]
            timesteps = visited.dropFirst(skipped).map { Float($0) }
            sigmas = plain.dropFirst(skipped).map { Float($0) } + [end]
            return
        }
        // Euler spaces between the levels of its own timesteps, the others between those of the training.
        let ends =
            kind == .euler ? (plain.first ?? 0, plain.last ?? 0) : (Double(trained.last ?? 0), Double(trained[0]))
        let spaced = spacing.sigmas(
            from: config.sigmaMax ?? ends.0, to: config.sigmaMin ?? ends.1, count: visited.count)
        let logarithms = trained.map { Float(log(Double($0))) }
        let times = spaced.map { Self.timestep(of: $0, among: logarithms) }
        timesteps = times.dropFirst(skipped).map { Float(kind.rounded($0, spacing, config.betaSchedule)) }
        let end: Float =
            try config.endsWithoutNoise() ? 0 : kind == .unipc ? Float(spaced.last ?? 0) : trained[0]
        sigmas = spaced.dropFirst(skipped).map { Float($0) } + [end]
    }

    /// The timestep of a noise level, interpolated between the logarithms of the trained ones.
    private static func timestep(of sigma: Double, among logarithms: [Float]) -> Double {
        guard logarithms.count > 1 else { return 0 }
        let logarithm = log(max(sigma, 1e-10))
        let below = logarithms.lastIndex { Double($0) <= logarithm } ?? 0
        let low = min(below, logarithms.count - 2)
        let (first, second) = (logarithms[low], logarithms[low + 1])
        let share = min(max((Double(first) - logarithm) / Double(first - second), 0), 1)
        return (1 - share) * Double(low) + share * Double(low + 1)
    }
}

extension SchedulerKind {
    /// A timestep of a spaced noise level, as the class asks the model about it.
    fileprivate func rounded(_ timestep: Double, _ spacing: SigmaSpacing, _ schedule: BetaSchedule) -> Double {
        let isNearest = spacing == .karras && !(self == .dpmpp && schedule == .squaredCosine)
        return self == .euler ? timestep : isNearest ? timestep.rounded(.toNearestOrEven) : timestep.rounded(.down)
    }
}

extension NoiseSchedule {
    /// σ at each timestep, interpolated between training steps and held beyond them.
    func interpolatedSigmas(at timesteps: [Double]) -> [Double] {
        let sigmas = sigmas
        let last = sigmas.count - 1
        return timesteps.map { timestep in
            let index = min(max(Int(timestep), 0), last)
            let fraction = min(timestep, Double(last)) - Double(index)
            let slope = Double(sigmas[min(index + 1, last)]) - Double(sigmas[index])
            return slope * fraction + Double(sigmas[index])
        }
    }
}
