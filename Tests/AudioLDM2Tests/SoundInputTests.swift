import Audio
import Foundation
import TestSupport
import Testing

/// Sounds as people have them: through pipes, of channels that cancel each other, too loud.
@Suite struct SoundInputTests {
    private let folder: TemporaryFolder
    private let model: String

    init() throws {
        folder = try TemporaryFolder()
        model = try ModelFixture.path("tiny", .int8)
    }

    /// A second of a tone of several channels, of each a factor.
    @discardableResult
    private func tone(_ name: String, _ factors: [Float], level: Float = 0.5, rate: Int = 16000) throws -> String {
        let step = 2 * Double.pi * 300 / Double(rate)
        let samples = (0..<rate).flatMap { frame in
            let value = level * Float(sin(step * Double(frame)))
            return factors.map { $0 * value }
        }
        try SoundFile.write(
            Sound(samples: samples, channels: factors.count, sampleRate: rate), to: folder.file(name),
            encoding: .float32)
        return folder.file(name)
    }

    private func edit(_ input: String, _ output: String, script: String) throws -> CommandRun {
        try CommandRun(
            "audioldm2",
            [
                "inpaint", input, "a", "-m", model, "-o", folder.file(output), "--from", "0.2", "--to", "0.4",
                "--steps",
                "1", "--seed", "1", "--quiet",
            ], script: script)
    }

    @Test(arguments: ["flac", "wav", "ogg"]) func throughAPipe(_ format: String) throws {
        let whole = folder.file("in.\(format)")
        try SoundFile.write(
            Sound(samples: (0..<16000).map { Float(sin(Double($0) * 0.1)) * 0.4 }, sampleRate: 16000), to: whole)
        #expect(try edit(whole, "file.wav", script: "\"$command\" \"$@\"").status == 0)
        let expected = try Data(contentsOf: URL(fileURLWithPath: folder.file("file.wav")))
        for (number, (name, redirection)) in [
            ("-", "< \(whole)"), ("/dev/stdin", "< \(whole)"), ("-", "< <(cat \(whole))"),
            ("/dev/stdin", "< <(cat \(whole))"),
        ].enumerated() {
            let outcome = try edit(name, "\(number).wav", script: "\"$command\" \"$@\" \(redirection)")
            #expect(outcome.status == 0, "\(name) \(redirection): \(outcome.errors)")
            #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("\(number).wav"))) == expected)
        }
        let picture = folder.file("a.png")
        let drawn = try CommandRun(
            "audioldm2", [], script: "\"$command\" spectrogram <(cat \(whole)) -o \(picture)")
        #expect(drawn.status == 0, "\(drawn.errors)")
        let scored = try CommandRun(
            "audioldm2", ["score", "a", whole, "-", "-m", model], script: "\"$command\" \"$@\" < <(cat \(whole))")
        #expect(scored.status == 0 && Set(scored.output.split(separator: "\n").map { $0.prefix(7) }).count == 1)
    }

    @Test func pipesThatGiveNoSoundAreNamed() throws {
        for redirection in ["< /dev/null", "<&-", "< <(echo a poem)"] {
            let outcome = try edit("-", "a.wav", script: "\"$command\" \"$@\" \(redirection)")
            #expect(outcome.failed(naming: "standard input: cannot be read"), "\(redirection): \(outcome.errors)")
        }
    }

    @Test(arguments: [[1, -1], [-0.7, 0.7], [0.5, -1, 0.5]] as [[Float]])
    func channelsThatCancelAreHeard(_ factors: [Float]) throws {
        let path = try tone("in.wav", factors)
        var notes: [String] = []
        let heard = try SoundFile.readMono(path, sampleRate: 16000, maximumSeconds: 5, excess: .cut) {
            notes.append($0)
        }
        let loudest = factors.map(abs).max() ?? 0
        #expect(abs((heard.map(abs).max() ?? 0) - 0.5 * loudest) < 1e-3)
        #expect(notes.count == 1 && notes[0].contains("in.wav: its channels cancel each other"))
        let outcome = try CommandRun("audioldm2", ["score", "a", path, "-m", model])
        #expect(outcome.status == 0 && outcome.errors.contains("its channels cancel each other"))
        let edited = try CommandRun(
            "audioldm2", ["transform", path, "a", "-m", model, "-o", folder.file("b.wav"), "--steps", "2"])
        #expect(edited.status == 0 && edited.errors.contains("its channels cancel each other"), "\(edited.errors)")
    }

    @Test(arguments: [[1, 1], [1, 0], [1, -0.3], [1, 0, 0, 0, 0, 0, 0, 0]] as [[Float]])
    func otherChannelsAreAveraged(_ factors: [Float]) throws {
        let path = try tone("in.wav", factors)
        let heard = try SoundFile.readMono(path, sampleRate: 16000, maximumSeconds: 5, excess: .cut) {
            Issue.record("\($0)")
        }
        let mean = factors.reduce(0, +) / Float(factors.count)
        #expect(abs((heard.map(abs).max() ?? 0) - 0.5 * mean) < 1e-3)
    }

    @Test func whatIsTooLoudIsClippedWithAWord() throws {
        let path = try tone("loud.wav", [1], level: 1.5)
        let output = folder.file("a.wav")
        let outcome = try CommandRun(
            "audioldm2",
            ["inpaint", path, "a", "-m", model, "-o", output, "--from", "0.2", "--to", "0.3", "--steps", "1"])
        #expect(outcome.status == 0)
        #expect(outcome.errors.contains("a.wav: ") && outcome.errors.contains("samples lie beyond ±1 and were clipped"))
    }

    /// Rates in a header by which frames and filters would grow.
    @Test(arguments: [10_000_000, 500_000_000, 2_000_000_000] as [UInt32])
    func bombsOfTheSampleRate(_ rate: UInt32) throws {
        func bytes(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian, Array.init) }
        let header: [UInt8] =
            Array("RIFF".utf8) + bytes(36 + 4096) + Array("WAVEfmt ".utf8) + bytes(16) + [1, 0, 1, 0] + bytes(rate)
            + bytes(rate * 2) + [2, 0, 16, 0] + Array("data".utf8) + bytes(4096)
        let bomb = try folder.write(header + [UInt8](repeating: 1, count: 4096), to: "bomb.wav")
        let output = folder.file("a.wav")
        for arguments in [
            ["transform", bomb, "a", "-m", model, "-o", output], ["upsample", bomb, "-m", model, "-o", output],
            ["score", "a", bomb, "-m", model], ["spectrogram", bomb, "-o", folder.file("a.png")],
        ] {
            let outcome = try CommandRun(
                "audioldm2", arguments, script: "ulimit -t 20; exec prlimit --data=100000000 \"$command\" \"$@\"")
            #expect(outcome.status == 1 && outcome.errors.contains("\(rate) Hz"), "\(arguments): \(outcome.errors)")
        }
        #expect(try folder.contents() == ["bomb.wav"])
    }

    @Test func soundsThatAreNotFiniteAreNamed() throws {
        let sound = try tone("nan.wav", [1])
        // The last sample.
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: sound))
        try file.seek(toOffset: file.seekToEnd() - 4)
        try file.write(contentsOf: Data([0, 0, 0xC0, 0x7F]))
        try file.close()
        let run = try CommandRun("audioldm2", ["spectrogram", sound, "-o", folder.file("a.png")])
        #expect(run.failed(naming: sound, "sample 15999 of the sound is infinite or not a number"), "\(run.errors)")
    }

    /// Where pipes are kept: a folder that is not there is named, and none is /tmp.
    @Test func theFolderForPipesIsNamed() throws {
        let sound = try tone("in.wav", [1])
        let arguments = ["spectrogram", "-", "-o", folder.file("a.png")]
        let wrong = try CommandRun(
            "audioldm2", arguments, script: "TMPDIR=/nope \"$command\" \"$@\" < \(sound)")
        #expect(wrong.failed(naming: "standard input", "/nope", "TMPDIR"), "\(wrong.errors)")
        let empty = try CommandRun("audioldm2", arguments, script: "TMPDIR= \"$command\" \"$@\" < \(sound)")
        #expect(empty.status == 0, "\(empty.errors)")
    }
}
