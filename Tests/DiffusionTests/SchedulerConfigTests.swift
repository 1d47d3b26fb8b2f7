import Diffusion
import Foundation
import TestSupport
import Testing

@Suite("Scheduler configs")
struct SchedulerConfigTests {
    private struct Alphas: Decodable {
        let config: SchedulerConfig
        /// Every 37th.
        let values: [Float]
    }

    @Test("products of alphas: bit for bit, but for zero SNR, where PyTorch's square roots are not exactly rounded")
    func alphas() throws {
        for expected in try Fixtures.json("Diffusion", "alphas.json", as: [Alphas].self) {
            let alphas = NoiseSchedule(expected.config, rescaled: true).alphasCumprod
            #expect(alphas.count == 1000)
            let tolerance: Float = expected.config.rescaleBetasZeroSNR ? 1e-6 : 0
            for (ours, theirs) in zip(stride(from: 0, to: 1000, by: 37).map({ alphas[$0] }), expected.values) {
                #expect(abs(ours - theirs) <= tolerance * theirs)
            }
        }
    }

    @Test("an empty config has diffusers' defaults")
    func defaults() throws {
        let config = try decode("{}")
        #expect(config.trainSteps == 1000)
        #expect(config.betaStart == 0.0001)
        #expect(config.betaEnd == 0.02)
        #expect(config.betaSchedule == .linear)
        #expect(config.trainedBetas == nil)
        #expect(config.predictionType == .epsilon)
        #expect(config.timestepSpacing == nil)
        #expect(config.stepsOffset == 0)
        #expect(config.setAlphaToOne == nil)
        #expect(!config.rescaleBetasZeroSNR)
    }

    @Test("unknown keys and nulls are passed over")
    func unknownKeys() throws {
        let config = try decode(
            #"{"steps_offset": 1, "beta_start": null, "future": {"a": [1, "b", null, true]}, "_class_name": "DDIM"}"#)
        #expect(config.stepsOffset == 1)
        #expect(config.betaStart == 0.0001)
    }

    @Test(
        "a value that its key does not allow is an error that names both",
        arguments: [
            (#"{"beta_schedule": "sigmoid"}"#, "beta_schedule", "\"sigmoid\""),
            (#"{"beta_schedule": 3}"#, "beta_schedule", "3"),
            (#"{"prediction_type": "flow_prediction"}"#, "prediction_type", "\"flow_prediction\""),
            (#"{"timestep_spacing": "karras"}"#, "timestep_spacing", "\"karras\""),
            (#"{"num_train_timesteps": 0}"#, "num_train_timesteps", "0"),
            (#"{"num_train_timesteps": 2.5}"#, "num_train_timesteps", "2.5"),
            (#"{"num_train_timesteps": 1e300}"#, "num_train_timesteps", "1e+300"),
            (#"{"num_train_timesteps": true}"#, "num_train_timesteps", "true"),
            (#"{"beta_start": -0.1}"#, "beta_start", "-0.1"),
            (#"{"beta_end": "0.02"}"#, "beta_end", "\"0.02\""),
            (#"{"steps_offset": -1}"#, "steps_offset", "-1"),
            (#"{"set_alpha_to_one": 1}"#, "set_alpha_to_one", "1"),
            (#"{"rescale_betas_zero_snr": "yes"}"#, "rescale_betas_zero_snr", "\"yes\""),
            (#"{"trained_betas": 0.5}"#, "trained_betas", "0.5"),
            (#"{"trained_betas": [0.1, {}], "num_train_timesteps": 2}"#, "trained_betas[1]", "an object"),
            (#"{"trained_betas": [0.1, 0.2]}"#, "trained_betas", "a list of 2"),
        ])
    func invalidFields(json: String, key: String, found: String) throws {
        let error = try #require(throws: SchedulerError.self) { try decode(json) }
        guard case .invalidField(key, found, _) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(error.description.hasPrefix("scheduler config: \(key) is \(found), expected "))
    }

    @Test(
        "options that are not implemented are refused by name, by the schedulers that obey them",
        arguments: [
            (#""clip_sample": true"#, "clip_sample", [.ddim]),
            (#""thresholding": true"#, "thresholding", [.ddim, .dpmpp, .dpmppSinglestep, .unipc]),
            (#""algorithm_type": "dpmsolver""#, "algorithm_type", [.dpmpp, .dpmppSinglestep]),
            (#""solver_order": 4"#, "solver_order", [.dpmpp, .dpmppSinglestep, .unipc]),
            (#""solver_type": "bh3""#, "solver_type", [.dpmpp, .dpmppSinglestep, .unipc]),
            (#""solver_type": "bh1""#, "solver_type", [.unipc]),
            (#""disable_corrector": [0]"#, "disable_corrector", [.unipc]),
            (#""variance_type": "learned_range""#, "variance_type", [.dpmpp, .dpmppSinglestep]),
            (#""final_sigmas_type": "sigma_max""#, "final_sigmas_type", [.dpmpp, .dpmppSinglestep, .unipc, .euler]),
            (
                #""use_karras_sigmas": true, "use_beta_sigmas": true"#, "use_beta_sigmas",
                [.dpmpp, .dpmppSinglestep, .unipc, .euler]
            ),
            (#""use_lu_lambdas": true"#, "use_lu_lambdas", [.dpmpp]),
            (#""timestep_type": "continuous""#, "timestep_type", [.euler]),
            (#""skip_prk_steps": false"#, "skip_prk_steps", [.pndm]),
            (#""prediction_type": "sample""#, "prediction_type", [.pndm]),
        ] as [(String, String, Set<SchedulerKind>)])
    func unsupportedOptions(field: String, key: String, refusing: Set<SchedulerKind>) throws {
        let config = try decode("{\(key == "clip_sample" ? "" : #""clip_sample": false, "#)\(field)}")
        for kind in SchedulerKind.allCases {
            if refusing.contains(kind) {
                let error = try #require(throws: SchedulerError.self) {
                    try makeScheduler(kind, config: config, steps: 5)
                }
                #expect(error.description.contains(key))
                if case .unsupportedOption = error { #expect(error.description.contains(kind.rawValue)) }
            } else {
                #expect(throws: Never.self) { try makeScheduler(kind, config: config, steps: 5) }
            }
        }
    }

    @Test("options at their defaults, of whatever class, are accepted by all", arguments: SchedulerKind.allCases)
    func harmlessOptions(kind: SchedulerKind) throws {
        let config = try decode(
            """
            {"clip_sample": false, "thresholding": false, "algorithm_type": "dpmsolver++", "solver_order": 2,
             "solver_type": "bh2", "lower_order_final": true, "predict_x0": true, "disable_corrector": [],
             "solver_p": null, "variance_type": null, "final_sigmas_type": "zero", "use_karras_sigmas": null,
             "interpolation_type": "linear", "timestep_type": "discrete", "skip_prk_steps": true}
            """)
        #expect(throws: Never.self) { try makeScheduler(kind, config: config, steps: 5) }
    }

    @Test(
        "options of the class that saved a config, which mean nothing to the one that runs",
        arguments: [
            // DDPM's variances, DEIS' and UniPC's names, SA-Solver's, Heun's.
            #""variance_type": "fixed_small""#, #""variance_type": "fixed_large_log""#, #""solver_type": "logrho""#,
            #""algorithm_type": "deis""#, #""predictor_order": 2, "corrector_order": 2, "use_noise": true"#,
            #""clip_sample_range": 1.0, "sample_max_value": 1.0, "dynamic_thresholding_ratio": 0.995"#,
            #""lambda_min_clipped": "-Infinity", "euler_at_final": false"#,
        ])
    func meaninglessOptions(fields: String) throws {
        let config = try decode(#"{"clip_sample": false, \#(fields)}"#)
        let plain = try decode(#"{"clip_sample": false}"#)
        for kind in SchedulerKind.allCases {
            let (with, without) = (
                try makeScheduler(kind, config: config, steps: 5), try makeScheduler(kind, config: plain, steps: 5)
            )
            let sample = try HostBackend().upload([1, -2, 3], [3])
            var (one, other) = (with, without)
            for step in with.timesteps.indices {
                #expect(
                    try one.step(sample, step: step, sample: sample) { _ in sample }.values()
                        == other.step(sample, step: step, sample: sample) { _ in sample }.values())
            }
        }
    }

    @Test("clip_sample is on where a config does not switch it off, as in diffusers")
    func clipSampleDefault() throws {
        #expect(
            throws: SchedulerError.unsupportedOption(
                key: "clip_sample", value: "true (its default)", scheduler: .ddim)
        ) { try makeScheduler(.ddim, config: decode("{}"), steps: 5) }
    }

    @Test("steps and eta out of range are refused")
    func ranges() throws {
        let config = try Fixtures.json("Diffusion", "scheduler_config.json", as: SchedulerConfig.self)
        for steps in [0, -1, 1001, Int.max, Int.min] {
            #expect(throws: SchedulerError.invalidSteps(steps, maximum: 1000)) {
                try makeScheduler(.euler, config: config, steps: steps)
            }
        }
        for eta in [-0.1, 1.5, .infinity] as [Float] {
            #expect(throws: SchedulerError.invalidEta(eta, scheduler: .ddim)) {
                try makeScheduler(.ddim, config: config, steps: 5, eta: eta)
            }
        }
        #expect(throws: SchedulerError.self) { try makeScheduler(.ddim, config: config, steps: 5, eta: .nan) }
        #expect(throws: SchedulerError.invalidEta(1, scheduler: .pndm)) {
            try makeScheduler(.pndm, config: config, steps: 5, eta: 1)
        }
        #expect(throws: SchedulerError.degenerateSchedule(scheduler: .ddim, steps: 1000)) {
            try makeScheduler(.ddim, config: config, steps: 1000)
        }
    }

    @Test("noise alone says nothing to a model of noise: another scheduler is named, not fewer steps")
    func zeroTerminalSNR() throws {
        func config(_ type: String) throws -> SchedulerConfig {
            try decode(
                #"{"clip_sample": false, "rescale_betas_zero_snr": true, "timestep_spacing": "trailing", "prediction_type": ""#
                    + type + #""}"#)
        }
        let error = SchedulerError.noSignal(scheduler: .ddim)
        for steps in [1, 20, 200] {
            #expect(throws: error) { try makeScheduler(.ddim, config: config("epsilon"), steps: steps) }
            #expect(try makeScheduler(.ddim, config: config("v_prediction"), steps: steps).timesteps.first == 999)
            #expect(try makeScheduler(.dpmpp, config: config("epsilon"), steps: steps).timesteps.first == 999)
        }
        #expect("\(error)".contains("dpm++") && !"\(error)".contains("fewer"))
    }

    @Test("spacing: the argument, else the config, else the scheduler's own")
    func spacing() throws {
        let named = try decode(#"{"clip_sample": false, "timestep_spacing": "leading"}"#)
        let silent = try decode(#"{"clip_sample": false}"#)
        #expect(try makeScheduler(.dpmpp, config: named, steps: 9).timesteps.first == 900)
        #expect(try makeScheduler(.dpmpp, config: silent, steps: 9).timesteps.first == 999)
        #expect(
            try makeScheduler(.dpmpp, config: named, steps: 9, spacing: SchedulerKind.dpmpp.defaultSpacing)
                .timesteps.first == 999)
        #expect(
            try makeScheduler(.pndm, config: silent, steps: 10).timesteps == [
                900, 800, 800, 700, 600, 500, 400, 300, 200, 100, 0,
            ])
    }

    private func decode(_ json: String) throws -> SchedulerConfig {
        try JSONDecoder().decode(SchedulerConfig.self, from: Data(json.utf8))
    }
}
