import AudioLDM2
import AudioLDM2Converter
import Foundation
import Testing

@Suite struct GenerationTests {
    private let model: String

    init() throws { model = try ModelFixture.path("tiny", .int8) }

    private func generate(
        _ options: SoundOptions, threads: Int = 2, prompt: String = "a dog barking"
    ) async throws -> SoundResult {
        try await AudioLDM2Pipeline(opening: model, threads: threads).generate(prompt, options: options)
    }

    @Test(arguments: WeightPreset.allCases)
    func sameSeedSameSamplesOnAnyNumberOfThreads(_ weights: WeightPreset) async throws {
        let model = try ModelFixture.path("tiny", weights)
        let options = SoundOptions(seconds: 1.3, numInferenceSteps: 4, seed: 7)
        var clips: [AudioClip] = []
        for threads in [1, 2, 5] {
            let pipeline = try AudioLDM2Pipeline(opening: model, threads: threads)
            clips.append(try await pipeline.generate("rain", options: options).clip)
            clips.append(try await pipeline.generate("rain", options: options).clip)
        }
        for clip in clips { #expect(clip == clips[0]) }
    }

    @Test func seedPromptAndNegativePromptMatter() async throws {
        let base = SoundOptions(seconds: 0.5, numInferenceSteps: 2, seed: 1)
        let first = try await generate(base).clip
        var otherSeed = base
        otherSeed.seed = 2
        #expect(try await generate(otherSeed).clip != first)
        #expect(try await generate(base, prompt: "a violin").clip != first)
        var negative = base
        negative.negativePrompt = "noise"
        #expect(try await generate(negative).clip != first)
        // Without guidance, the negative prompt has no say.
        var unguided = base
        unguided.guidanceScale = 1
        var unguidedNegative = unguided
        unguidedNegative.negativePrompt = "noise"
        let (a, b) = (try await generate(unguided).clip, try await generate(unguidedNegative).clip)
        #expect(a == b && a != first)
    }

    @Test(arguments: [0.1, 0.37, 1.7, 2.56, 3.333])
    func anyLengthIsExact(_ seconds: Double) async throws {
        let clip = try await generate(SoundOptions(seconds: seconds, numInferenceSteps: 1, seed: 1)).clip
        #expect(clip.samples.count == Int(seconds * 16000))
        #expect(clip.sampleRate == 16000)
        #expect(clip.samples.allSatisfy { $0.isFinite && abs($0) <= 1 })
        #expect(clip.samples.contains { $0 != 0 })
    }

    @Test(arguments: SoundOptions.Scheduler.allCases)
    func everySchedulerMakesItsOwnSound(_ scheduler: SoundOptions.Scheduler) async throws {
        let options = SoundOptions(seconds: 0.5, numInferenceSteps: 5, scheduler: scheduler, seed: 3)
        let clip = try await generate(options).clip
        #expect(clip.samples.allSatisfy { $0.isFinite })
        var other = options
        other.scheduler = scheduler == .ddim ? .euler : .ddim
        #expect(try await generate(other).clip != clip)
    }

    @Test func etaDrawsNoiseFromTheSameSeed() async throws {
        let options = SoundOptions(
            seconds: 0.5, numInferenceSteps: 4, scheduler: .ddim, eta: 1, seed: 3)
        let first = try await generate(options).clip
        #expect(try await generate(options).clip == first)
        var still = options
        still.eta = 0
        #expect(try await generate(still).clip != first)
    }

    @Test func eventsComeInOrderAndEndWithTheResult() async throws {
        let pipeline = try AudioLDM2Pipeline(opening: model)
        var stages: [SoundProgress.Stage] = []
        var denoising: [Int] = []
        var result: SoundResult?
        let options = SoundOptions(seconds: 0.5, numInferenceSteps: 3, scheduler: .ddim)
        for try await event in pipeline.events("rain", options: options) {
            #expect(result == nil)
            switch event {
            case .plan(let plan): #expect(stages.isEmpty && plan.limitBytes == MemoryPlan.processLimit)
            case .progress(let progress):
                if stages.last != progress.stage { stages.append(progress.stage) }
                if progress.stage == .denoising { denoising.append(progress.completed) }
            case .warning(let warning): Issue.record("unexpected warning: \(warning)")
            case .finished(let finished): result = finished
            case .failed(let failure): Issue.record("\(failure.error)")
            }
        }
        #expect(stages == SoundProgress.Stage.allCases)
        #expect(denoising == [0, 1, 2, 3])
        let finished = try #require(result)
        #expect(finished.stageSeconds.count == 4)
        // The seed that was drawn makes the same sound again.
        var again = options
        again.seed = finished.seed
        #expect(try await pipeline.generate("rain", options: again).clip == finished.clip)
    }

    @Test func longPromptsAreCutWithAWarningThatSaysWhat() async throws {
        let prompt = (0..<400).map { "word\($0)" }.joined(separator: " ")
        var warnings: [String] = []
        let options = SoundOptions(seconds: 0.2, numInferenceSteps: 1, seed: 1)
        for try await event in try AudioLDM2Pipeline(opening: model).events(prompt, options: options) {
            if case .warning(let warning) = event { warnings.append(warning.description) }
        }
        // CLAP's tokenizer spells every word out; T5's small one knows few of these digits.
        #expect(
            warnings.contains { $0.contains("512 tokens") && $0.contains("CLAP") && $0.contains("word105 word106") })
        #expect(warnings.contains { $0.contains("128 tokens") && $0.contains("T5") && $0.contains("word") })
        #expect(
            warnings.contains { $0.contains("T5 has no tokens") && $0.hasSuffix("read English") && $0.contains(" …") })
        #expect(warnings.count == 3 && warnings.allSatisfy { $0.count < 250 })
    }

    @Test func cancellationStopsTheWork() async throws {
        let pipeline = try AudioLDM2Pipeline(opening: model)
        let task = Task {
            try await pipeline.generate(
                "rain", options: SoundOptions(seconds: 60, numInferenceSteps: 900, seed: 1))
        }
        try await Task.sleep(for: .milliseconds(300))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        // The pipeline is still good for the next sound.
        let options = SoundOptions(seconds: 0.2, numInferenceSteps: 1, seed: 1)
        #expect(try await pipeline.generate("rain", options: options).clip.samples.count == 3200)
    }

    @Test func generationsMayRunAtTheSameTime() async throws {
        let pipeline = try AudioLDM2Pipeline(opening: model)
        let options = SoundOptions(seconds: 0.4, numInferenceSteps: 3, seed: 5)
        let alone = try await pipeline.generate("rain", options: options).clip
        try await withThrowingTaskGroup(of: AudioClip.self) { group in
            for _ in 0..<3 { group.addTask { try await pipeline.generate("rain", options: options).clip } }
            for try await clip in group { #expect(clip == alone) }
        }
    }
}
