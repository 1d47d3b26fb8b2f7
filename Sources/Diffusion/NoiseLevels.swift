/// Which noise levels a solver visits.
package enum NoiseLevels: Sendable, Hashable {
    /// Those that the checkpoint's config spaces, as diffusers takes them.
    case configured
    /// Even in the logarithm of the signal-to-noise ratio (arXiv 2206.00927, section 5.1), which is what multistep solvers
    /// interpolate over: from the highest level of the training to σ = `end`, then to no noise. The model is asked at time
    /// steps between those of its training.
    case even(end: Double)

    /// Where sounds are settled: below it is nothing that a spectrogram shows, and steps from there to none are short. Ending
    /// at the lowest level of the training (0.04) instead costs steps that are missed elsewhere.
    package static let settled = NoiseLevels.even(end: 0.1)
}

extension SchedulerConfig {
    /// The levels as far as they can be had: the config's own where it spaces levels itself, or where the training ends with
    /// pure noise, whose ratio has no logarithm.
    func usable(_ levels: NoiseLevels, with kind: SchedulerKind) throws -> NoiseLevels {
        try takesAnyLevels(kind) ? levels : .configured
    }

    /// - Throws: `SchedulerError.invalidField` for a config that spaces levels in two ways.
    package func takesAnyLevels(_ kind: SchedulerKind) throws -> Bool {
        try kind.takesAnyLevels && sigmaSpacing() == nil && !rescaleBetasZeroSNR
    }
}

extension SchedulerKind {
    /// Whether the solver works over the logarithm of the signal-to-noise ratio, with any levels.
    package var takesAnyLevels: Bool { self == .dpmpp || self == .unipc }
}
