import Audio
import TestSupport
import Testing

/// Speech models as they are asked to speak.
@Suite struct SpeechCommandTests {
    private let folder: TemporaryFolder
    private let model: String

    init() throws {
        folder = try TemporaryFolder()
        model = try ModelFixture.path("tiny-tts", .int8)
    }

    private func speak(_ arguments: String..., script: String = #"exec "$command" "$@""#) throws -> CommandRun {
        let output = folder.file("speech.wav")
        return try CommandRun(
            "audioldm2",
            [
                "generate", "a woman speaks", "-m", model, "-o", output, "--seconds", "0.5", "--steps", "1", "--seed",
                "1",
            ]
                + arguments, script: script)
    }

    @Test func phonemesAreSpoken() throws {
        let spoken = try speak("--phonemes", "wɪʃ juː hɐv ɐ ɡʊd dˈeɪ")
        #expect(spoken.status == 0, "\(spoken.errors)")
        let first = try SoundFile.read(folder.file("speech.wav")).samples
        #expect(first.count == 8000)
        #expect(try speak("--phonemes", "ɡʊd baɪ").status == 0)
        #expect(try SoundFile.read(folder.file("speech.wav")).samples != first)
    }

    @Test func whatCannotBeSpokenIsSaid() throws {
        #expect(try speak().failed(naming: "a transcription"))
        #expect(try speak("--phonemes", "漢字").failed(naming: "nothing to say"))
        #expect(try speak("--phonemes", "a", "--transcription", "a").status == 64)
        let long = try speak("--phonemes", String(repeating: "dˈeɪ ", count: 100))
        #expect(long.status == 0 && long.errors.contains("longer than the 310 phonemes"))
        let other = try CommandRun(
            "audioldm2",
            ["generate", "a", "-m", ModelFixture.path("tiny", .int8), "-o", folder.file("a.wav"), "--phonemes", "a"])
        #expect(other.failed(naming: "does not speak"))
    }

    /// Where espeak-ng is installed, the text is spoken; where it is not, the user is told what to do.
    @Test func textNeedsEspeak() throws {
        let spoken = try speak("--transcription", "wish you have a good day")
        #expect(spoken.status == 0 || spoken.failed(naming: "libespeak-ng1", "--phonemes"), "\(spoken.errors)")
    }
}
