import Audio
import Evaluation
import Files
import Foundation
import TestSupport
import Testing

/// The command, as a user runs it.
@Suite struct EvaluateCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for (set, level) in [("a", 0.3), ("b", 0.2)] {
            try FileName.makeFolder(folder.file(set))
            for index in 0..<4 {
                let samples = (0..<16000).map { Float(level * sin(Double($0) * (0.02 + 0.03 * Double(index)))) }
                try SoundFile.write(Sound(samples: samples, sampleRate: 16000), to: folder.file("\(set)/\(index).wav"))
            }
        }
    }

    private func run(_ arguments: String...) throws -> CommandRun {
        try CommandRun("audioldm2", ["evaluate"] + arguments)
    }

    @Test func figuresArePrintedAndDrawn() throws {
        let (a, b) = (folder.file("a"), folder.file("b"))
        let result = try run(
            a, "--reference", b, "--json", "--plot", folder.file("p.png"), "--save-statistics", folder.file("a.stats"))
        #expect(result.status == 0, "\(result.errors)")
        let report = try JSONDecoder().decode(EvaluationReport.self, from: Data(result.output.utf8))
        #expect(report.judge.name == "log-mel" && report.protocolName == .audioldmEval && report.files.count == 4)
        #expect(result.errors.contains("rank"))
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: folder.file("p.png"))).starts(with: [0x89, 0x50, 0x4E, 0x47]))
        let again = try run(folder.file("a.stats"), "--reference", b, "--json")
        let figure = try JSONDecoder().decode(EvaluationReport.self, from: Data(again.output.utf8)).figures[0]
        #expect(figure.metric == .frechetDistance && isNear(figure.value, report.figures[0].value, relative: 1e-6))
        let table = try run(a, "--reference", a, "-q")
        #expect(
            table.status == 0 && table.output.contains("Fréchet distance") && table.output.contains("  0 "),
            "\(table.output)")
    }

    @Test func badInputHasOneClearMessage() throws {
        let a = folder.file("a")
        try FileName.makeFolder(folder.file("empty"))
        #expect(try run(folder.file("empty"), "--reference", a).failed(naming: folder.file("empty"), "holds no sounds"))
        #expect(try run(a, "--reference", folder.file("nosuch")).failed(naming: "nosuch"))
        #expect(try run(a + "/0.wav", "--reference", a).failed(naming: "0.wav", "one file is no set"))
        #expect(try run(a, "--reference", a, "--judge", folder.file("none.aldm")).failed(naming: "none.aldm"))
        #expect(try run(a).failed(naming: a, "nothing to say"))
        try folder.write("no statistics", to: "x.stats")
        #expect(try run(a, "--reference", folder.file("x.stats")).failed(naming: "x.stats", "not a statistics file"))
        #expect(try run(a, "--save-statistics", folder.file("a.stats")).status == 0)
        #expect(
            try run(a, "--reference", folder.file("a.stats"), "--protocol", "fadtk").failed(
                naming: "a.stats", "audioldm_eval"))
        #expect(try run(a, "--protocol", "none").status == 64)
        #expect(try run(a, "--reference", a, "--plot", "x.gif").status == 64)
        #expect(
            try run(folder.file("a.stats"), "--reference", a, "--save-statistics", folder.file("a.stats")).status == 64)
    }

    /// A published network, converted and used by the commands.
    @Test func aConvertedNetworkJudges() throws {
        let (a, b) = (folder.file("a"), folder.file("b"))
        let judge = folder.file("cnn14.aldm")
        let file = Fixtures.folder("Judges").appendingPathComponent("cnn14-16k/Cnn14_16k_mAP=0.438.pth").path
        let conversion = try CommandRun("audioldm2-convert", [file, "-o", judge])
        #expect(conversion.status == 0 && conversion.output.contains("cnn14"), "\(conversion.errors)")
        let result = try run(a, "--reference", b, "--judge", judge, "--json", "--draws", "0")
        #expect(result.status == 0, "\(result.errors)")
        let report = try JSONDecoder().decode(EvaluationReport.self, from: Data(result.output.utf8))
        #expect(report.judge.name == "Cnn14 of cnn14.aldm")
        #expect(
            report.figures.map(\.metric).starts(
                with: [.frechetDistance, .kernelInceptionDistance, .kernelAudioDistance, .klSoftmax, .klSigmoid]))
        // Of another judge, of no judge, and for what it cannot do.
        #expect(try run(a, "--save-statistics", folder.file("a.stats")).status == 0)
        #expect(
            try run(b, "--reference", folder.file("a.stats"), "--judge", judge).failed(naming: "a.stats", "log-mel"))
        #expect(try run(a, "--reference", b, "--judge", a + "/0.wav").failed(naming: "0.wav"))
        let sound = try CommandRun("audioldm2", ["generate", "rain", "-m", judge, "-o", folder.file("rain.wav")])
        #expect(sound.failed(naming: judge, "makes no sounds", "judge"))
    }

    /// The others are judged, and the exit code tells.
    @Test func damagedFilesAreNamed() throws {
        try folder.write(EvaluatorTests.notANumber, to: "a/nan.wav")
        let result = try run(folder.file("a"), "--reference", folder.file("b"))
        #expect(
            result.status == 1 && result.errors.contains("a/nan.wav: ")
                && result.errors.contains("1 file(s) could not be used"))
        #expect(result.output.contains("4 sounds"))
    }
}
