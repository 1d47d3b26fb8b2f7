import AudioLDM2
import AudioLDM2Converter
import Foundation
import TestSupport
import Testing

@Suite struct ProfileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func clip(_ model: String, _ options: SoundOptions) async throws -> AudioClip {
        var options = options
        (options.seconds, options.numInferenceSteps, options.seed) = (0.5, 2, 1)
        return try await AudioLDM2Pipeline(opening: model).generate("a woman speaks", options: options).clip
    }

    @Test func defaultsAreThoseOfTheReference() {
        for (profile, eta) in [(ReferenceProfile.diffusers, Float(0)), (.authors, 1)] {
            let options = SoundOptions.defaults(of: profile)
            #expect(options.scheduler == .ddim && options.numInferenceSteps == 200 && options.guidanceScale == 3.5)
            #expect(options.eta == eta && options.profile == profile)
        }
        #expect(SoundOptions.defaults(of: nil) == SoundOptions())
        var options = SoundOptions.defaults(of: .authors)
        options.use(.ddim)
        #expect(options == .defaults(of: .authors))
        options.use(.dpmpp)
        #expect(
            options
                == SoundOptions(
                    scheduler: .dpmpp, profile: .authors, guidanceRescale: 0, vocoder: .hifigan, fadeSeconds: 0,
                    silenceRetries: 0,
                    quality: .exact))
    }

    /// The denoiser of a speech model reads nothing but the language of audio, so that no negative prompt matters.
    @Test func authorsGuideAwayFromZeros() async throws {
        let model = try ModelFixture.path("tiny-tts", .int8)
        func clip(_ profile: ReferenceProfile, negative: String) async throws -> AudioClip {
            try await self.clip(
                model, SoundOptions(negativePrompt: negative, speech: .phonemes("dˈeɪ"), profile: profile))
        }
        let authors = try await clip(.authors, negative: "noise")
        #expect(try await clip(.authors, negative: "rain falling on a tin roof") == authors)
        let diffusers = try await clip(.diffusers, negative: "noise")
        #expect(try await clip(.diffusers, negative: "rain falling on a tin roof") != diffusers)
        #expect(authors != diffusers)
    }

    @Test func aSavedConditionKeepsItsProfile() async throws {
        let model = try ModelFixture.path("tiny", .int8)
        let pipeline = try AudioLDM2Pipeline(opening: model)
        let saved = try await pipeline.condition(for: "a woman speaks", options: SoundOptions(profile: .authors))
        #expect(
            try await clip(model, SoundOptions(condition: saved))
                == clip(model, SoundOptions(profile: .authors)))
    }

    @Test func theFileSaysTheDefault() async throws {
        let model = folder.file("authors.aldm")
        let checkpoint = Fixtures.folder("Checkpoints").appendingPathComponent("tiny").path
        _ = try CheckpointConverter(DiffusersFolder(path: checkpoint), ConversionOptions(profile: .authors))
            .convert(to: model)
        #expect(try AudioLDM2Pipeline(opening: model).profile == .authors)
        #expect(try AudioLDM2Pipeline(opening: ModelFixture.path("tiny", .int8)).profile == nil)
        let unsaid = try await clip(model, SoundOptions())
        #expect(try await clip(model, SoundOptions(profile: .authors)) == unsaid)
        #expect(try await clip(model, SoundOptions(profile: .diffusers)) != unsaid)

        // The command takes the profile's defaults, and what it is told over them.
        func record(_ arguments: String...) throws -> [String: Any] {
            let run = try CommandRun(
                "audioldm2",
                ["generate", "a dog", "-m", model, "-o", folder.file("a.wav"), "--seconds", "0.1", "--json"] + arguments
            )
            return try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        }
        let own = try record("--steps", "2")
        #expect(own["scheduler"] as? String == "ddim" && own["eta"] as? Double == 1)
        #expect(own["profile"] as? String == "authors")
        let fast = try record("--scheduler", "dpm++")
        #expect(fast["steps"] as? Int == 25 && fast["eta"] as? Double == 0)
        let other = try record("--profile", "diffusers")
        #expect(other["steps"] as? Int == 200 && other["eta"] as? Double == 0)
        #expect(other["profile"] as? String == "diffusers")
    }
}
