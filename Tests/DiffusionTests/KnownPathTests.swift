import Diffusion
import Tensors
import TestSupport
import Testing

/// Ways that start from, or lead to, a known sample.
@Suite struct KnownPathTests {
    private let backend = HostBackend()
    private let clean: [Float] = [0.3, -1.2, 2, 0]
    private let noise: [Float] = [1, -0.4, 0.1, -2]

    private func config() throws -> SchedulerConfig {
        try Fixtures.json("Diffusion", "scheduler_config.json", as: SchedulerConfig.self)
    }

    private func tensor(_ values: [Float]) throws -> Tensor { try backend.upload(values, [1, values.count]) }

    /// A model that knows the clean sample leads to it, from any start.
    @Test(arguments: SchedulerKind.allCases, [0, 1, 7, 19])
    func aKnownSampleIsReached(_ kind: SchedulerKind, _ skipped: Int) throws {
        var scheduler = try makeScheduler(kind, config: config(), steps: 20, skipped: skipped)
        let target = try tensor(clean)
        var sample = try scheduler.noised(target, with: tensor(noise))
        for step in scheduler.timesteps.indices {
            let output = try scheduler.output(leadingTo: target, from: sample, step: step)
            sample = try scheduler.step(output, step: step, sample: sample) { try backend.upload(noise, $0) }
        }
        // DDIM and PNDM end at the schedule's first ᾱ, a little short of 1.
        for (value, expected) in zip(try sample.values(), clean) { #expect(abs(value - expected) < 0.09) }
    }

    /// The noise that was put in is what the model would answer (ε-prediction), all the way.
    @Test(arguments: SchedulerKind.allCases)
    func theModelsAnswerIsTheNoiseThatWasPutIn(_ kind: SchedulerKind) throws {
        var scheduler = try makeScheduler(kind, config: config(), steps: 12, skipped: 4)
        let target = try tensor(clean)
        var sample = try scheduler.noised(target, with: tensor(noise))
        for step in scheduler.timesteps.indices {
            let output = try scheduler.output(leadingTo: target, from: sample, step: step)
            for (value, expected) in zip(try output.values(), noise) { #expect(abs(value - expected) < 2e-3) }
            sample = try scheduler.step(output, step: step, sample: sample) { try backend.upload(noise, $0) }
        }
    }

    @Test(arguments: SchedulerKind.allCases)
    func skippingLeavesOutTheFirstTimesteps(_ kind: SchedulerKind) throws {
        let whole = try makeScheduler(kind, config: config(), steps: 10).timesteps
        let rest = try makeScheduler(kind, config: config(), steps: 10, skipped: 4).timesteps
        // PNDM visits its second timestep twice.
        #expect(Set(rest) == Set(whole).intersection(whole.suffix(6)))
        for skipped in [-1, 10, 11] {
            #expect(throws: SchedulerError.self) {
                try makeScheduler(kind, config: config(), steps: 10, skipped: skipped)
            }
        }
    }
}
