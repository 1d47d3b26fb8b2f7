import AudioLDM2
import AudioLDM2Converter
import Foundation
import Synchronization
import TestSupport
import Testing

/// Griffin-Lim in the place of the model's own vocoder, and what a model file says of how its sounds are made.
@Suite struct VocoderTests {
    private let folder: TemporaryFolder
    private let model: String

    init() throws {
        folder = try TemporaryFolder()
        model = try ModelFixture.path("tiny", .int8)
    }

    private func options(_ seconds: Double, loops: Bool = false) -> SoundOptions {
        SoundOptions(
            seconds: seconds, numInferenceSteps: 2, seed: 1, windowSeconds: 2, loops: loops, vocoder: .griffinLim)
    }

    private func generate(_ options: SoundOptions, threads: Int = 2) async throws -> SoundResult {
        try await AudioLDM2Pipeline(opening: model, threads: threads).generate("rain", options: options)
    }

    @Test(arguments: [0.1, 0.64, 2, 5.3])
    func makesAnyLengthOnAnyNumberOfThreads(_ seconds: Double) async throws {
        let result = try await generate(options(seconds))
        let samples = result.clip.samples
        #expect(samples.count == Int(seconds * 16000) && samples.contains { $0 != 0 })
        #expect(samples.allSatisfy { abs($0) <= SoundFinish.ceiling + 1e-6 })
        #expect(try await generate(options(seconds), threads: 1).clip.samples == samples)
        #expect(result.record.vocoder == "griffin-lim")
        var other = options(seconds)
        other.vocoder = .hifigan
        let network = try await generate(other)
        #expect(network.clip.samples != samples && network.record.vocoder == "hifigan")
        // It loads no vocoder.
        #expect(!result.memoryPlan.stages.contains { $0.name == "vocoder" })
    }

    /// What fits into a window is whole before it leaves; of what is longer, the gain may differ: see below.
    @Test(arguments: [(1.0, .griffinLim), (7, .hifigan)] as [(Double, SoundOptions.Vocoder)])
    func streamingEqualsWhole(_ seconds: Double, _ vocoder: SoundOptions.Vocoder) async throws {
        var options = options(seconds)
        options.vocoder = vocoder
        let taken = Mutex<[[Float]]>([])
        for try await _ in try AudioLDM2Pipeline(opening: model).events(
            "rain", options: options, streamingTo: { block in taken.withLock { $0.append(block) } })
        {}
        let blocks = taken.withLock(\.self)
        #expect(try await Array(blocks.joined()) == generate(options).clip.samples)
        #expect(seconds < 2 || blocks.count > 1)
    }

    /// Of a long sound in a file all is known before any of it is written: one gain, whatever the windows.
    @Test func longSoundsInFilesShareOneGain() async throws {
        var louder = options(7)
        louder.guidanceScale = 12
        let whole = try await generate(louder).clip.samples
        let taken = Mutex<[Float]>([])
        for try await _ in try AudioLDM2Pipeline(opening: model).events(
            "rain", options: louder, streamingTo: { block in taken.withLock { $0 += block } })
        {}
        let streamed = taken.withLock(\.self)
        // The same sound but for the gain, which is the same everywhere in the file.
        let peak = whole.lazy.map(abs).max() ?? 0
        #expect(peak <= SoundFinish.ceiling + 1e-6 && streamed.count == whole.count)
        let ratios = zip(whole, streamed).filter { abs($0.1) > 1e-3 }.map { $0.0 / $0.1 }
        #expect(ratios.allSatisfy { $0 <= 1 + 1e-4 } && abs((ratios.last ?? 0) - 1) < 1e-4)
    }

    @Test(arguments: [0.3, 4]) func loopsAreWholeFrames(_ seconds: Double) async throws {
        let samples = try await generate(options(seconds, loops: true)).clip.samples
        #expect(samples.count % 640 == 0 && abs(Double(samples.count) / 16000 - seconds) <= 0.04)
        let steps = zip(samples, samples.dropFirst()).map { abs($0 - $1) }.sorted()
        // The sound of random weights is noise.
        #expect(abs(samples[samples.count - 1] - samples[0]) <= steps[steps.count * 999 / 1000])
    }

    @Test func editsAndGroupsTakeIt() async throws {
        let pipeline = try AudioLDM2Pipeline(opening: model)
        let clip = AudioClip(samples: (0..<32000).map { 0.1 * sin(Float($0) * 0.1) }, sampleRate: 16000)
        let plan = EditPlan.inpaint([0.5...1])
        let edit = try await pipeline.edit(clip, "rain", plan: plan, options: options(1))
        #expect(edit.record.vocoder == "griffin-lim" && edit.clip.samples.count == 32000)
        var samples: [[Float]] = []
        let requests = [SoundRequest(prompt: "rain", options: options(1))]
        for try await event in pipeline.events(of: requests) {
            if case .finished(let result) = event { samples.append(result.clip.samples) }
        }
        #expect(try await samples == [generate(options(1)).clip.samples])
    }

    /// What a checkpoint's generation_config.json says, the converter's option, options and profiles over it.
    @Test func theModelFileSaysTheDefault() async throws {
        let source = Fixtures.folder("Checkpoints").appendingPathComponent("tiny").path
        let copy = folder.file("checkpoint")
        try FileManager.default.copyItem(atPath: source, toPath: copy)
        let config = copy + "/generation_config.json"
        try #"{"vocoder": "griffin-lim", "guidance_rescale": 0.5, "fade_seconds": 0.01, "silence_retries": 1}"#
            .write(toFile: config, atomically: true, encoding: .utf8)
        let pack = folder.file("model.aldm")
        func convert(_ options: ConversionOptions = .init()) throws -> AudioLDM2Pipeline {
            _ = try CheckpointConverter(DiffusersFolder(path: copy), options).convert(to: pack)
            return try AudioLDM2Pipeline(opening: pack)
        }
        let pipeline = try convert()
        let unsaid = SoundOptions(seconds: 0.5, numInferenceSteps: 2, seed: 1)
        let record = try await pipeline.generate("rain", options: unsaid).record
        #expect(record.vocoder == "griffin-lim" && record.guidanceRescale == 0.5 && record.fadeSeconds == 0.01)
        var reference = SoundOptions.defaults(of: .diffusers)
        (reference.seconds, reference.numInferenceSteps, reference.seed) = (0.5, 2, 1)
        let plain = try await pipeline.generate("rain", options: reference).record
        #expect(plain.vocoder == "hifigan" && plain.guidanceRescale == nil && plain.fadeSeconds == nil)
        var network = ConversionOptions()
        network.vocoder = .hifigan
        let second = try convert(network)
        let other = try await second.generate("rain", options: unsaid).record
        #expect(other.vocoder == "hifigan" && other.guidanceRescale == 0.5)

        for (text, part) in [
            ("[]", "not a JSON object"), (#"{"vocoder": "wavenet"}"#, "vocoder"), (#"{"loudness": 1}"#, "loudness"),
            (#"{"guidance_rescale": 2}"#, "guidance_rescale"), (#"{"fade_seconds": "a"}"#, "fade_seconds"),
            (#"{"silence_retries": -1}"#, "silence_retries"), ("{", "generation_config"),
        ] {
            try text.write(toFile: config, atomically: true, encoding: .utf8)
            #expect { try convert() } throws: { "\($0)".contains(part) }
        }
    }

    /// A model that was converted for a profile has its own defaults where only the model names the profile.
    @Test func aModelsDefaultGoesOverItsProfile() throws {
        let source = Fixtures.folder("Checkpoints").appendingPathComponent("tiny").path
        let pack = folder.file("authors.aldm")
        let options = ["--vocoder", "griffin-lim", "--profile", "authors"]
        #expect(
            try CommandRun("audioldm2-convert", [source, "-o", pack, "--quiet", "--no-calibrate"] + options).status == 0
        )
        func vocoder(_ flags: String...) throws -> String? {
            let making = ["--seconds", "0.2", "--steps", "1", "--seed", "1", "--json"]
            let run = try CommandRun(
                "audioldm2", ["generate", "a", "-m", pack, "-o", folder.file("a.wav")] + making + flags)
            let record = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
            #expect(record?["profile"] as? String == "authors" || flags.contains("diffusers"))
            return record?["vocoder"] as? String
        }
        #expect(try vocoder() == "griffin-lim" && vocoder("--vocoder", "hifigan") == "hifigan")
        #expect(try vocoder("--profile", "authors") == "hifigan" && vocoder("--profile", "diffusers") == "hifigan")
    }

    /// What is made anew of a sound does not exceed full scale, whatever the spectrogram says.
    @Test func editsDoNotClip() async throws {
        let pipeline = try AudioLDM2Pipeline(opening: model)
        let clip = AudioClip(samples: (0..<32000).map { 0.9 * sin(Float($0) * 0.1) }, sampleRate: 16000)
        for plan in [EditPlan.transform(strength: 1), .inpaint([0.5...1]), .extend(by: 1)] {
            let edit = try await pipeline.edit(clip, "rain", plan: plan, options: options(1))
            #expect(edit.clip.samples.allSatisfy { abs($0) <= 1 })
        }
    }

    /// With all of the conditional prediction's deviation kept, guidance makes sounds less loud, and another sound.
    @Test func rescaledGuidanceIsAnotherSound() async throws {
        var plain = SoundOptions(seconds: 0.5, numInferenceSteps: 2, guidanceScale: 7, seed: 1)
        let first = try await generate(plain)
        plain.guidanceRescale = 0
        #expect(try await generate(plain).clip == first.clip)
        plain.guidanceRescale = 0.7
        let rescaled = try await generate(plain)
        #expect(rescaled.clip != first.clip && rescaled.record.guidanceRescale == 0.7)
    }

    @Test func sillyOptionsAreRefused() async throws {
        let pipeline = try AudioLDM2Pipeline(opening: model)
        for options in [
            SoundOptions(guidanceRescale: 1.5), SoundOptions(guidanceRescale: .nan),
            SoundOptions(fadeSeconds: -1), SoundOptions(silenceRetries: 1000),
        ] {
            await #expect(throws: AudioLDM2Error.self) { try await pipeline.generate("rain", options: options) }
        }
    }
}
