import AudioLDM2
import Foundation
import TestSupport
import Testing

/// Weights that stay in memory between sounds, and requests that come at the same time.
@Suite struct WarmPipelineTests {
    private let model: String
    private let options = SoundOptions(seconds: 0.5, numInferenceSteps: 2, seed: 3)

    init() throws { model = try ModelFixture.path("tiny", .int8) }

    private func pipeline(_ budget: Int) throws -> AudioLDM2Pipeline {
        try AudioLDM2Pipeline(opening: model, device: .cpu, weightBudget: budget)
    }

    private func cold(_ prompt: String, _ options: SoundOptions) async throws -> [Float] {
        try await pipeline(0).generate(prompt, options: options).clip.samples
    }

    @Test func warmSoundsAreTheColdOnes() async throws {
        let warm = try pipeline(.max)
        let dog = try await warm.generate("a dog", options: options)
        #expect(try await dog.clip.samples == cold("a dog", options))
        #expect(dog.memoryPlan.keptBytes > 0)
        #expect(
            dog.memoryPlan.peakBytes == dog.memoryPlan.baseBytes + dog.memoryPlan.keptBytes
                + (dog.memoryPlan.stages.map { $0.bytes - $0.keptBytes }.max() ?? 0))
        var long = options
        long.seconds = 2.5
        long.windowSeconds = 1
        long.guidanceScale = 1
        #expect(try await warm.generate("rain", options: long).clip.samples == cold("rain", long))
        let condition = try await warm.condition(for: "a dog", options: options)
        var saved = options
        saved.condition = condition
        #expect(try await warm.generate("", options: saved).clip.samples == dog.clip.samples)
        // What that work had no use for is still there.
        let again = try await warm.generate("a dog", options: options).memoryPlan
        #expect(again.keptBytes == dog.memoryPlan.keptBytes && again.peakBytes == dog.memoryPlan.peakBytes)
        warm.releaseWeights()
        #expect(try await warm.generate("a dog", options: options).clip.samples == dog.clip.samples)
    }

    @Test func whatIsKeptStaysWithinBudgetAndLimit() async throws {
        let all = try await pipeline(.max).generate("a dog", options: options).memoryPlan
        let largest = try #require(all.stages.map(\.keptBytes).max())
        let some = try await pipeline(largest).generate("a dog", options: options).memoryPlan
        #expect(some.keptBytes > 0 && some.keptBytes <= largest && some.keptBytes < all.keptBytes)
        // A limit that leaves no room for what would be kept: the sound comes first.
        let unkept = try await pipeline(0).generate("a dog", options: options)
        var tight = options
        tight.memoryLimit = unkept.memoryPlan.peakBytes + 9 << 20
        let warm = try pipeline(.max)
        _ = try await warm.generate("a dog", options: options)
        for _ in 0..<2 {
            let result = try await warm.generate("a dog", options: tight)
            #expect(result.memoryPlan.peakBytes <= tight.memoryLimit ?? 0)
            #expect(result.clip == unkept.clip)
        }
    }

    @Test(arguments: [0, Int.max])
    func requestsAtOnceAreWhatEachIsAlone(budget: Int) async throws {
        let shared = try pipeline(budget)
        let options = options
        let made = try await withThrowingTaskGroup(of: (Int, [Float]?).self) { group in
            for number in 0..<8 {
                group.addTask {
                    var own = options
                    own.seed = UInt64(number)
                    let making = Task { try await shared.generate("a dog", options: own).clip.samples }
                    guard number != 5 else {
                        making.cancel()
                        await #expect(throws: CancellationError.self) { try await making.value }
                        return (number, nil)
                    }
                    return (number, try await making.value)
                }
            }
            return try await group.reduce(into: [Int: [Float]]()) { $0[$1.0] = $1.1 }
        }
        #expect(made.count == 7)
        for (number, samples) in made {
            var own = options
            own.seed = UInt64(number)
            #expect(try await cold("a dog", own) == samples)
        }
    }

    /// Work that waits for its turn holds no thread, and goes when nobody wants it.
    @Test func workThatWaitsIsGivenUpAtOnce() async throws {
        let pipeline = try pipeline(0)
        var endless = options
        endless.numInferenceSteps = 1000
        endless.seconds = 60
        let (options, unending) = (options, endless)
        let elapsed = try await withTaskExecutorPreference(OwnExecutor()) {
            let first = pipeline.events("a dog", options: unending)
            let clock = ContinuousClock()
            let start = clock.now
            for _ in 0..<100 { _ = pipeline.events("rain", options: unending) }
            await #expect(throws: CancellationError.self) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { _ = try await pipeline.generate("wind", options: options) }
                    group.cancelAll()
                    try await group.waitForAll()
                }
            }
            _ = first
            return clock.now - start
        }
        #expect(elapsed < .seconds(60))
    }
}
