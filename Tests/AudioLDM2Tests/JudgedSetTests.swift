import Audio
import AudioLDM2
import AudioLDM2Converter
import Evaluation
import Foundation
import TestSupport
import Testing

/// Sets of files from their samples to their figures, under each protocol, against the evaluation packages: see
/// `Tests/Fixtures/Scripts/make_judged_sets.py`, which makes the same sounds.
@Suite struct JudgedSetTests {
    private let folder: TemporaryFolder
    private static let count = 24

    /// Figures by protocol, judge and metric.
    private typealias Expected = [String: [String: [String: Double]]]

    init() throws {
        folder = try TemporaryFolder()
        for set in ["generated", "reference"] {
            try FileManager.default.createDirectory(atPath: folder.file(set), withIntermediateDirectories: true)
            for index in 0..<Self.count {
                let name = "\(set)/\(index < 10 ? "0" : "")\(index).wav"
                try SoundFile.write(
                    Self.sound(index, isGenerated: set == "generated"), to: folder.file(name), encoding: .float32)
            }
        }
    }

    /// A tone that swells and noise, in steps of 16 bits.
    private static func sound(_ index: Int, isGenerated: Bool) -> Sound {
        let rate = [16000, 44100, 32000][index % 3]
        let channels = index % 4 == 0 ? 2 : 1
        let seconds = index == count - 1 ? 10.3 : 1.2 + 0.15 * Double(index % 6)
        let pitch = 110 * pow(2, Double(index) / 6) * (isGenerated ? 1.04 : 1)
        let level = 0.05 + 0.02 * Double(index % 5) + (isGenerated ? 0.03 : 0)
        var state = UInt32(index * 2 + (isGenerated ? 1 : 0) + 1)
        var samples: [Float] = []
        for place in 0..<Int(seconds * Double(rate)) {
            let angle = 2 * Double.pi * Double(place) / Double(rate)
            state = state &* 1_664_525 &+ 1_013_904_223
            let noise = Double(state) / 2_147_483_648 - 1
            let wave = 0.3 * sin(pitch * angle) * (0.6 + 0.4 * sin(Double(1 + index % 3) * angle)) + level * noise
            for channel in 0..<channels {
                let scaled = wave * (1 - 0.3 * Double(channel)) * 32768
                samples.append(Float(scaled.rounded(.toNearestOrEven) / 32768))
            }
        }
        return Sound(samples: samples, channels: channels, sampleRate: rate)
    }

    @Test(arguments: [
        ("audioldm_eval", "vggish"), ("audioldm_eval", "cnn14-16k"), ("audioldm2", "passt"), ("audiocraft", "passt"),
        ("fadtk", "vggish"), ("kadtk", "cnn14"),
    ])
    func figuresAreThoseOfThePackages(protocolName: String, judgeName: String) throws {
        let rules = EvaluationProtocol(try #require(EvaluationProtocol.Name(rawValue: protocolName)))
        let fixture = try #require(JudgeFixture.small.first { "\($0)" == judgeName })
        let judge = try ModelJudges.open(modelAt: fixture.converted(.float32, into: folder), device: .cpu)
        let listener = SetListener(judge, rules)
        let (generated, reference) = (
            try listener.hear(SoundSet(folder.file("generated"))), try listener.hear(SoundSet(folder.file("reference")))
        )
        var evaluator = Evaluator(judge, rules)
        evaluator.draws = 0
        let report = try evaluator.report(generated: generated, reference: reference)
        let expected = try Fixtures.json("Evaluation", "judged.json", as: Expected.self)
        let figures = try #require(expected[protocolName]?[judgeName])
        for (name, value) in figures {
            let metric = try #require(EvaluationReport.Metric(rawValue: name))
            let found = try #require(report.figures.first { $0.metric == metric }?.value)
            #expect(
                abs(found - value) <= 1e-3 * abs(value), "\(protocolName), \(judgeName), \(name): \(found), \(value)")
        }
    }
}
