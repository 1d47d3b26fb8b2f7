import AudioLDM2
import Foundation
import TestSupport
import Testing

/// Guidance at some noise levels alone.
@Suite struct GuidanceIntervalTests {
    private let model: String

    init() throws { model = try ModelFixture.path("tiny", .int8) }

    private func result(
        threads: Int = 2, _ change: (inout SoundOptions) -> Void = { _ in }
    ) async throws -> SoundResult {
        var options = SoundOptions(seconds: 0.6, numInferenceSteps: 8, scheduler: .dpmpp, seed: 3)
        change(&options)
        return try await AudioLDM2Pipeline(opening: model, threads: threads).generate("rain", options: options)
    }

    @Test func allLevelsAreWhatIsUsual() async throws {
        let usual = try await result()
        let all = try await result { $0.guidanceInterval = 0...1000 }
        #expect(usual.clip == all.clip && usual.record.guidanceInterval == nil)
        #expect(all.record.guidanceInterval == [0, 1000])
    }

    @Test func noLevelsAreNoGuidance() async throws {
        let none = try await result { $0.guidanceInterval = 500...1000 }
        let unguided = try await result { $0.guidanceScale = 1 }
        #expect(none.clip == unguided.clip)
    }

    @Test(arguments: SoundOptions.Quality.allCases) func someLevels(_ quality: SoundOptions.Quality) async throws {
        func some(_ options: inout SoundOptions) { (options.quality, options.guidanceInterval) = (quality, 0.5...5.4) }
        let clip = try await result(some).clip
        #expect(clip.samples.allSatisfy { $0.isFinite })
        #expect(try await result(threads: 5, some).clip == clip)
        #expect(try await result { $0.quality = quality }.clip != clip)
        #expect(try await result { ($0.quality, $0.guidanceScale) = (quality, 1) }.clip != clip)
        // In windows, and where one sound is made beside another.
        let long = try await result {
            ($0.quality, $0.guidanceInterval, $0.seconds, $0.windowSeconds) = (quality, 0.5...5.4, 2.4, 1)
        }
        #expect(long.clip.samples.count == 38400)
        let pipeline = try AudioLDM2Pipeline(opening: model, threads: 2)
        var options = SoundOptions(seconds: 0.6, numInferenceSteps: 8, scheduler: .dpmpp, seed: 3)
        some(&options)
        var together: [Int: AudioClip] = [:]
        for try await event in pipeline.events(of: ["wind", "rain"].map { SoundRequest(prompt: $0, options: options) })
        {
            if case .finished(let result) = event { together[result.sound] = result.clip }
        }
        #expect(together[1] == clip)
    }

    @Test(arguments: [SoundOptions.Scheduler.ddim, .euler]) func otherSchedulers(
        _ scheduler: SoundOptions.Scheduler
    ) async throws {
        let clip = try await result { ($0.scheduler, $0.guidanceInterval) = (scheduler, 0.5...5.4) }.clip
        #expect(try await result { $0.scheduler = scheduler }.clip != clip)
    }

    @Test(arguments: [SoundOptions.Scheduler.unipc, .pndm, .dpmppSinglestep]) func schedulersThatMixSteps(
        _ scheduler: SoundOptions.Scheduler
    ) async throws {
        await #expect {
            try await result { ($0.scheduler, $0.guidanceInterval) = (scheduler, 0.5...5.4) }
        } throws: { error in
            (error as? AudioLDM2Error)?.kind == .invalidOption && "\(error)".contains(scheduler.rawValue)
        }
    }

    @Test func isSaidInJSON() throws {
        let settings = try SoundSettings(json: Data(#"{"guidance_interval": [0.5, 5.5]}"#.utf8))
        #expect(try settings.options().guidanceInterval == 0.5...5.5)
        #expect(String(decoding: try JSONEncoder().encode(settings), as: UTF8.self).contains("[0.5,5.5]"))
        for wrong in ["[5, 1]", "[1]", "3", "[-1, 2]", #""all""#] {
            #expect(throws: (any Error).self) {
                try SoundSettings(json: Data(#"{"guidance_interval": \#(wrong)}"#.utf8)).options()
            }
        }
    }

    @Test func isAFlag() throws {
        let folder = try TemporaryFolder()
        func run(_ interval: String) throws -> CommandRun {
            try CommandRun(
                "audioldm2",
                [
                    "generate", "rain", "-m", model, "-o", folder.file("a.wav"), "--seconds", "0.2", "--steps", "3",
                    "--guidance-interval", interval,
                ])
        }
        #expect(try run("0.3-5.4").status == 0)
        for wrong in ["5-1", "1", "a-b", "-1-2", "1-2-3", "nan-nan"] { #expect(try run(wrong).status == 64) }
    }
}
