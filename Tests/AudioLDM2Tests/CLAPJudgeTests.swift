import AudioLDM2
import Evaluation
import Foundation
import TestSupport
import Testing

/// A model's CLAP as a judge, against `SoundScorer`, whose scores are checked against transformers.
@Suite struct CLAPJudgeTests {
    private let folder: TemporaryFolder
    private let prompts = ["a dog barking", "heavy rain", "a bell"]

    init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.file("sounds"), withIntermediateDirectories: true)
        var manifest = ""
        for (index, prompt) in prompts.enumerated() {
            // At the rate that CLAP hears, so that nothing is resampled, and shorter than what it hears.
            let samples = (0..<48000 * (index + 1)).map { place in
                Float(0.4 * sin(Double(place) * 0.01 * Double(index + 1) * (1 + Double(place % 7000) / 7000)))
            }
            try AudioClip(samples: samples, sampleRate: 48000).write(to: folder.file("sounds/\(index).wav"))
            manifest +=
                #"{"line":1,"status":"made","output":"\#(index).wav","record":{"prompt":"\#(prompt)"}}"# + "\n"
        }
        try folder.write(manifest, to: "sounds/manifest.jsonl")
    }

    @Test func scoresAreThoseOfTheScorer() async throws {
        let model = try ModelFixture.path("tiny", .float32)
        let judge = try CLAPJudge(modelAt: model, device: .cpu)
        let rules = EvaluationProtocol(.audiocraft)
        let heard = try SetListener(judge, rules).hear(SoundSet(folder.file("sounds")))
        let report = try Evaluator(judge, rules).report(generated: heard, reference: nil)
        let scorer = try await SoundScorer(modelAt: model, device: .cpu)
        for (file, prompt) in zip(report.files, prompts) {
            let expected = try await scorer.scores(of: [file.file], for: prompt)[0].score
            let found = try #require(file.clapScore)
            #expect(abs(found - expected) < 1e-5, "\(file.file): \(found), \(expected)")
        }
        #expect(report.figures.map(\.metric) == [.clapScore, .clapScoreAsInPaper])
        // Scores of the three are not the same, or the comparison would say little.
        #expect(Set(report.files.compactMap(\.clapScore)).count == 3)
    }

    @Test func soundsInMemoryScoreAsTheirFilesDo() async throws {
        let scorer = try await SoundScorer(modelAt: try ModelFixture.path("tiny", .float32), device: .cpu)
        // Longer than what is heard, with channels that cancel each other there.
        let (rate, seconds) = (44100, 12)
        let samples = (0..<rate * seconds).flatMap { index -> [Float] in
            let sample = sinf(Float(index) * 0.05) * (index < 10 * rate ? 0.4 : 0)
            return [sample, index < 10 * rate ? -sample : 0.3]
        }
        let clip = AudioClip(samples: samples, sampleRate: rate, channels: 2)
        try clip.write(to: folder.file("stereo.wav"), encoding: .float32)
        let ofFile = try await scorer.scores(of: [folder.file("stereo.wav")], for: "rain")[0].score
        let ofClip = try await scorer.scores(of: [clip], for: "rain")
        #expect(ofClip == [ofFile])
        await #expect(throws: AudioLDM2Error.self) {
            try await scorer.scores(of: [AudioClip(samples: [], sampleRate: rate)], for: "rain")
        }
    }

    @Test func judgesAreToldApart() throws {
        let (exact, small) = (try ModelFixture.path("tiny", .float32), try ModelFixture.path("tiny", .int8))
        let judges = try [exact, small].map { try CLAPJudge(modelAt: $0, device: .cpu) }
        #expect(judges[0].identity.hash != judges[1].identity.hash)
        let heard = try SetListener(judges[0], EvaluationProtocol(.fadtk)).hear(SoundSet(folder.file("sounds")))
        let file = StatisticsFile(
            header: .init(
                judge: judges[0].identity, protocolName: "fadtk", width: judges[0].width, count: heard.statistics.count,
                files: 3),
            statistics: heard.statistics)
        // A window from every second on.
        #expect(heard.statistics.count == 1 + 2 + 3)
        try file.require(judges[0].identity, protocolName: "fadtk", path: "x")
        #expect(throws: EvaluationError.self) {
            try file.require(judges[1].identity, protocolName: "fadtk", path: "x")
        }
    }
}
