import AudioLDM2
import AudioLDM2Converter
import Foundation
import TestSupport
import Testing

/// Several sounds of a prompt, made together and ranked by CLAP.
@Suite struct CandidateTests {
    private let folder: TemporaryFolder
    private let options = SoundOptions(negativePrompt: "noise", seconds: 0.5, numInferenceSteps: 2, seed: 3)

    init() throws { folder = try TemporaryFolder() }

    private func finished(
        _ events: AsyncThrowingStream<SoundEvent, any Error>
    ) async throws -> (plan: MemoryPlan?, sounds: [SoundResult]) {
        var made: MemoryPlan?
        var sounds: [SoundResult] = []
        for try await event in events {
            if case .plan(let plan) = event { made = plan }
            if case .finished(let sound) = event { sounds.append(sound) }
        }
        return (made, sounds)
    }

    private func ranked(
        _ model: String, _ options: SoundOptions, count: Int = 3, keeping kept: Int = 3
    ) async throws -> (plan: MemoryPlan?, sounds: [SoundResult]) {
        let pipeline = try AudioLDM2Pipeline(opening: model)
        return try await finished(pipeline.events(ranking: count, keeping: kept, of: "a dog", options: options))
    }

    @Test func candidatesAreRankedAndCanBeMadeAgain() async throws {
        let model = try ModelFixture.path("tiny", .float32)
        let all = try await ranked(model, options).sounds
        let scores = all.compactMap(\.score)
        #expect(scores.count == 3 && scores == scores.sorted(by: >))
        #expect(all.allSatisfy { $0.seed == 3 + UInt64($0.sound) })
        #expect(Set(all.map(\.seed)) == [3, 4, 5])
        for sound in all {
            var single = options
            single.seed = sound.seed
            let alone = try await AudioLDM2Pipeline(opening: model).generate("a dog", options: single)
            #expect(alone.clip == sound.clip)
            #expect(sound.record.score == sound.score && sound.record.candidates == 3)
            #expect(SoundProgress.Stage.allCases.allSatisfy { sound.stageSeconds[$0] ?? 0 > 0 })
            let file = folder.file("\(sound.seed).wav")
            try sound.clip.write(to: file)
            let score = try SoundScorer(opening: model).blockingScores(of: [file], for: "a dog")
            #expect(abs(score[0].score - (sound.score ?? 2)) < 0.02)
        }
        let best = try await ranked(model, options, keeping: 1).sounds
        #expect(best.map(\.score) == [all[0].score] && best[0].clip == all[0].clip)
        await #expect(throws: AudioLDM2Error.self) { try await ranked(model, options, keeping: 4) }
    }

    @Test func aFileThatCannotBeUsedDoesNotStopTheOthers() throws {
        let model = try ModelFixture.path("tiny", .int8)
        let (tone, text) = (folder.file("tone.wav"), folder.file("text.wav"))
        try AudioClip(samples: (0..<16000).map { Float(0.3 * sin(Double($0) * 0.1)) }, sampleRate: 16000).write(
            to: tone)
        try Data("no sound".utf8).write(to: URL(fileURLWithPath: text))
        let scorer = try SoundScorer(opening: model)
        var unusable: [String] = []
        let scores = try scorer.blockingScores(
            of: [text, tone, "/nowhere.wav"], for: "a dog", unusable: { file, _ in unusable.append(file) })
        #expect(scores == (try scorer.blockingScores(of: [tone], for: "a dog")) && unusable == [text, "/nowhere.wav"])
        #expect(throws: AudioLDM2Error.self) { try scorer.blockingScores(of: [tone, text], for: "a dog") }
        let outcome = try CommandRun("audioldm2", ["score", "a dog", text, tone, "-m", model, "--json"])
        #expect(outcome.status == 1 && outcome.errors.contains(text))
        let printed = try JSONDecoder().decode([SoundScore].self, from: Data(outcome.output.utf8))
        #expect(printed.map(\.file) == [tone])
    }

    /// The UNet works on several at once, as many as memory has room for, and each is what it would be alone.
    @Test(arguments: SoundOptions.Scheduler.allCases, [false, true])
    func batchesChangeNothing(_ scheduler: SoundOptions.Scheduler, _ isLong: Bool) async throws {
        let model = try ModelFixture.path("tiny", .int8)
        var options = options
        options.scheduler = scheduler
        if scheduler == .ddim { options.eta = 1 }
        if isLong { (options.seconds, options.windowSeconds) = (1.5, 1) }
        let (plan, all) = try await ranked(model, options, count: 5, keeping: 5)
        #expect(plan?.sounds == 5 && Set(all.map(\.seed)) == [3, 4, 5, 6, 7])
        for sound in all {
            var single = options
            single.seed = sound.seed
            let alone = try await AudioLDM2Pipeline(opening: model).generate("a dog", options: single)
            #expect(alone.clip == sound.clip && alone.memoryPlan.sounds == 1)
        }
    }

    @Test func batchesShrinkUnderALimitAndKeepWithinIt() async throws {
        let model = try ModelFixture.path("tiny", .int8)
        let free = try await ranked(model, options, count: 8, keeping: 8)
        let peak = try #require(free.plan?.peakBytes)
        var limited = options
        limited.memoryLimit = 1 << 20
        do {
            _ = try await ranked(model, limited, count: 8)
            Issue.record("a limit of 1M was accepted")
        } catch let error as AudioLDM2Error {
            #expect(error.kind == .outOfMemory)
            let number = error.description.split(separator: " ").first { $0.hasSuffix("M") }
            let least = try #require(number.flatMap { MemoryPlan.bytes(String($0)) })
            #expect(least < peak)
            limited.memoryLimit = least
        }
        let (plan, sounds) = try await ranked(model, limited, count: 8, keeping: 8)
        let summary = try #require(plan)
        #expect(summary.sounds < 8 && summary.peakBytes <= limited.memoryLimit ?? 0)
        #expect(sounds.map(\.clip) == free.sounds.map(\.clip))
        let planned = Dictionary(uniqueKeysWithValues: summary.stages.map { ($0.name, $0.activationBytes) })
        for sound in sounds {
            #expect(sound.activationBytes.allSatisfy { $0.value <= planned[$0.key] ?? 0 })
        }
    }

    /// With either vocoder: a search for phases starts from the seed, too.
    @Test(arguments: SoundOptions.Vocoder.allCases)
    func editsAreRankedToo(_ vocoder: SoundOptions.Vocoder) async throws {
        let pipeline = try AudioLDM2Pipeline(opening: ModelFixture.path("tiny", .int8))
        let tone = (0..<32000).map { Float(0.3 * sin(Double($0 / 2) * 0.05)) }
        let clip = AudioClip(samples: tone, sampleRate: 16000, channels: 2)
        let plan = EditPlan.inpaint([0.3...0.6])
        var options = options
        options.seconds = nil
        options.vocoder = vocoder
        let (memory, sounds) = try await finished(
            pipeline.events(ranking: 3, keeping: 2, editing: clip, "rain", plan: plan, options: options))
        #expect(memory?.sounds == 3 && sounds.count == 2 && sounds[0].score ?? 2 >= sounds[1].score ?? 2)
        for sound in sounds {
            var single = options
            single.seed = sound.seed
            let alone = try await pipeline.edit(clip, "rain", plan: plan, options: single)
            #expect(alone.clip == sound.clip && sound.record.candidates == 3)
        }
    }
}
