import Diffusion
import Tensors
import TestSupport
import Testing

@Suite("Schedulers against diffusers")
struct SchedulerTests {
    private struct Trajectory: Decodable {
        let scheduler: String
        let config: SchedulerConfig
        let steps: Int
        let eta: Float
        let initialNoiseScale: Float
        let timesteps: [Float]
        /// After every step, or after the last one.
        let samples: [[Float]]
    }

    private struct Timesteps: Decodable {
        let scheduler: String
        let spacing: String
        /// Number of steps, number of timesteps, Σ (position + 1) · timestep.
        let rows: [[Double]]
    }

    private let backend = HostBackend()

    /// The singlestep solver's are among those of options.
    @Test(
        "trajectories under a synthetic model", arguments: SchedulerKind.allCases.filter { $0 != .dpmppSinglestep })
    func trajectories(kind: SchedulerKind) throws {
        try expectTrajectories(of: kind, in: "trajectories.json", atLeast: 27)
    }

    @Test(
        "options of the solvers: spaced noise levels, their end, orders, Heun's form, fresh noise",
        arguments: [(SchedulerKind.dpmpp, 98), (.dpmppSinglestep, 97), (.unipc, 42), (.euler, 30)])
    func options(kind: SchedulerKind, count: Int) throws {
        try expectTrajectories(of: kind, in: "options.json", atLeast: count)
    }

    @Test("configs as diffusers' classes save them, under DPM-Solver++, the default")
    func savedConfigs() throws {
        try expectTrajectories(of: .dpmpp, in: "saved.json", atLeast: 14)
    }

    private func expectTrajectories(of kind: SchedulerKind, in file: String, atLeast count: Int) throws {
        let cases = try Fixtures.json("Diffusion", file, as: [Trajectory].self)
            .filter { $0.scheduler == kind.rawValue }
        #expect(cases.count >= count)
        for expected in cases {
            let context: Comment = "\(expected.steps) steps, eta \(expected.eta), \(expected.config)"
            let scheduler = try makeScheduler(kind, config: expected.config, steps: expected.steps, eta: expected.eta)
            // Euler's are fractions of logarithms, which NumPy rounds in the last bit otherwise.
            let tolerance: Float = kind == .euler ? 1e-6 : 0
            #expect(scheduler.timesteps.count == expected.timesteps.count, context)
            for (ours, theirs) in zip(scheduler.timesteps, expected.timesteps) {
                #expect(abs(ours - theirs) <= tolerance * abs(theirs), context)
            }
            #expect(abs(scheduler.initialNoiseScale / expected.initialNoiseScale - 1) < 1e-6, context)
            let samples = try run(scheduler)
            for (ours, theirs) in zip(samples.suffix(expected.samples.count), expected.samples) {
                #expect(relativeError(ours, theirs) < 2e-5, context)
            }
        }
    }

    @Test("timesteps of many numbers of steps")
    func timesteps() throws {
        let published = try publishedConfig()
        for expected in try Fixtures.json("Diffusion", "timesteps.json", as: [Timesteps].self) {
            let kind = try #require(SchedulerKind(rawValue: expected.scheduler))
            let spacing = try #require(TimestepSpacing(rawValue: expected.spacing))
            for row in expected.rows {
                let timesteps = try makeScheduler(kind, config: published, steps: Int(row[0]), spacing: spacing)
                    .timesteps
                let sum = timesteps.enumerated().reduce(0.0) { $0 + Double($1.offset + 1) * Double($1.element) }
                #expect(timesteps.count == Int(row[1]), "\(kind) \(spacing) \(row[0])")
                #expect(abs(sum - row[2]) <= 1e-9 * row[2], "\(kind) \(spacing) \(row[0])")
            }
        }
    }

    @Test("noise is drawn once per step with eta, and never without", arguments: [0, 0.3, 1] as [Float])
    func noiseDraws(eta: Float) throws {
        var scheduler = try makeScheduler(.ddim, config: publishedConfig(), steps: 4, eta: eta)
        var draws = 0
        for step in scheduler.timesteps.indices {
            let tensor = try backend.upload([1, 2], [1, 2])
            _ = try scheduler.step(tensor, step: step, sample: tensor) { shape in
                draws += 1
                #expect(shape == [1, 2])
                return tensor
            }
        }
        #expect(draws == (eta > 0 ? 4 : 0))
    }

    @Test("steps out of order are refused", arguments: SchedulerKind.allCases)
    func stepOrder(kind: SchedulerKind) throws {
        let tensor = try backend.upload([1], [1])
        var scheduler = try makeScheduler(kind, config: publishedConfig(), steps: 3)
        #expect(throws: SchedulerError.stepOutOfOrder(expected: 0, found: 1)) {
            try scheduler.step(tensor, step: 1, sample: tensor) { _ in tensor }
        }
        for step in scheduler.timesteps.indices {
            _ = try scheduler.step(tensor, step: step, sample: tensor) { _ in tensor }
        }
        let count = scheduler.timesteps.count
        #expect(throws: SchedulerError.stepOutOfOrder(expected: count, found: count)) {
            try scheduler.step(tensor, step: count, sample: tensor) { _ in tensor }
        }
    }

    @Test("every number of steps gives finite samples or a typed error", arguments: SchedulerKind.allCases)
    func allStepCounts(kind: SchedulerKind) throws {
        let config = try publishedConfig()
        for spacing in TimestepSpacing.allCases {
            for steps in [1, 2, 3, 4, 7, 14, 15, 333, 334, 499, 500, 501, 997, 998, 999, 1000] {
                do {
                    let scheduler = try makeScheduler(kind, config: config, steps: steps, spacing: spacing)
                    let last = try #require(try run(scheduler).last)
                    #expect(last.allSatisfy { $0.isFinite }, "\(kind) \(spacing) \(steps)")
                } catch SchedulerError.degenerateSchedule(kind, steps) {
                    #expect(steps >= 999, "\(kind) \(spacing)")
                }
            }
        }
    }

    @Test("guidance goes from the unconditional through the conditional prediction")
    func guidance() throws {
        let unconditional = try backend.upload([1, -2], [2])
        let conditional = try backend.upload([2, 0], [2])
        for (scale, expected) in [(0, [1, -2]), (1, [2, 0]), (3.5, [4.5, 5])] as [(Float, [Float])] {
            let result = try Guidance(scale: scale)(unconditional: unconditional, conditional: conditional)
            #expect(try result.values() == expected)
        }
    }

    // MARK: The synthetic model of the fixtures

    /// All samples of a run, from the fixtures' seed on.
    private func run(_ scheduler: any Scheduler) throws -> [[Float]] {
        var scheduler = scheduler
        var generator = TorchGenerator(seed: 11)
        let shape: Shape = [1, 24]
        var sample = try scheduler.initialNoiseScale * backend.upload(generator.normal(count: 24), shape)
        var samples: [[Float]] = []
        for (step, timestep) in scheduler.timesteps.enumerated() {
            let output = try model(scheduler.scaleInput(sample, step: step), timestep)
            sample = try scheduler.step(output, step: step, sample: sample) { shape in
                try backend.upload(generator.normal(count: shape.count), shape)
            }
            samples.append(try sample.values())
        }
        return samples
    }

    private func model(_ sample: Tensor, _ timestep: Float) throws -> Tensor {
        let time = timestep / 1000
        let values = try sample.values().enumerated().map { index, x in
            0.75 * x / (1 + abs(x)) + time * (Float((7 * index) % 11 - 5) / 10)
        }
        return try backend.upload(values, sample.shape)
    }

    private func relativeError(_ ours: [Float], _ theirs: [Float]) -> Double {
        func power(_ values: [Float]) -> Double { values.reduce(0) { $0 + Double($1) * Double($1) } }
        return (power(zip(ours, theirs).map { $0 - $1 }) / power(theirs)).squareRoot()
    }

    private func publishedConfig() throws -> SchedulerConfig {
        try Fixtures.json("Diffusion", "scheduler_config.json", as: SchedulerConfig.self)
    }
}
