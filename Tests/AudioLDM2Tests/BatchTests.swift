import Audio
import Foundation
import TestSupport
import Testing

/// `audioldm2 batch` as it is run.
@Suite struct BatchTests {
    private let folder: TemporaryFolder
    private let model: String
    private let output: String

    init() throws {
        folder = try TemporaryFolder()
        model = try ModelFixture.path("tiny", .int8)
        output = folder.file("out")
    }

    private func batch(_ lines: [String], _ arguments: String...) throws -> CommandRun {
        let prompts = try folder.write(lines.joined(separator: "\n"), to: "prompts.jsonl")
        return try CommandRun(
            "audioldm2",
            ["batch", prompts, "-m", model, "-o", output, "--steps", "2", "--seconds", "0.3", "--json"] + arguments)
    }

    private func summary(_ run: CommandRun) throws -> (made: Int, skipped: Int, failed: [Int]) {
        let object = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        let failed = try #require(object["failed"] as? [[String: Any]])
        return (
            try #require(object["made"] as? Int), try #require(object["skipped"] as? Int),
            failed.compactMap { $0["line"] as? Int }
        )
    }

    private func bytes(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: output + "/" + name))
    }

    @Test func everyLineMakesTheSoundThatGenerateMakes() throws {
        let run = try batch([
            #"{"prompt": "a dog"}"#, "",
            #"{"prompt": "rain", "seconds": 0.5, "seed": 7, "scheduler": "ddim", "negative": "wind", "output": "b.flac"}"#,
        ])
        #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
        #expect(try summary(run) == (2, 0, []))
        #expect(try SoundFile.read(output + "/b.flac").samples.count == 8000)
        let alone = try CommandRun(
            "audioldm2",
            [
                "generate", "rain", "-m", model, "-o", folder.file("b.flac"), "--seconds", "0.5", "--seed", "7",
                "--scheduler", "ddim", "--negative-prompt", "wind", "--steps", "2", "--quiet",
            ])
        #expect(alone.status == 0)
        #expect(try bytes("b.flac") == Data(contentsOf: URL(fileURLWithPath: folder.file("b.flac"))))
        #expect(FileManager.default.fileExists(atPath: output + "/00001-a-dog.wav"))
    }

    @Test func linesTakeConditionsAndCandidates() throws {
        let condition = folder.file("dog.cond")
        #expect(try CommandRun("audioldm2", ["encode", "a dog", "-m", model, "-o", condition]).status == 0)
        let lines = [
            #"{"prompt": "a dog", "seed": 5, "output": "a.wav"}"#,
            #"{"condition": "\#(condition)", "seed": 5, "output": "b.wav"}"#,
            #"{"prompt": "a dog", "seed": 5, "candidates": 3, "output": "c.wav"}"#,
        ]
        #expect(try summary(batch(lines)) == (3, 0, []))
        let sounds = try ["a.wav", "b.wav", "c.wav"].map { try SoundFile.read(output + "/" + $0).samples }
        #expect(sounds[0] == sounds[1] && sounds[2].count == sounds[0].count)
        let manifest = try String(contentsOfFile: output + "/manifest.jsonl", encoding: .utf8)
        #expect(manifest.contains(#""candidates":3"#) && manifest.contains(#""score":"#))
        #expect(try summary(batch(lines)) == (0, 3, []))
        let wrong = try batch([
            #"{"condition": "\#(condition)", "prompt": "a dog"}"#, #"{"condition": "/absent.cond"}"#,
            #"{"prompt": "a", "candidates": 65}"#, #"{"condition": "\#(condition)", "candidates": 2}"#,
            #"{"prompt": "a", "audio_prompt": "/absent.wav"}"#, #"{"prompt": "a", "profile": "mine"}"#,
        ])
        #expect(try summary(wrong) == (0, 0, [1, 2, 3, 4, 5, 6]))
    }

    @Test func failedLinesAreNamedAndTheOthersMade() throws {
        let run = try batch([
            #"{"prompt": "a dog"}"#, #"{"prompt": ""}"#, "not json", #"{"prompt": "a", "secnods": 3}"#,
            #"{"prompt": "a", "seconds": -1}"#, #"{"prompt": "a", "output": "../x.wav"}"#, #"{"seed": 3}"#,
            #"{"prompt": "a", "scheduler": "magic"}"#, #"{"prompt": "a", "eta": 0.5}"#, #"{"prompt": "rain"}"#,
            #"{"prompt": "a", "seed": -1}"#, #"{"prompt": "b", "output": "00001-a-dog.wav"}"#, #"[1]"#,
        ])
        #expect(run.status == 1)
        #expect(try summary(run) == (2, 0, [2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13]))
        #expect(run.errors.contains("line 4: unknown field \"secnods\""))
        #expect(try FileManager.default.contentsOfDirectory(atPath: output).count == 3)
    }

    /// What a line says goes over what was said for all, and what neither says comes from the profile: as for one sound.
    @Test func aLinesSettingsGoOverThoseForAll() throws {
        func steps(_ line: String, _ flags: String...) throws -> (Int?, String?) {
            try? FileManager.default.removeItem(atPath: output)
            let run = try CommandRun(
                "audioldm2",
                ["batch", try folder.write(line, to: "one.jsonl"), "-m", model, "-o", output, "--seconds", "0.1"]
                    + flags)
            #expect(run.status == 0, "\(run.errors)")
            let manifest = try Data(contentsOf: URL(fileURLWithPath: output + "/manifest.jsonl"))
            let entry = try JSONSerialization.jsonObject(with: manifest) as? [String: Any]
            let record = entry?["record"] as? [String: Any]
            return (record?["steps"] as? Int, record?["scheduler"] as? String)
        }
        let profile = ["--profile", "diffusers"]
        #expect(try steps(#"{"prompt": "a", "scheduler": "dpm++"}"#, profile[0], profile[1]) == (25, "dpm++"))
        #expect(try steps(#"{"prompt": "a", "steps": 3}"#, profile[0], profile[1]) == (3, "ddim"))
        #expect(try steps(#"{"prompt": "a", "profile": "diffusers"}"#, "--steps", "2") == (2, "ddim"))
        #expect(
            try steps(#"{"prompt": "a", "scheduler": "unipc"}"#, "--steps", "2", "--scheduler", "ddim", "--eta", "0.5")
                == (2, "unipc"))
    }

    /// Folders whose names have one character, or that are made on the way.
    @Test(arguments: ["o", "7", "é", "x/y", "x/y/", ".//z//w"]) func foldersOfAnyNameAreMade(_ name: String) throws {
        let lines = try folder.write(#"{"prompt": "a"}"#, to: "one.jsonl")
        let run = try CommandRun(
            "audioldm2", [name, model, lines],
            script: """
                cd \(folder.path) && exec "$command" batch "$3" -m "$2" -o "$1" --seconds 0.1 --steps 1
                """)
        #expect(run.status == 0 && FileManager.default.fileExists(atPath: folder.file(name) + "/manifest.jsonl"))
    }

    @Test func goesOnWhereItStopped() throws {
        let lines = ["a dog", "rain", "a violin"].map { #"{"prompt": "\#($0)"}"# }
        #expect(try summary(batch(lines)) == (3, 0, []))
        let names = ["00001-a-dog.wav", "00002-rain.wav", "00003-a-violin.wav"]
        let before = try names.map(bytes)
        #expect(try summary(batch(lines)) == (0, 3, []))
        // A missing file, a shortened one, and a manifest whose last line a killed run left incomplete.
        try FileManager.default.removeItem(atPath: output + "/" + names[0])
        try before[1].prefix(100).write(to: URL(fileURLWithPath: output + "/" + names[1]))
        let manifest = try String(contentsOfFile: output + "/manifest.jsonl", encoding: .utf8)
        try manifest.dropLast(20).write(toFile: output + "/manifest.jsonl", atomically: true, encoding: .utf8)
        #expect(try summary(batch(lines)) == (3, 0, []))
        #expect(try names.map(bytes) == before)
        #expect(try summary(batch(lines)) == (0, 3, []))
        // Other options make other sounds.
        #expect(try summary(batch(lines, "--guidance-scale", "2")) == (3, 0, []))
    }

    @Test func shardsTogetherMakeWhatOneRunMakes() throws {
        let lines = (0..<5).map { #"{"prompt": "sound \#($0)"}"# }
        #expect(try summary(batch(lines, "--shard", "1/2")) == (3, 0, []))
        #expect(try summary(batch(lines, "--shard", "2/2", "--together", "1")) == (2, 0, []))
        let shards = try (0..<5).map { try bytes("0000\($0 + 1)-sound-\($0).wav") }
        #expect(try summary(batch(lines)) == (0, 5, []))
        try FileManager.default.removeItem(atPath: output)
        #expect(try summary(batch(lines)) == (5, 0, []))
        #expect(try (0..<5).map { try bytes("0000\($0 + 1)-sound-\($0).wav") } == shards)
    }

    @Test(arguments: [
        ["--shard", "0/2"], ["--shard", "3/2"], ["--shard", "1"], ["--format", "m4a"], ["--together", "0"],
    ])
    func wrongUse(_ arguments: [String]) throws {
        let run = try CommandRun("audioldm2", ["batch", "a", "-m", "b", "-o", "c"] + arguments)
        #expect(run.status == 64 && run.errors.hasPrefix("Error: "))
    }

    @Test func unusableFilesAreNamed() throws {
        let run = try CommandRun("audioldm2", ["batch", "/absent.jsonl", "-m", model, "-o", output])
        #expect(run.failed(naming: "/absent.jsonl"))
    }
}
