import Diffusion
import Foundation
import Tensors
import TestSupport
import Testing

/// Noise levels that are even in the logarithm of the signal-to-noise ratio.
@Suite struct NoiseLevelsTests {
    private let backend = HostBackend()

    private func config(_ changes: String = "") throws -> SchedulerConfig {
        guard !changes.isEmpty else {
            return try Fixtures.json("Diffusion", "scheduler_config.json", as: SchedulerConfig.self)
        }
        return try JSONDecoder().decode(SchedulerConfig.self, from: Data(changes.utf8))
    }

    /// σ of the schedule at time steps, by the formula and not by what is tested.
    private func logSigmas(_ timesteps: [Float]) -> [Double] {
        let count = 1000
        let (start, end) = (0.0015.squareRoot(), 0.0195.squareRoot())
        var alpha = 1.0
        let logs = (0..<count).map { index -> Double in
            let root = start + (end - start) * Double(index) / Double(count - 1)
            alpha *= 1 - root * root
            return log(((1 - alpha) / alpha).squareRoot())
        }
        return timesteps.map { time in
            let low = min(Int(time), count - 2)
            let share = Double(time) - Double(low)
            return logs[low] * (1 - share) + logs[low + 1] * share
        }
    }

    @Test(arguments: [SchedulerKind.dpmpp, .unipc], [2, 5, 14, 60])
    func areEven(_ kind: SchedulerKind, _ steps: Int) throws {
        let timesteps = try makeScheduler(kind, config: config(), steps: steps, levels: .settled).timesteps
        let logs = logSigmas(timesteps)
        #expect(timesteps.count == steps && timesteps[0] == 999)
        #expect(abs((logs.last ?? 0) - log(0.1)) < 1e-3)
        let step = (logs[steps - 1] - logs[0]) / Double(steps - 1)
        for (before, after) in zip(logs, logs.dropFirst()) { #expect(abs(after - before - step) < 1e-3) }
    }

    /// An edit starts where its strength says on the trained schedule, whatever the levels.
    @Test func aLaterStartIsWhereTimeSays() throws {
        let timesteps = try makeScheduler(.dpmpp, config: config(), steps: 20, skipped: 10, levels: .settled).timesteps
        #expect(timesteps.count == 10 && abs(timesteps[0] - 499) < 0.01)
        #expect(abs((logSigmas(timesteps).last ?? 0) - log(0.1)) < 1e-3)
        // Less noise at the start than where ways usually end.
        let short = try makeScheduler(.dpmpp, config: config(), steps: 1000, skipped: 997, levels: .settled).timesteps
        #expect(short.count == 3 && zip(short, short.dropFirst()).allSatisfy { $0 >= $1 })
    }

    @Test func whereTheyCannotBeHadTheConfigsAreTaken() throws {
        let published = try config()
        for kind in SchedulerKind.allCases where !kind.takesAnyLevels {
            #expect(
                try makeScheduler(kind, config: published, steps: 9, levels: .settled).timesteps
                    == makeScheduler(kind, config: published, steps: 9).timesteps)
        }
        for text in [
            #"{"beta_schedule": "scaled_linear", "use_karras_sigmas": true}"#,
            #"{"beta_schedule": "scaled_linear", "rescale_betas_zero_snr": true, "prediction_type": "v_prediction"}"#,
        ] {
            let own = try config(text)
            #expect(
                try makeScheduler(.dpmpp, config: own, steps: 9, levels: .settled).timesteps
                    == makeScheduler(.dpmpp, config: own, steps: 9).timesteps)
        }
    }

    /// Of normally distributed data the best prediction and the solution are known: y ∝ √(s² + σ²) for y = x / √ᾱ.
    private func error(steps: Int, _ levels: NoiseLevels, deviation: Double) throws -> Double {
        var scheduler = try makeScheduler(.dpmpp, config: config(), steps: steps, levels: levels)
        let first = exp(logSigmas([scheduler.timesteps[0]])[0])
        let start = 1.3
        var sample = try backend.upload([Float(start)], [1, 1])
        for (step, time) in scheduler.timesteps.enumerated() {
            let sigma = exp(logSigmas([time])[0])
            let y = Double(try sample.values()[0]) * (1 + sigma * sigma).squareRoot()
            let noise = sigma * y / (deviation * deviation + sigma * sigma)
            sample = try scheduler.step(backend.upload([Float(noise)], [1, 1]), step: step, sample: sample) {
                try backend.upload([0], $0)
            }
        }
        let y = start * (1 + first * first).squareRoot()
        let solution = y * deviation / (deviation * deviation + first * first).squareRoot()
        return abs(Double(try sample.values()[0]) - solution) / abs(solution)
    }

    /// What is left with many steps is what the last one, to no noise, leaves out: it is of the first order.
    @Test(arguments: [0.5, 1, 2]) func convergesToTheSolution(_ deviation: Double) throws {
        let rest = 1 - deviation / (deviation * deviation + 0.01).squareRoot()
        #expect(abs(try error(steps: 100, .settled, deviation: deviation) - rest) < 3e-3)
        #expect(try error(steps: 14, .settled, deviation: deviation) < 4e-2)
    }

    /// What was predicted before a step that starts anew has no part in it, nor in what follows; otherwise it has.
    @Test(arguments: [[], [3]] as [Set<Int>]) func aSolverStartsAnew(_ anew: Set<Int>) throws {
        func way(_ early: Float) throws -> [Float] {
            var scheduler = try makeScheduler(
                .dpmpp, config: config(), steps: 6, levels: .settled, anew: anew)
            var sample = try backend.upload([0.7], [1, 1])
            for step in scheduler.timesteps.indices {
                if step == 3 { sample = try backend.upload([0.4], [1, 1]) }
                let output = try backend.upload([step < 3 ? early : 0.1 * Float(step)], [1, 1])
                sample = try scheduler.step(output, step: step, sample: sample) { _ in sample }
            }
            return try sample.values()
        }
        #expect(try (way(0.5) == way(-2)) == !anew.isEmpty)
    }

    @Test(arguments: SchedulerKind.allCases) func whoCannotStartAnewSaysSo(_ kind: SchedulerKind) throws {
        let config = try config()
        if kind.canStartAnew {
            #expect(try makeScheduler(kind, config: config, steps: 6, anew: [2]).timesteps.count == 6)
        } else {
            #expect(throws: SchedulerError.cannotStartAnew(scheduler: kind)) {
                try makeScheduler(kind, config: config, steps: 6, anew: [2])
            }
        }
    }
}
