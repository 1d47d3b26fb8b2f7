import Tensors

/// A way from noise to a sample: which timesteps the model is asked about, and what is made of its answers.
///
/// All coefficients are computed when a scheduler is made; a step is a linear combination of tensors, which stay where
/// their backend computes. Steps are taken in order, each once:
///
///     var sample = scheduler.initialNoiseScale · noise
///     for step in scheduler.timesteps.indices {
///         let output = model(scheduler.scaleInput(sample, step: step), scheduler.timesteps[step])
///         sample = scheduler.step(output, step: step, sample: sample, noise: draw)
///     }
package protocol Scheduler: Sendable {
    /// The timestep of each evaluation of the model, in order. PNDM evaluates one more than there are steps.
    var timesteps: [Float] { get }
    /// What normal noise is multiplied with to make the first sample.
    var initialNoiseScale: Float { get }
    /// Where a clean sample would have to be on the way.
    var path: CleanPath { get }
    /// The sample as the model wants to see it.
    func scaleInput(_ sample: Tensor, step: Int) throws -> Tensor
    /// The next sample.
    /// - Parameters:
    ///   - modelOutput: the model's answer to `scaleInput(sample, step: step)`, after guidance.
    ///   - noise: draws normal noise of a shape; called once per step if η > 0 or the solver is a stochastic one, not
    ///     otherwise.
    /// - Throws: `SchedulerError.stepOutOfOrder`, and what the backend or `noise` throw.
    mutating func step(
        _ modelOutput: Tensor, step: Int, sample: Tensor, noise: (Shape) throws -> Tensor
    ) throws -> Tensor
}

extension Scheduler {
    package var initialNoiseScale: Float { 1 }

    package func scaleInput(_ sample: Tensor, step: Int) throws -> Tensor { sample }
}

/// The schedulers, by their names on the command line.
package enum SchedulerKind: String, CaseIterable, Sendable {
    /// `DDIMScheduler` (arXiv 2010.02502).
    case ddim
    /// `DPMSolverMultistepScheduler`: DPM-Solver++(2M) and its relatives (arXiv 2211.01095).
    case dpmpp = "dpm++"
    /// `DPMSolverSinglestepScheduler`: DPM-Solver++(2S) and its relatives (arXiv 2211.01095), which spaces timesteps
    /// evenly whatever the config says.
    case dpmppSinglestep = "dpm++-singlestep"
    /// `UniPCMultistepScheduler`: UniPC-2 with B₂(h) (arXiv 2302.04867).
    case unipc
    /// `EulerDiscreteScheduler` (arXiv 2206.00364, algorithm 2 without churn).
    case euler
    /// `PNDMScheduler` without Runge-Kutta steps: PLMS (arXiv 2202.09778).
    case pndm

    /// The spacing in diffusers where the config does not name one.
    package var defaultSpacing: TimestepSpacing {
        switch self {
        case .ddim, .pndm: .leading
        case .dpmpp, .dpmppSinglestep, .unipc, .euler: .linspace
        }
    }

    /// Whether the solver can do without what it has of the past, at any step.
    package var canStartAnew: Bool { self == .dpmpp || self == .ddim || self == .euler }
}

/// What a scheduler's samples have to do with the clean sample that they lead to.
package struct CleanPath: Sendable {
    /// Of the first sample: how much there is of the clean one, and of normal noise.
    let signal, noise: Float
    /// At each step, the clean sample that the model predicts, from its input before `scaleInput` and its output.
    let predictions: [(sample: Float, output: Float)]
}

extension Scheduler {
    /// A first sample from which the way may lead back to a known one: SDEdit (arXiv 2108.01073), equation 4.
    /// - Parameter noise: normal.
    package func noised(_ clean: Tensor, with noise: Tensor) throws -> Tensor {
        try clean.backend.combine([(path.signal, clean), (path.noise, noise)])
    }

    /// What a model would answer at a step if it knew that `clean` is where the way leads.
    package func output(leadingTo clean: Tensor, from sample: Tensor, step: Int) throws -> Tensor {
        guard path.predictions.indices.contains(step) else {
            throw SchedulerError.stepOutOfOrder(expected: path.predictions.count - 1, found: step)
        }
        let prediction = path.predictions[step]
        return try clean.backend.combine([
            (1 / prediction.output, clean), (-prediction.sample / prediction.output, sample),
        ])
    }
}

/// Makes a scheduler that computes what the class of the same name in diffusers does after `from_config(config)`.
///
/// - Parameters:
///   - steps: from 1 to the length of the training schedule.
///   - skipped: how many of the first steps are left out, for a way that starts from a sample with less noise.
///   - eta: share of DDIM's variance that is drawn as fresh noise, 0…1; 0 for the other schedulers.
///   - spacing: overrides the config's. A config that was read from a file names the spacing of the scheduler it was
///     saved by (DDIM: leading), and diffusers carries that over. It does not if the first scheduler was built in the
///     same process with that argument left out: then the second takes its own `defaultSpacing`.
///   - levels: noise levels that are visited instead of the config's, by solvers that can.
///   - anew: steps that take no earlier prediction into account, since what is predicted is another thing from there on;
///     of schedulers that `canStartAnew`.
/// - Throws: `SchedulerError`.
package func makeScheduler(
    _ kind: SchedulerKind, config: SchedulerConfig, steps: Int, skipped: Int = 0, eta: Float = 0,
    spacing: TimestepSpacing? = nil, levels: NoiseLevels = .configured,
    anew: Set<Int> = []
) throws -> any Scheduler {
    guard 1...config.trainSteps ~= steps else {
        throw SchedulerError.invalidSteps(steps, maximum: config.trainSteps)
    }
    guard 0..<steps ~= skipped else { throw SchedulerError.invalidSteps(steps - skipped, maximum: steps) }
    guard kind == .ddim ? (0...1).contains(eta) : eta == 0 else {
        throw SchedulerError.invalidEta(eta, scheduler: kind)
    }
    guard anew.isEmpty || kind.canStartAnew else { throw SchedulerError.cannotStartAnew(scheduler: kind) }
    try config.refuseUnsupportedOptions(of: kind)
    let spacing = spacing ?? config.timestepSpacing ?? kind.defaultSpacing
    let levels = try config.usable(levels, with: kind)
    return switch kind {
    case .ddim: try DDIMScheduler(config, spacing: spacing, steps: steps, skipped: skipped, eta: Double(eta))
    case .dpmpp:
        try DPMSolverScheduler(
            config, kind, spacing: spacing, steps: steps, skipped: skipped, levels: levels, anew: anew)
    case .dpmppSinglestep:
        try DPMSolverScheduler(config, kind, spacing: .linspace, steps: steps, skipped: skipped, levels: levels)
    case .unipc: try UniPCScheduler(config, spacing: spacing, steps: steps, skipped: skipped, levels: levels)
    case .euler: try EulerScheduler(config, spacing: spacing, steps: steps, skipped: skipped)
    case .pndm: try PNDMScheduler(config, spacing: spacing, steps: steps, skipped: skipped)
    }
}

/// Sees to it that steps are taken in order: solvers remember what earlier steps computed.
struct StepCounter: Sendable {
    private let count: Int
    private var next = 0

    init(count: Int) { self.count = count }

    mutating func take(_ step: Int) throws {
        guard step == next, step < count else { throw SchedulerError.stepOutOfOrder(expected: next, found: step) }
        next += 1
    }
}
