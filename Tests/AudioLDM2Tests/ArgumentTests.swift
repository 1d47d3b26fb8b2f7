import Audio
import Foundation
import TestSupport
import Testing

/// Texts and names as people and shells write them.
@Suite struct ArgumentTests {
    private let folder: TemporaryFolder
    private let model: String

    init() throws {
        folder = try TemporaryFolder()
        model = try ModelFixture.path("tiny", .int8)
    }

    private func record(_ arguments: [String]) throws -> [String: Any] {
        let outcome = try CommandRun(
            "audioldm2", arguments + ["--seconds", "0.3", "--steps", "1", "--seed", "1", "--json"])
        #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
        return try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any] ?? [:]
    }

    @Test(arguments: ["- heavy rain", "-heavy rain", "--wind and rain", "-5", "-5 degrees", "-x", "-- a", "—rain"])
    func textsMayBeginWithADash(_ text: String) throws {
        let output = folder.file("a.wav")
        for arguments in [
            ["generate", text, "-m", model, "-o", output], ["generate", "-o", output, "-m", model, text],
        ] { #expect(try record(arguments)["prompt"] as? String == text) }
        let negative = try record(["generate", "a", "-m", model, "-o", output, "--negative-prompt", text])
        #expect(negative["negativePrompt"] as? String == text)
        let joined = try record(["generate", "a", "-m", model, "-o", output, "--negative-prompt=\(text)"])
        #expect(joined["negativePrompt"] as? String == text)
    }

    @Test func whatSomebodySaysMayBeginWithADash() throws {
        let speech = try ModelFixture.path("tiny-tts", .int8)
        let outcome = try record(
            ["generate", "a woman", "-m", speech, "-o", folder.file("a.wav"), "--phonemes", "-fˈaɪv dɪɡɹˈiːz"])
        #expect(outcome["phonemes"] as? String == "-fˈaɪv dɪɡɹˈiːz")
    }

    @Test func textsOfOtherCommandsMayBeginWithADash() throws {
        let sound = folder.file("in.wav")
        try SoundFile.write(Sound(samples: Array(repeating: 0.1, count: 16000), sampleRate: 16000), to: sound)
        let output = folder.file("b.wav")
        let arguments = ["transform", sound, "- a choir", "-m", model, "-o", output, "--steps", "2", "--json"]
        #expect(try CommandRun("audioldm2", arguments).output.contains("\"prompt\" : \"- a choir\""))
        let condition = folder.file("a.cond")
        #expect(try CommandRun("audioldm2", ["encode", "- rain", "-m", model, "-o", condition]).status == 0)
        let score = try CommandRun("audioldm2", ["score", "- rain", sound, "-m", model])
        #expect(score.status == 0 && score.output.contains("in.wav"), "\(score.errors)")
    }

    /// What follows a flag is no value of it.
    @Test(arguments: ["--loop", "--json", "--quiet", "-q", "-v", "--verbose"])
    func textsWithADashMayFollowAFlag(_ flag: String) throws {
        let made = ["-m", model, "-o", folder.file("a.wav"), "--seconds", "0.3", "--steps", "1"]
        let outcome = try CommandRun("audioldm2", ["generate", flag, "-5 degrees"] + made)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let short = try CommandRun("audioldm2", ["generate", flag, "-5"] + made)
        #expect(short.status == 0, "\(short.errors)")
    }

    @Test func optionsStayOptions() throws {
        let output = folder.file("a.wav")
        #expect(try CommandRun("audioldm2", ["generate", "-h"]).output.contains("USAGE: audioldm2 generate"))
        for arguments in [["--seed", "-1"], ["--steps"], ["--unknown"], ["--negative-prompt"]] {
            let outcome = try CommandRun("audioldm2", ["generate", "a", "-m", model, "-o", output] + arguments)
            #expect(outcome.status == 64 && !outcome.errors.contains("\u{2060}"), "\(arguments) \(outcome.errors)")
        }
        let behind = try CommandRun(
            "audioldm2",
            ["generate", "-m", model, "-o", output, "--seconds", "0.3", "--steps", "1", "--json", "--", "-o"])
        #expect(behind.output.contains("\"prompt\" : \"-o\""), "\(behind.errors)")
    }

    /// The bytes of Latin-1's "é", which are no UTF-8, in every kind of name.
    @Test func namesThatAreNotUTF8() throws {
        let name = #"$'\351t\351'"#
        let script = """
            set -e; cd \(folder.path); model=$1; n=\(name)
            "$command" generate a -m $model -o $n.wav --seconds 0.5 --steps 1 --seed 1 --spectrogram $n.png -q
            "$command" transform $n.wav b -m $model -o $n-2.flac --steps 1 --seed 1 -q
            "$command" encode a -m $model -o $n.cond -q
            "$command" generate -m $model -o $n-3.wav --condition $n.cond --seconds 0.5 --steps 1 -q
            cp $model $n.aldm; "$command" inspect $n.aldm > $n.txt
            printf '{"prompt": "a"}\\n' > $n.jsonl
            "$command" batch $n.jsonl -m $n.aldm -o $n/$n --seconds 0.2 --steps 1 -q
            "$command" inspect /$n 2> errors || true
            LC_ALL=C; for f in * $n/$n/*; do printf '%q\\n' "$f"; done
            grep -q "$n" $n.txt && grep -q "$n" errors && echo both
            """
        let outcome = try CommandRun("audioldm2", [model], script: script)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let names = Set(outcome.output.split(separator: "\n").map(String.init))
        for suffix in ["", ".wav", ".png", "-2.flac", ".cond", "-3.wav", ".aldm", ".txt", ".jsonl"] {
            #expect(names.contains(#"$'\351t\351"# + suffix + "'"), "\(suffix) of \(names)")
        }
        #expect(names.contains(#"$'\351t\351/\351t\351/manifest.jsonl'"#))
        #expect(names.contains(#"$'\351t\351/\351t\351/00001-a.wav'"#))
        #expect(outcome.output.hasSuffix("\nboth\n"), "\(outcome.output)")
        #expect(!names.contains { $0.contains("\u{FFFD}") || $0.contains(#"\357\277\275"#) })
    }
}
