/// `scheduler_config.json` of a diffusers checkpoint: how the model was trained to remove noise.
///
/// One config serves all schedulers, as `from_config` in diffusers lets it: each takes the keys that it knows and its
/// own defaults for the rest. Unknown keys are ignored. Decoding throws `SchedulerError.invalidField` for a value that
/// its key does not allow.
package struct SchedulerConfig: Decodable, Hashable, Sendable {
    /// Length of the schedule that the model was trained with.
    package let trainSteps: Int
    /// The first and last β of `betaSchedule`.
    package let betaStart: Double
    package let betaEnd: Double
    package let betaSchedule: BetaSchedule
    /// All β, in place of a computed schedule.
    package let trainedBetas: [Double]?
    /// Rescales β so that the last training step is pure noise (arXiv 2305.08891).
    package let rescaleBetasZeroSNR: Bool
    package let predictionType: PredictionType
    /// Nil where the file leaves it to the scheduler's own default.
    package let timestepSpacing: TimestepSpacing?
    /// Added to timesteps of leading spacing.
    package let stepsOffset: Int
    /// Whether the last step goes to α = 1 or to the first α of the schedule. Nil where the file does not say.
    package let setAlphaToOne: Bool?
    /// The ends of spaced noise levels, where they are not those of the schedule.
    let sigmaMin, sigmaMax: Double?
    /// Everything in the file, for the options that are refused by name.
    let fields: ConfigFields

    package init(from decoder: any Decoder) throws {
        let fields = ConfigFields(values: try decoder.singleValueContainer().decode([String: ConfigValue].self))
        self.fields = fields
        if case .string(let name)? = fields["_class_name"], Self.otherProcesses.contains(where: name.contains) {
            throw SchedulerError.unsupportedClass(name)
        }
        trainSteps = try fields.integer("num_train_timesteps", in: 1...100_000) ?? 1000
        betaStart = try fields.number("beta_start", in: 0...1) ?? 0.0001
        betaEnd = try fields.number("beta_end", in: 0...1) ?? 0.02
        betaSchedule = try fields.choice("beta_schedule") ?? .linear
        trainedBetas = try fields.numbers("trained_betas", in: 0...1)
        rescaleBetasZeroSNR = try fields.bool("rescale_betas_zero_snr") ?? false
        predictionType = try fields.choice("prediction_type") ?? .epsilon
        timestepSpacing = try fields.choice("timestep_spacing")
        stepsOffset = try fields.integer("steps_offset", in: 0...trainSteps) ?? 0
        setAlphaToOne = try fields.bool("set_alpha_to_one")
        sigmaMin = try fields.number("sigma_min", in: 1e-6...1e6)
        sigmaMax = try fields.number("sigma_max", in: 1e-6...1e6)
        if let trainedBetas, trainedBetas.count != trainSteps {
            throw SchedulerError.invalidField(
                key: "trained_betas", found: "a list of \(trainedBetas.count)",
                expected: "num_train_timesteps = \(trainSteps) numbers")
        }
    }
}

extension SchedulerConfig {
    /// The rule that spaces noise levels; nil where timesteps are spaced.
    /// - Throws: `SchedulerError.invalidField` for more than one.
    func sigmaSpacing() throws -> SigmaSpacing? {
        let rules = try SigmaSpacing.allCases.filter { try fields.bool($0.rawValue) ?? false }
        guard rules.count <= 1 else {
            throw SchedulerError.invalidField(
                key: rules[1].rawValue, found: "true", expected: "false beside \(rules[0].rawValue)")
        }
        return rules.first
    }

    /// Whether a solver's way ends at no noise, and not at the lowest noise of the training.
    func endsWithoutNoise() throws -> Bool { try fields.choice("final_sigmas_type") ?? FinalSigma.zero == .zero }

    private enum FinalSigma: String, CaseIterable {
        case zero
        case lowest = "sigma_min"
    }

    /// What the names of the classes hold whose models are distilled to few steps of their own, or that do not remove
    /// Gaussian noise of β from where other schedulers do.
    private static let otherProcesses = [
        "FlowMatch", "LCM", "TCD", "SCM", "CMStochastic", "Consistency", "EDM", "CosineDPM", "ScoreSde", "KarrasVe",
        "VQDiffusion", "Amused", "UnCLIP", "Wuerstchen",
    ]
}

/// How β grows over the training steps.
package enum BetaSchedule: String, CaseIterable, Sendable {
    case linear
    /// Linear in √β.
    case scaledLinear = "scaled_linear"
    /// The cosine schedule of arXiv 2102.09672.
    case squaredCosine = "squaredcos_cap_v2"
}

/// What the model's output is.
package enum PredictionType: String, CaseIterable, Sendable {
    /// The noise.
    case epsilon
    /// The sample without noise.
    case sample
    /// Both in one (arXiv 2202.00512).
    case velocity = "v_prediction"
}

/// Which training steps are visited (arXiv 2305.08891, table 2).
package enum TimestepSpacing: String, CaseIterable, Sendable {
    case leading, linspace, trailing
}
