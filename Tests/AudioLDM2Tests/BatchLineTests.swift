import Foundation
import TestSupport
import Testing

/// Where lines of a batch end: each test's lines take seeds and names by their numbers.
@Suite struct BatchLineTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// What becomes of a file: output, prompt and seed of each line.
    private func made(_ text: String, input: String? = nil) throws -> [String] {
        let lines = try folder.write(text, to: "lines.jsonl")
        let outcome = try CommandRun(
            "audioldm2",
            [
                "batch", input ?? lines, "-m", try ModelFixture.path("tiny", .int8), "-o", folder.file("out"),
                "--seconds", "0.2", "--steps", "1", "--quiet", "--seed", "5",
            ], script: "\"$command\" \"$@\" < \(lines)")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let manifest = try String(contentsOfFile: folder.file("out/manifest.jsonl"), encoding: .utf8)
        return try manifest.utf8.split(separator: UInt8(ascii: "\n")).map { line in
            let entry = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any] ?? [:]
            let record = entry["record"] as? [String: Any] ?? [:]
            return "\(entry["output"] ?? "") \(record["seed"] ?? "") \(record["prompt"] ?? "")"
        }.sorted()
    }

    @Test(arguments: ["\u{2028}", "\u{2029}", "\u{85}", "\u{0B}", "\u{0C}"])
    func endsOfLinesWithinTextsAreTexts(_ end: String) throws {
        // JSON has control characters escaped, and these as they are.
        let text = end.utf8.count > 1 ? end : "\\u00" + (end == "\u{0B}" ? "0b" : "0c")
        #expect(
            try made("{\"prompt\": \"a\(text)b\"}\n{\"prompt\": \"c\"}\n")
                == ["00001-a-b.wav 5 a\(end)b", "00002-c.wav 6 c"])
    }

    @Test(arguments: ["\n", "\r\n", "\r", "\n\n", "\r\r", "\r\n\r\n"])
    func linesEndAs(_ end: String) throws {
        let step = end.unicodeScalars.count { $0 == "\n" } == 0 ? end.unicodeScalars.count : end.utf8.count { $0 == 10 }
        #expect(
            try made("\u{FEFF}{\"prompt\": \"a\"}\(end){\"prompt\": \"b\"}\(end)")
                == ["00001-a.wav 5 a", "0000\(1 + step)-b.wav \(5 + step) b"])
    }

    @Test func aCarriageReturnWithinAnObjectIsSpace() throws {
        #expect(
            try made("{\"prompt\":\r\"a\"}\r{\"prompt\": \"}\\\"{\"}\n") == ["00001-a.wav 5 a", "00002.wav 6 }\"{"])
    }

    /// A string that is cut off behind a backslash takes no more than its own line.
    @Test(arguments: ["\n", "\r\n"]) func aLineThatIsCutOffIsOne(_ end: String) throws {
        let lines = try folder.write(
            ["{\"prompt\":\"x\\", "{\"prompt\":\"i\"}", "{\"prompt\":\"j\"}", ""].joined(separator: end),
            to: "cut.jsonl")
        let outcome = try CommandRun(
            "audioldm2",
            [
                "batch", lines, "-m", try ModelFixture.path("tiny", .int8), "-o", folder.file("out"), "--seconds",
                "0.2",
                "--steps", "1",
            ])
        #expect(outcome.status == 1 && outcome.errors.contains("line 1: "), "\(outcome.errors)")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.file("out")).sorted()
                == ["00002-i.wav", "00003-j.wav", "manifest.jsonl"])
    }

    /// Names that look alike and are two to the system.
    @Test func outputsAreToldApartByTheirBytes() throws {
        let lines = "{\"prompt\":\"a\",\"output\":\"e\u{301}.wav\"}\n{\"prompt\":\"b\",\"output\":\"\u{e9}.wav\"}\n"
        #expect(try made(lines).count == 2)
    }

    @Test(arguments: ["-", "/dev/stdin"]) func fromAPipe(_ name: String) throws {
        #expect(try made("{\"prompt\": \"a\"}\n", input: name) == ["00001-a.wav 5 a"])
    }
}
