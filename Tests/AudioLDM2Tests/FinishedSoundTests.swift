import Audio
import AudioLDM2
import Foundation
import TestSupport
import Testing

/// Sounds as people want them, from the command.
@Suite struct FinishedSoundTests {
    private let folder: TemporaryFolder
    private let model: String

    init() throws {
        folder = try TemporaryFolder()
        model = try ModelFixture.path("tiny", .int8)
    }

    @discardableResult
    private func generate(_ output: String, _ more: [String], script: String = #"exec "$command" "$@""#) throws
        -> CommandRun
    {
        let run = try CommandRun(
            "audioldm2",
            [
                "generate", "a dog", "-m", model, "-o", output == "-" ? "-" : folder.file(output), "--seconds", "0.5",
                "--steps", "1", "--seed", "1",
            ] + more, script: script)
        #expect(run.status == 0, "\(run.errors)")
        return run
    }

    private func read(_ name: String) throws -> Sound { try SoundFile.read(folder.file(name)) }

    private func record(_ name: String) throws -> [String: Any] {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file(name)))
        let start = try #require(
            bytes.firstRange(of: Data("{\"eta\"".utf8)) ?? bytes.firstRange(of: Data("{\"bits\"".utf8)))
        let text = bytes[start.lowerBound...].prefix { $0 != 0 }
        return try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
    }

    @Test func filesHoldTheBitsThatWereAskedFor() throws {
        try generate("exact.wav", ["--bits", "float"])
        let exact = try read("exact.wav").samples
        for (name, bits, whole) in [("a.wav", "24", 8_388_608.0), ("a.flac", "24", 8_388_608), ("a.aiff", "16", 32768)]
        {
            try generate(name, ["--bits", bits])
            let nearest = exact.map { Float((Double($0) * whole).rounded(.toNearestOrEven) / whole) }
            #expect(try read(name).samples == nearest, "\(name)")
        }
        #expect(try record("a.wav")["bits"] as? String == "24")
        try generate("plain.wav", [])
        try generate("plain16.wav", ["--bits", "16"])
        #expect(try read("plain.wav") == read("plain16.wav"))
        for (name, bits) in [("a.mp3", "24"), ("a.ogg", "16"), ("a.flac", "float")] {
            let run = try CommandRun(
                "audioldm2",
                ["generate", "a", "-m", model, "-o", folder.file(name), "--bits", bits, "--seconds", "0.3"])
            #expect(run.failed(naming: name), "\(run.errors)")
        }
    }

    @Test func whatWasDoneIsInTheRecord() throws {
        try generate(
            "a.wav",
            [
                "--sample-rate", "44100", "--normalize", "peak:-6", "--fade-in", "0.1", "--fade-out", "0.2",
                "--trim-silence",
            ])
        let sound = try read("a.wav")
        #expect(sound.sampleRate == 44100)
        #expect(abs((sound.samples.map { abs($0) }.max() ?? 0) - 0.50119) < 1e-3)
        let record = try record("a.wav")
        #expect(record["normalization"] as? String == "peak:-6" && record["sampleRate"] as? Int == 44100)
        #expect(record["fadeInSeconds"] as? Double == 0.1 && record["fadeOutSeconds"] as? Double == 0.2)
        #expect(record["trimsSilence"] as? Bool == true)
        let seconds = try #require(record["seconds"] as? Double)
        #expect(abs(seconds * 44100 - Double(sound.samples.count)) < 0.5)
        try generate("plain.wav", [])
        #expect(
            try Set(self.record("plain.wav").keys).isDisjoint(with: [
                "normalization", "sampleRate", "bits", "trimsSilence",
            ]))
    }

    @Test(arguments: [
        ["--bits", "24"], ["--sample-rate", "48000", "--fade-in", "0.1"], ["--normalize", "lufs:-30"],
        ["--trim-silence", "--sample-rate", "22050"], ["--loop"], ["--loop", "--sample-rate", "44100"],
    ])
    func whatIsStreamedIsWhatIsWritten(_ options: [String]) throws {
        try generate("a.wav", options)
        let run = try generate(
            "-", options, script: "\"$command\" \"$@\" > \(folder.file("b.wav"))")
        #expect(
            run.errors.contains("note: nothing is heard until")
                == (options.contains("--normalize") || options.contains("--trim-silence") || options.count == 3))
        #expect(try read("a.wav") == read("b.wav"))
        let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file("b.wav")))
        #expect((bytes.firstRange(of: Data("smpl".utf8)) != nil) == options.contains("--loop"))
    }

    @Test func aLoopThatIsNoWholeNumberOfSamplesIsRefused() throws {
        let run = try CommandRun(
            "audioldm2",
            [
                "generate", "a", "-m", model, "-o", folder.file("a.wav"), "--loop", "--sample-rate", "12345",
                "--seconds", "0.5",
            ])
        #expect(run.failed(naming: "is no whole number of them at 12345 Hz"), "\(run.errors)")
    }

    @Test func linesOfABatchHaveTheSameOptions() throws {
        let lines = try folder.write(
            """
            {"prompt": "a dog", "seed": 1, "bits": 24, "sample_rate": 24000, "output": "a.aiff"}
            {"prompt": "a dog", "seed": 1, "bits": "float", "normalize": "peak:-3", "trim_silence": true, "output": "b.wav"}
            {"prompt": "a dog", "seed": 1, "fade_in": 0.1, "fade_out": 0.1, "output": "c.opus"}
            {"prompt": "a dog", "bits": 12}
            {"prompt": "a dog", "normalize": "loud"}
            {"prompt": "a dog", "bits": 24, "output": "d.mp3"}
            {"prompt": "a dog", "sample_rate": 44100, "output": "e.opus"}

            """, to: "lines.jsonl")
        func run() throws -> CommandRun {
            try CommandRun(
                "audioldm2",
                ["batch", lines, "-m", model, "-o", folder.file("out"), "--seconds", "0.5", "--steps", "1", "--json"])
        }
        let first = try run()
        #expect(first.status == 1 && first.output.contains("\"made\" : 3"), "\(first.output) \(first.errors)")
        for problem in [
            "line 4: \"bits\" is \"12\"; choose 16, 24 or float", "line 5: \"normalize\" is \"loud\"; choose",
            "mp3 files have no bits", "opus files hold sounds of",
        ] { #expect(first.errors.contains(problem), "\(first.errors)") }
        try generate("a.aiff", ["--bits", "24", "--sample-rate", "24000"])
        try generate("b.wav", ["--bits", "float", "--normalize", "peak:-3", "--trim-silence"])
        try generate("c.opus", ["--fade-in", "0.1", "--fade-out", "0.1"])
        for name in ["a.aiff", "b.wav", "c.opus"] { #expect(try read("out/" + name) == read(name)) }
        // The same lines again are there already, trimmed ones too.
        #expect(try run().output.contains("\"skipped\" : 3"))
    }

    @Test func editsAreWrittenWithTheSameBits() throws {
        try generate("a.wav", ["--bits", "24"])
        let run = try CommandRun(
            "audioldm2",
            [
                "inpaint", folder.file("a.wav"), "rain", "-m", model, "-o", folder.file("b.wav"), "--bits", "24",
                "--from", "0.3", "--to", "0.4", "--steps", "1", "--cross-fade", "0.01",
            ])
        #expect(run.status == 0, "\(run.errors)")
        let (a, b) = (try read("a.wav").samples, try read("b.wav").samples)
        #expect(a.prefix(4000) == b.prefix(4000) && a != b)
    }

    @Test func aVariableNamesTheModel() throws {
        let script = "AUDIOLDM2_MODEL=\(model) \"$command\" \"$@\""
        let run = try CommandRun("audioldm2", ["inspect", "--json"], script: script)
        #expect(run.status == 0 && run.output.contains((model as NSString).lastPathComponent), "\(run.errors)")
        let missing = try CommandRun(
            "audioldm2", ["inspect"], script: "AUDIOLDM2_MODEL=/absent.aldm \"$command\" \"$@\"")
        #expect(missing.failed(naming: "/absent.aldm"))
    }

    @Test func thePlayerThatIsThereHearsTheSound() throws {
        try folder.write(
            "#!/bin/bash\ncp \"${!#}\" \(folder.file("heard.wav"))\necho $0 $1 > \(folder.file("said"))\n",
            to: "bin/aplay")
        chmod(folder.file("bin/aplay"), 0o755)
        try generate(
            "a.mp3", ["--play"], script: "export PATH=\(folder.file("bin")):/usr/bin:/bin; exec \"$command\" \"$@\"")
        try generate("a.wav", [])
        #expect(try read("heard.wav").samples == read("a.wav").samples)
        #expect(try String(contentsOfFile: folder.file("said"), encoding: .utf8).hasSuffix("bin/aplay -q\n"))
        let none = try CommandRun(
            "audioldm2", ["generate", "a", "-m", model, "-o", folder.file("b.wav"), "--play"],
            script: "PATH=/none; exec \"$command\" \"$@\"")
        #expect(none.failed(naming: "aplay (alsa-utils)"), "\(none.errors)")
        try folder.write("#!/bin/bash\nexit 3\n", to: "bin/pw-play")
        chmod(folder.file("bin/pw-play"), 0o755)
        let failing = try CommandRun(
            "audioldm2",
            [
                "generate", "a", "-m", model, "-o", folder.file("c.wav"), "--play", "--seconds", "0.3", "--steps", "1",
                "--quiet",
            ],
            script: "export PATH=\(folder.file("bin")):/usr/bin:/bin; exec \"$command\" \"$@\"")
        #expect(failing.failed(naming: "it exits with 3"), "\(failing.errors)")
        #expect(try read("c.wav").samples.count == 4800)
    }
}
