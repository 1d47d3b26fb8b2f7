import AudioLDM2
import AudioLDM2Converter
import AudioLDM2Diagnostics
import Checkpoints
import Foundation
import TestSupport
import Testing

/// The parts of a model that take sound in, and models without them.
@Suite struct ListeningTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A pack of the tiny checkpoint, with the parts of other fixtures beside its own.
    private func model(_ weights: WeightPreset = .float32, without: Set<String> = []) throws -> String {
        try ModelFixture.path(
            "tiny", with: ["AudioMAE/audiomae", "Magnitudes/magnitudes"], in: folder,
            ConversionOptions(weights: weights, without: without))
    }

    private var extras: Set<String> { Set(CheckpointLayout.extras.map(\.name)) }

    private func relativeError(_ values: [Float], _ expected: [Float]) -> Double {
        guard values.count == expected.count else { return .infinity }
        let squares = zip(values, expected).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
        return (squares / expected.reduce(0.0) { $0 + Double($1) * Double($1) }).squareRoot()
    }

    /// Against PyTorch's transformer layers and torchaudio's features: `make_audiomae_fixture.py`.
    @Test(arguments: [(WeightPreset.float32, 1e-5), (.int8, 1e-2)])
    func audioMAEEqualsTheReferencesOnRealSounds(weights: WeightPreset, tolerance: Double) throws {
        let trace = try ComponentTrace(opening: model(weights))
        let golden = try GoldenTensors(Fixtures.folder("AudioMAE").appendingPathComponent("golden.safetensors").path)
        for index in 0..<5 {
            let wave = try golden.values("wave.\(index)").values
            let made = try trace.blockingRun([NamedTensor(name: "audiomae.wave", shape: [1, wave.count], values: wave)])
            #expect(made.map(\.name) == ["audiomae.fbank", "audiomae.loa"])
            #expect(made[0].shape == [1, 1024, 128] && made[1].shape == [1, 8, 32])
            let features = try golden.values("fbank.\(index)").values
            #expect(relativeError(Array(made[0].values.prefix(features.count)), features) < 1e-4)
            #expect(relativeError(made[1].values, try golden.values("loa.\(index)").values) < tolerance)
        }
    }

    @Test func tracesOfSoundEqualTheReferences() throws {
        let golden = try GoldenTensors(ModelFixture.golden("tiny-2.56s"))
        func named(_ name: String, _ source: String, _ prefix: [Int] = []) throws -> NamedTensor {
            let (shape, values) = try golden.values(source)
            return NamedTensor(name: name, shape: prefix + shape.extents, values: values)
        }
        let trace = try ComponentTrace(opening: ModelFixture.path("tiny", .float32))
        let made = try trace.blockingRun([named("vae.enc.mel", "mel"), named("clap.audio.wave", "clap.wave48", [1])])
        #expect(
            made.map(\.name) == ["vae.enc.mean", "vae.enc.logvar", "clap.audio.logmel", "clap.audio"])
        for (tensor, source) in [(made[0], "vae.encode.mean"), (made[2], "clap.mel"), (made[3], "clap.audio")] {
            let expected = try golden.values(source)
            #expect(tensor.shape == expected.shape.extents)
            #expect(relativeError(tensor.values, expected.values) < 1e-5)
        }
        #expect(made[1].shape == made[0].shape)
        let wave = try named("mel.wave", "waveform")
        let mel = try trace.blockingRun([wave])[0]
        #expect(mel.name == "mel.logmel" && mel.shape == [1, 1, wave.values.count / 160 + 1, 64])
    }

    @Test func scoresAreThoseOfTheReferenceAndRankTheSameSoundTheSame() throws {
        let golden = try GoldenTensors(ModelFixture.golden("tiny-2.56s"))
        let samples = try golden.values("clap.wave48").values
        try AudioClip(samples: samples, sampleRate: 48000).write(to: folder.file("a.wav"))
        try AudioClip(samples: samples.map { $0 * 0.5 }, sampleRate: 48000).write(to: folder.file("b.flac"))
        let model = try ModelFixture.path("tiny", .float32)
        let prompt = "a dog barking in the distance while rain falls on a tin roof"
        let files = [folder.file("b.flac"), folder.file("a.wav"), folder.file("a.wav")]
        let scores = try SoundScorer(opening: model).blockingScores(of: files, for: prompt)
        #expect(scores.map(\.file) == files && scores[1] == scores[2] && scores[0].score != scores[1].score)
        // The file holds 16-bit samples.
        #expect(abs(scores[1].score - Double(try golden.values("clap.score").values[0])) < 1e-3)
        let outcome = try CommandRun("audioldm2", ["score", prompt, "--model", model, "--json"] + files)
        let printed = try JSONDecoder().decode([SoundScore].self, from: Data(outcome.output.utf8))
        #expect(Set(printed) == Set(scores) && printed.map(\.score) == scores.map(\.score).sorted(by: >))
        #expect(try CommandRun("audioldm2", ["score", prompt, "-m", model, files[0]]).output.contains("b.flac"))
    }

    /// Every sound that can be read has a score, and no file crashes anything.
    @Test func scoresOfUnusualSoundsAndOfNone() throws {
        let scorer = try SoundScorer(opening: ModelFixture.path("tiny", .int8))
        let sounds: [(String, [Float], Int)] = [
            ("silence.wav", Array(repeating: 0, count: 1600), 16000), ("short.wav", [0.1, -0.1], 8000),
            ("long.flac", (0..<500_000).map { Float($0 % 100) / 100 }, 44100), ("fast.wav", [0.5], 192_000),
        ]
        for (name, samples, rate) in sounds {
            try AudioClip(samples: samples, sampleRate: rate).write(to: folder.file(name))
            #expect(abs(try scorer.blockingScores(of: [folder.file(name)], for: "rain")[0].score) <= 1)
        }
        try folder.write("not a sound", to: "poem.mp3")
        for name in ["poem.mp3", "missing.wav"] {
            let error = #expect(throws: AudioLDM2Error.self) {
                try scorer.blockingScores(of: [folder.file(name)], for: "rain")
            }
            #expect(error?.kind == .file && error?.description.contains(name) == true)
        }
    }

    @Test func modelsWithoutExtrasSayWhatIsMissing() throws {
        let bare = try model(.int8, without: extras)
        let report = try ModelVerification(opening: bare, goldenAt: ModelFixture.golden("tiny-1.7s")).blockingRun()
        #expect(report.passed)
        for name in ["vae.encode.mean", "clap.mel", "clap.audio", "clap.score"] {
            #expect(report.rows.first { $0.name == name }?.status == .notComputed)
        }
        let outcome = try CommandRun("audioldm2", ["score", "rain", "-m", bare, folder.file("a.wav")])
        #expect(outcome.failed(naming: bare, "clap_audio", "convert the checkpoint again"), "\(outcome.errors)")
        let names = try ModelInspection(modelAt: model(.int8)).components.map(\.name)
        #expect(extras.isSubset(of: names))
    }
}
