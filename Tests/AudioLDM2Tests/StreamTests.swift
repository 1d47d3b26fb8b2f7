import Audio
import AudioLDM2Converter
import Foundation
import TestSupport
import Testing

/// Standard streams that are closed, full, or that nobody reads: a message may be lost, a sound may not.
@Suite struct StreamTests {
    private let folder: TemporaryFolder
    private let model: String

    init() throws {
        folder = try TemporaryFolder()
        model = try ModelFixture.path("tiny", .int8)
    }

    private func generate(_ more: String..., script: String) throws -> CommandRun {
        try CommandRun(
            "audioldm2",
            [
                "generate", "a dog", "-m", model, "-o", folder.file("a.wav"), "--seconds", "0.3", "--steps", "1",
                "--seed", "1",
            ] + more, script: script)
    }

    /// The unknown word makes a warning, `--verbose` a note.
    @Test(arguments: ["2>/dev/full", "2>&-", "2> >(exec true)", "0<&- 2>&-"])
    func messagesThatCannotBePrintedAreLostAlone(_ redirection: String) throws {
        let outcome = try generate("--negative-prompt", "雨", "--verbose", script: "\"$command\" \"$@\" \(redirection)")
        #expect(outcome.status == 0 && outcome.output.contains("0.30 s of sound"), "\(outcome.status)")
        #expect(try SoundFile.read(folder.file("a.wav")).samples.count == 4800)
        #expect(try folder.contents() == ["a.wav"])
    }

    @Test(arguments: ["2>/dev/full", "2>&-"]) func batchesGoOnWithoutMessages(_ redirection: String) throws {
        let lines = try folder.write("{\"prompt\": \"雨 a\"}\n{\"prompt\": 1}\n{\"prompt\": \"b\"}\n", to: "lines.jsonl")
        let outcome = try CommandRun(
            "audioldm2", ["batch", lines, "-m", model, "-o", folder.file("out"), "--seconds", "0.2", "--steps", "1"],
            script: "\"$command\" \"$@\" \(redirection)")
        #expect(outcome.status == 1 && outcome.output.contains("2 made, 0 there before, 1 failed"))
    }

    @Test(arguments: ["2>/dev/full", "2>&-"]) func errorsEndWithTheirStatus(_ redirection: String) throws {
        for arguments in [["inspect", "/absent"], ["generate"], ["none"], ["generate", "a", "-o", "/absent/a.wav"]] {
            let outcome = try CommandRun("audioldm2", arguments, script: "\"$command\" \"$@\" \(redirection)")
            #expect(outcome.status == 1 || outcome.status == 64, "\(arguments): \(outcome.status)")
        }
    }

    @Test(arguments: [(">/dev/full", "no space left on device"), (">&-", "it is closed")])
    func aReportThatIsLostIsAnErrorAfterTheFileIsThere(_ redirection: String, reason: String) throws {
        let outcome = try generate(script: "\"$command\" \"$@\" \(redirection)")
        #expect(outcome.failed(naming: "standard output: cannot be written: \(reason)"), "\(outcome.errors)")
        #expect(try SoundFile.read(folder.file("a.wav")).samples.count == 4800)
    }

    @Test(arguments: [["--help"], ["--version"], ["generate", "--help"]])
    func helpThatIsLostIsAnError(_ arguments: [String]) throws {
        let outcome = try CommandRun("audioldm2", arguments, script: "\"$command\" \"$@\" >/dev/full")
        #expect(
            outcome.failed(naming: "standard output: cannot be written: no space left on device"), "\(outcome.errors)")
        #expect(try CommandRun("audioldm2", arguments).output.hasSuffix("\n"))
    }

    @Test func aReaderThatHasGoneIsNoError() throws {
        let outcome = try CommandRun(
            "audioldm2", ["inspect", model, "--tensors"],
            script: "\"$command\" \"$@\" | head -n 1; echo ${PIPESTATUS[0]}")
        #expect(outcome.output.hasSuffix("\n141\n") && outcome.errors.isEmpty, "\(outcome.output) \(outcome.errors)")
    }

    /// A sound on a standard output that is closed.
    @Test func aClosedOutputForTheSoundIsNamed() throws {
        let outcome = try CommandRun(
            "audioldm2", ["generate", "a", "-m", model, "-o", "-", "--seconds", "0.3", "--steps", "1"],
            script: "\"$command\" \"$@\" >&-")
        #expect(outcome.failed(naming: "standard output: cannot be written: it is closed"), "\(outcome.errors)")
    }

    @Test(arguments: [("INT", 130), ("TERM", 143), ("HUP", 129)])
    func aSignalEndsWithItsStatus(_ name: String, status: Int32) throws {
        let outcome = try generate(
            "--seconds", "100", "--steps", "900", script: "\"$command\" \"$@\" & sleep 1.5; kill -\(name) $!; wait $!")
        #expect(outcome.status == status && outcome.errors.contains("stopped"), "\(outcome.status) \(outcome.errors)")
        #expect(try folder.contents().isEmpty)
    }
}
