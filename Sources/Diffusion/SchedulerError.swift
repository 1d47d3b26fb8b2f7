/// What can be wrong with a scheduler's config or with how it is used.
package enum SchedulerError: Error, CustomStringConvertible, Sendable, Equatable {
    case invalidField(key: String, found: String, expected: String)
    /// A config of a scheduler whose models are trained for another way than any that is taken here.
    case unsupportedClass(String)
    case unsupportedOption(key: String, value: String, scheduler: SchedulerKind)
    case invalidSteps(Int, maximum: Int)
    /// The timesteps fall outside of the schedule that the model was trained with, or two of them on one noise level.
    case degenerateSchedule(scheduler: SchedulerKind, steps: Int)
    /// A model that predicts the noise says nothing about a sample that is noise alone.
    case noSignal(scheduler: SchedulerKind)
    case invalidEta(Float, scheduler: SchedulerKind)
    case stepOutOfOrder(expected: Int, found: Int)
    /// What is predicted becomes another thing on the way, and the solver mixes predictions.
    case cannotStartAnew(scheduler: SchedulerKind)

    package var description: String {
        switch self {
        case .invalidField(let key, let found, let expected):
            "scheduler config: \(key) is \(found), expected \(expected)"
        case .unsupportedClass(let name):
            "scheduler config: _class_name is \(name), and models made for it are not supported: what they predict, or at "
                + "which steps, is not what the schedulers here take; for a model of the usual kind, give the config of its own "
                + "scheduler (audioldm2-convert --component scheduler=FOLDER)"
        case .unsupportedOption(let key, let value, let scheduler):
            "scheduler config: \(key) = \(value) is not supported with the \(scheduler.rawValue) scheduler; "
                + "choose another scheduler or change the option"
        case .invalidSteps(let steps, let maximum):
            "\(steps) steps: the number of steps must be from 1 to \(maximum)"
        case .degenerateSchedule(let scheduler, let steps):
            "the \(scheduler.rawValue) scheduler cannot divide this model's noise schedule into \(steps) steps;"
                + " use fewer steps"
        case .noSignal(let scheduler):
            "scheduler config: with rescale_betas_zero_snr the \(scheduler.rawValue) scheduler begins with noise alone, of "
                + "which a model of prediction_type epsilon says nothing; choose another scheduler, such as dpm++"
        case .invalidEta(let eta, .ddim):
            "eta \(eta): eta must be from 0 to 1"
        case .invalidEta(let eta, let scheduler):
            "eta \(eta): only the ddim scheduler adds noise; leave eta at 0 with \(scheduler.rawValue)"
        case .cannotStartAnew(let scheduler):
            "guidance in an interval: the \(scheduler.rawValue) scheduler mixes predictions of several steps, with guidance and "
                + "without it; choose dpm++, ddim or euler"
        case .stepOutOfOrder(let expected, let found):
            "scheduler step \(found): expected step \(expected); steps are taken in order, each once"
        }
    }
}
