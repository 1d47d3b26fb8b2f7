/// An option of diffusers' schedulers that changes what they compute and that is not implemented here.
///
/// Configs may carry it, as they carry the keys of every scheduler; it is refused only by a scheduler that obeys it, and
/// only where it is switched on.
struct SchedulerOption {
    let key: String
    /// The schedulers that obey it.
    let schedulers: [SchedulerKind]
    /// The values with which it changes nothing, or nothing else than what is implemented.
    let off: [ConfigValue]
    /// What a scheduler of diffusers does when its config is silent.
    var isOnByDefault = false

    /// DPM-Solver++ in both forms.
    private static let solvers: [SchedulerKind] = [.dpmpp, .dpmppSinglestep]

    static let all: [SchedulerOption] = [
        SchedulerOption(key: "clip_sample", schedulers: [.ddim], off: [.bool(false)], isOnByDefault: true),
        SchedulerOption(key: "thresholding", schedulers: [.ddim, .unipc] + solvers, off: [.bool(false)]),
        SchedulerOption(
            key: "algorithm_type", schedulers: solvers,
            off: ["dpmsolver++", "sde-dpmsolver++", "deis"].map { .string($0) }),
        // Each of the two solvers takes the other's names for its own default.
        SchedulerOption(
            key: "solver_type", schedulers: solvers,
            off: ["midpoint", "heun", "logrho", "bh1", "bh2"].map { .string($0) }),
        SchedulerOption(
            key: "solver_type", schedulers: [.unipc], off: ["bh2", "midpoint", "heun", "logrho"].map { .string($0) }),
        SchedulerOption(key: "lower_order_final", schedulers: [.unipc], off: [.bool(true)]),
        SchedulerOption(key: "predict_x0", schedulers: [.unipc], off: [.bool(true)]),
        SchedulerOption(key: "disable_corrector", schedulers: [.unipc], off: [.list([])]),
        SchedulerOption(key: "solver_p", schedulers: [.unipc], off: []),
        SchedulerOption(key: "lambda_min_clipped", schedulers: solvers, off: [.string("-Infinity")]),
        // DDPM's own variances (fixed_small and others) are of steps that no scheduler here takes; a learned one would be
        // half of the model's output.
        SchedulerOption(
            key: "variance_type", schedulers: solvers,
            off: ["fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log"].map { .string($0) }),
        SchedulerOption(key: "use_lu_lambdas", schedulers: [.dpmpp], off: [.bool(false)]),
        SchedulerOption(key: "use_flow_sigmas", schedulers: [.unipc] + solvers, off: [.bool(false)]),
        SchedulerOption(key: "use_dynamic_shifting", schedulers: [.unipc], off: [.bool(false)]),
        SchedulerOption(key: "interpolation_type", schedulers: [.euler], off: [.string("linear")]),
        SchedulerOption(key: "timestep_type", schedulers: [.euler], off: [.string("discrete")]),
        SchedulerOption(key: "skip_prk_steps", schedulers: [.pndm], off: [.bool(true)]),
    ]
}

extension SchedulerConfig {
    /// - Throws: `SchedulerError.unsupportedOption` if `scheduler` would have to obey an option that is not implemented.
    func refuseUnsupportedOptions(of scheduler: SchedulerKind) throws {
        for option in SchedulerOption.all where option.schedulers.contains(scheduler) {
            let value = fields[option.key]
            let isOn = value.map { !option.off.contains($0) } ?? option.isOnByDefault
            guard isOn else { continue }
            throw SchedulerError.unsupportedOption(
                key: option.key, value: value?.description ?? "true (its default)", scheduler: scheduler)
        }
    }
}
