import AudioLDM2
import AudioLDM2Converter
import TestSupport
import Testing

/// Plans, limits, and that no way of holding memory changes a sample.
@Suite struct MemoryTests {
    private static let options = SoundOptions(seconds: 2.3, numInferenceSteps: 3, seed: 7)

    private func pipeline(_ weights: WeightPreset, threads: Int = 2) throws -> AudioLDM2Pipeline {
        try AudioLDM2Pipeline(opening: try ModelFixture.path("tiny", weights), threads: threads)
    }

    /// The least that will do, as the refusal of a lower limit names it.
    private func least(_ pipeline: AudioLDM2Pipeline, _ options: SoundOptions) async throws -> Int {
        var options = options
        options.memoryLimit = 1 << 20
        do {
            _ = try await pipeline.generate("rain", options: options)
        } catch let error as AudioLDM2Error {
            #expect(error.kind == .outOfMemory && error.description.contains("1M are allowed"))
            let number = error.description.split(separator: " ").first { $0.hasSuffix("M") }
            return try #require(number.flatMap { MemoryPlan.bytes(String($0)) })
        }
        Issue.record("a limit of 1M was accepted")
        return 0
    }

    @Test(arguments: WeightPreset.allCases, [1, 2, 5])
    func activationsAreAsPlanned(_ weights: WeightPreset, _ threads: Int) async throws {
        let pipeline = try pipeline(weights, threads: threads)
        for limit in [nil, try await least(pipeline, Self.options)] {
            var options = Self.options
            options.memoryLimit = limit
            let result = try await pipeline.generate("rain", options: options)
            let planned = result.memoryPlan.stages.map { ($0.name, $0.activationBytes) }
            #expect(result.activationBytes == Dictionary(uniqueKeysWithValues: planned))
            #expect(planned.count == 7 && planned.allSatisfy { $0.1 > 0 })
        }
    }

    @Test(arguments: WeightPreset.allCases)
    func samplesAreTheSameUnderAnyLimit(_ weights: WeightPreset) async throws {
        let pipeline = try pipeline(weights)
        let free = try await pipeline.generate("rain", options: Self.options)
        let least = try await least(pipeline, Self.options)
        #expect(least < free.memoryPlan.peakBytes)
        for limit in [least, (least + free.memoryPlan.peakBytes) / 2, free.memoryPlan.peakBytes] {
            var options = Self.options
            options.memoryLimit = limit
            let limited = try await pipeline.generate("rain", options: options)
            #expect(limited.clip == free.clip)
            #expect(limited.memoryPlan.peakBytes <= limit && limited.memoryPlan.limitBytes == limit)
        }
    }

    @Test func lessThanTheLeastIsRefusedBeforeAnyWork() async throws {
        let pipeline = try pipeline(.int8)
        var options = Self.options
        options.memoryLimit = try await least(pipeline, options) - (1 << 20)
        await #expect(throws: AudioLDM2Error.self) {
            for try await event in pipeline.events("rain", options: options) { Issue.record("\(event)") }
        }
        #expect(throws: AudioLDM2Error.self) { try pipeline.memoryPlan(options: options) }
    }

    /// What is not counted needs room too: up to a few MiB above the least there is no other plan.
    @Test(arguments: [WeightPreset.int8, .float32]) func plansJustAboveTheLeastAreTheLeasts(_ weights: WeightPreset)
        async throws
    {
        let pipeline = try pipeline(weights)
        var options = Self.options
        let least = try await least(pipeline, options)
        options.memoryLimit = least
        let expected = try pipeline.memoryPlan(options: options)
        for mebibytes in 1...6 {
            options.memoryLimit = least + mebibytes << 20
            let plan = try pipeline.memoryPlan(options: options)
            let (found, wanted) = (plan.peakBytes, expected.peakBytes)
            #expect(found <= wanted && plan.guidance == expected.guidance, "\(mebibytes) MiB more")
        }
    }

    @Test func plansForAnyPromptHoldForOne() async throws {
        let pipeline = try pipeline(.int8)
        let result = try await pipeline.generate("rain", options: Self.options)
        // Up to what reused buffers may be too large.
        let planned = try pipeline.memoryPlan(options: Self.options).peakBytes + 1 << 20
        #expect(planned >= result.memoryPlan.peakBytes)
    }

    @Test func longClipsArePlannedWithoutTheirMemory() throws {
        let plan = try pipeline(.int8).memoryPlan(options: SoundOptions(seconds: 600))
        #expect(plan.peakBytes > 100 << 20)
    }

    @Test func limitsAreReadAsTheyAreWritten() {
        #expect(MemoryPlan.bytes("400M") == 400 << 20 && MemoryPlan.bytes("1.5g") == 3 << 29)
        #expect(MemoryPlan.bytes("64k") == 65536 && MemoryPlan.bytes("268435456") == 256 << 20)
        for text in ["", "M", "-1M", "0", "nan", "inf", "1T", "1e300G", "12 M"] {
            #expect(MemoryPlan.bytes(text) == nil, "\(text)")
        }
        #expect(MemoryPlan.mebibytes(1) == "1M" && MemoryPlan.mebibytes(256 << 20) == "256M")
    }
}
