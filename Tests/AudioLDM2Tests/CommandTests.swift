import Audio
import AudioLDM2Converter
import Foundation
import TestSupport
import Testing

/// `audioldm2` as it is run.
@Suite struct CommandTests {
    private let folder: TemporaryFolder
    private let model: String

    init() throws {
        folder = try TemporaryFolder()
        model = try ModelFixture.path("tiny", .int8)
    }

    private func run(_ arguments: String..., script: String = #"exec "$command" "$@""#) throws -> CommandRun {
        try CommandRun("audioldm2", arguments, script: script)
    }

    @Test(arguments: ["wav", "flac", "ogg"])
    func generatesAFileOfTheExtensionsFormat(_ format: String) throws {
        let output = folder.file("sound.\(format)")
        let outcome = try run(
            "generate", "a dog", "--model", model, "--output", output, "--seconds", "0.8", "--steps", "2", "--seed", "3"
        )
        #expect(outcome.status == 0 && outcome.errors.isEmpty)
        #expect(outcome.output.contains("0.80 s of sound") && outcome.output.contains("seed 3"))
        let sound = try SoundFile.read(output)
        #expect(sound.samples.count == 12800 && sound.sampleRate == 16000 && sound.channels == 1)
        #expect(try folder.contents() == ["sound.\(format)"])
    }

    @Test func aReportThatIsNotTakenIsAnError() throws {
        let outcome = try run("inspect", model, script: #""$command" "$@" > /dev/full"#)
        #expect(outcome.failed(naming: "standard output: cannot be written"))
    }

    @Test func unknownKernelsAreRefused() throws {
        let outcome = try CommandRun(
            "audioldm2", ["generate", "a dog", "-m", model, "-o", folder.file("a.wav")],
            environment: ["AUDIOLDM2_DEVICE": "cpu", "AUDIOLDM2_CPU": "sse9"])
        #expect(outcome.failed(naming: "AUDIOLDM2_CPU=sse9", "avx2"))
    }

    @Test func sameSeedSameFileOnAnyNumberOfThreads() throws {
        for threads in ["1", "2"] {
            _ = try run(
                "generate", "a dog", "-m", model, "-o", folder.file("\(threads).wav"), "--seconds", "0.5", "--steps",
                "3", "--seed", "9", "--threads", threads)
        }
        let (one, two) = (folder.file("1.wav"), folder.file("2.wav"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: one)) == Data(contentsOf: URL(fileURLWithPath: two)))
    }

    @Test func quietSaysNothingAndJSONIsForPrograms() throws {
        let arguments = [
            "generate", "a dog", "-m", model, "-o", folder.file("a.wav"), "--seconds", "0.2", "--steps", "1",
        ]
        let quiet = try CommandRun("audioldm2", arguments + ["--quiet"])
        #expect(quiet.status == 0 && quiet.output.isEmpty && quiet.errors.isEmpty)
        let json = try CommandRun("audioldm2", arguments + ["--json", "--seed", "4"])
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(object["seed"] as? Int == 4 && object["sampleRate"] as? Int == 16000)
        #expect(object["prompt"] as? String == "a dog" && object["seconds"] as? Double == 0.2)
        let inspection = try run("inspect", model, "--json")
        let model = try JSONSerialization.jsonObject(with: Data(inspection.output.utf8)) as? [String: Any]
        #expect(object["modelHash"] as? String == model?["hash"] as? String && object["modelHash"] != nil)
    }

    @Test(arguments: ["wav", "flac", "ogg"])
    func filesSayHowTheyWereMade(_ format: String) throws {
        let output = folder.file("sound.\(format)")
        let prompt = String(repeating: "a dog, \"very\" long ", count: 400)
        let outcome = try run(
            "generate", prompt, "-m", model, "-o", output, "--seconds", "0.2", "--steps", "1", "--seed", "12345678901",
            "--negative-prompt", "wind", "--quiet")
        #expect(outcome.status == 0)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: output))
        let comment = try #require(bytes.firstRange(of: Data(#"{"eta":0"#.utf8)))
        let end = try #require(bytes[comment.lowerBound...].firstIndex(of: UInt8(ascii: "}")))
        let text = Data(bytes[comment.lowerBound...end])
        let record = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
        #expect(record["seed"] as? Int == 12_345_678_901 && record["negativePrompt"] as? String == "wind")
        #expect(try #require(record["prompt"] as? String).hasPrefix("a dog, \"very\" long a dog"))
        #expect(record["scheduler"] as? String == "unipc" && record["steps"] as? Int == 1)
        #expect((record["modelHash"] as? String)?.count == 16)
        #expect(text.count <= 4096 && text.count > 1000)
    }

    @Test(arguments: [
        ["generate"], ["generate", ""], ["generate", "  ", "-m", "b", "-o", "c.wav"],
        ["generate", "a", "-m", "b", "-o", "c.mid"],
        ["generate", "a", "-m", "b", "-o", ""], ["generate", "a", "-m", "b", "-o", "c.wav", "--seconds", "3601"],
        ["generate", "a", "-m", "b", "-o", "c.wav", "--steps", "1001"],
        ["generate", "a", "-m", "b"],
        ["generate", "a", "-m", "b", "-o", "c.wav", "--steps", "0"],
        ["generate", "a", "-m", "b", "-o", "c.wav", "--seconds", "0"],
        ["generate", "a", "-m", "b", "-o", "c.wav", "--seconds", "nan"],
        ["generate", "a", "-m", "b", "-o", "c.wav", "--guidance-scale", "-2"],
        ["generate", "a", "-m", "b", "-o", "c.wav", "--guidance-scale", "1e30"],
        ["generate", "a", "-m", "b", "-o", "c.wav", "--device", "tpu"],
        ["generate", "a", "-m", "b", "-o", "c.wav", "--scheduler", "magic"],
        ["generate", "a", "-m", "b", "-o", "c.wav", "--eta", "0.5", "--scheduler", "euler"],
        ["generate", "a", "-m", "b", "-o", "c.wav", "--seed", "-1"],
        ["generate", "a", "-m", "b", "-o", "c.wav", "--threads", "0"], ["verify", "a"], ["unknown"],
    ])
    func wrongUse(_ arguments: [String]) throws {
        let outcome = try CommandRun("audioldm2", arguments)
        #expect(outcome.status == 64 && outcome.errors.hasPrefix("Error: "), "\(outcome.errors)")
    }

    @Test func wrongUseNamesTheCommandWhoseHelpTellsMore() throws {
        let output = folder.file("a.wav")
        let late = try run("generate", "a", "-m", model, "-o", output, "--eta", "0.5")
        #expect(late.status == 64 && late.errors.contains("audioldm2 generate --help"), "\(late.errors)")
        let unknown = try run("generat", "a", "-o", output)
        #expect(unknown.status == 64 && unknown.errors.contains("'generat'"), "\(unknown.errors)")
        #expect(try run("help", "score").output.contains("USAGE: audioldm2 score"))
        #expect(try run("--version").status == 0)
    }

    /// Swift finds a program's arguments in /proc/self/maps.
    @Test func argumentsNeedNoProc() throws {
        let shim = try SharedLibrary(
            """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <errno.h>
            #include <stdio.h>
            #include <string.h>
            FILE *fopen(const char *path, const char *mode) {
                if (strcmp(path, "/proc/self/maps") == 0) { errno = ENOENT; return NULL; }
                return ((FILE *(*)(const char *, const char *))dlsym(RTLD_NEXT, "fopen"))(path, mode);
            }
            """, in: folder)
        let outcome = try run(
            "inspect", "/absent.aldm", script: "LD_PRELOAD=\(shim.path) exec \"$command\" \"$@\"")
        #expect(outcome.failed(naming: "/absent.aldm"), "\(outcome.status) \(outcome.output)")
    }

    @Test func wordsWithoutTokensAreNamed() throws {
        let arguments = ["-m", model, "-o", folder.file("a.wav"), "--seconds", "0.3", "--steps", "1"]
        let foreign = try CommandRun("audioldm2", ["generate", "a dog 雨"] + arguments)
        #expect(foreign.status == 0 && foreign.errors.contains("'雨'") && !foreign.errors.contains("dog"))
        #expect(try CommandRun("audioldm2", ["generate", "a dog"] + arguments).errors.isEmpty)
    }

    @Test func limitsOfMemoryAreKeptAndRefused() throws {
        func limited(_ bytes: Int, _ limit: String...) throws -> CommandRun {
            try CommandRun(
                "audioldm2",
                [
                    "generate", "a", "-m", model, "-o", folder.file("a.wav"), "--seconds", "0.5", "--steps", "1",
                    "--seed", "1", "--threads", "2", "--verbose",
                ] + limit, script: "exec prlimit --data=\(bytes) \"$command\" \"$@\"")
        }
        let allowed = try limited(96 << 20, "--memory-limit", "96M")
        #expect(allowed.status == 0 && allowed.errors.contains("of 96M allowed"), "\(allowed.errors)")
        // The system's limit counts without being named.
        #expect(try limited(96 << 20).errors.contains("of 96M allowed"))
        #expect(try limited(96 << 20, "--memory-limit", "25M").failedAtLast(naming: "at least", "25M"))
        #expect(try limited(20_000_000).failed(naming: "20M", "ulimit"))
        #expect(try limited(96 << 20, "--memory-limit", "much").status == 64)
    }

    @Test func unusableFilesAreNamedBeforeAnyWork() throws {
        let output = folder.file("sound.wav")
        #expect(try run("generate", "a", "-m", "/absent.aldm", "-o", output).failed(naming: "/absent.aldm"))
        #expect(try run("generate", "a", "-m", folder.path, "-o", output).failed(naming: folder.path))
        #expect(try run("generate", "a", "-m", model, "-o", "/absent/a.wav").failed(naming: "/absent/a.wav"))
        #expect(try run("generate", "a", "-m", model, "-o", "/proc/a.wav").failed(naming: "/proc/a.wav"))
        #expect(
            try run("generate", "a", "-m", model, "-o", output, "--spectrogram", "/absent/a.png").failed(
                naming: "/absent/a.png"))
        #expect(try run("inspect", "/absent.aldm").failed(naming: "/absent.aldm"))
        #expect(try run("verify", model, "--golden", "/absent").failed(naming: "/absent"))
        #expect(try folder.contents().isEmpty)
    }

    @Test func whatSomethingIsMadeFromIsNotReplaced() throws {
        let (pack, link) = (folder.file("own.aldm"), folder.file("same.cond"))
        try FileManager.default.copyItem(atPath: model, toPath: pack)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: pack)
        for output in [pack, link] {
            let outcome = try run("encode", "a dog", "-m", pack, "-o", output)
            #expect(outcome.status == 64 && outcome.errors.contains("choose another name"))
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: pack)) == Data(contentsOf: URL(fileURLWithPath: model)))
    }

    @Test func linesOfABatchSayWhichFieldIsWrong() throws {
        let lines = folder.file("lines.jsonl")
        try #"{"prompt": "a", "steps": 1.5}\#n{"prompt": "a", "seed": -1}\#n"#
            .write(toFile: lines, atomically: true, encoding: .utf8)
        let outcome = try run("batch", lines, "-m", model, "-o", folder.file("out"), "--quiet")
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("field \"steps\" is not a whole number"))
        #expect(outcome.errors.contains("field \"seed\" is not a whole number from 0"))
        let taken = try run("batch", lines, "-m", model, "-o", lines)
        #expect(taken.status == 1 && taken.errors.contains("lines.jsonl: cannot be made"))
    }

    /// With and without the signal that a limit of file sizes sends.
    @Test(arguments: [#"trap "" XFSZ;"#, ""]) func aFullDiskLeavesNothingBehind(_ signal: String) throws {
        let output = folder.file("sound.wav")
        let outcome = try run(
            "generate", "a", "-m", model, "-o", output, "--seconds", "2", "--steps", "1",
            script: signal + #" ulimit -f 4; exec "$command" "$@""#)
        #expect(outcome.status == 1 && outcome.errors.contains(output), "\(outcome.errors)")
        #expect(try folder.contents().isEmpty)
    }

    @Test func tooLittleMemoryIsAnErrorNotAHang() throws {
        for kilobytes in [20_000, 40_000] {
            let outcome = try run(
                "generate", "a", "-m", model, "-o", folder.file("sound.wav"), "--seconds", "0.5", "--steps", "1",
                script: "ulimit -d \(kilobytes); timeout 60 \"$command\" \"$@\"")
            #expect(outcome.failed(naming: "memory"), "\(kilobytes): \(outcome.status) \(outcome.errors)")
        }
    }

    @Test func anInterruptStopsCleanly() throws {
        let output = folder.file("sound.wav")
        let outcome = try run(
            "generate", "a", "-m", model, "-o", output, "--seconds", "100", "--steps", "900",
            script: #""$command" "$@" & sleep 1; kill -INT $!; wait $!"#)
        #expect(outcome.status == 130 && outcome.errors.contains("stopped"), "\(outcome.errors)")
        #expect(try folder.contents().isEmpty)
    }

    @Test func inspectListsAndChecks() throws {
        let outcome = try run("inspect", model, "--tensors", "--check")
        #expect(outcome.status == 0 && outcome.output.contains("every part matches its checksum"))
        #expect(outcome.output.contains("down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_qkv.weight"))
        let json = try run("inspect", model, "--json")
        #expect(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) is [String: Any])
    }

    @Test func benchMeasuresEveryStage() throws {
        let outcome = try run("bench", model, "--seconds", "0.5", "--steps", "3", "--json")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
        for key in ["encode_seconds", "unet_step_seconds", "vae_seconds", "vocoder_seconds", "load_seconds", "gmacs"] {
            #expect(try #require(object[key] as? Double) > 0, "\(key)")
        }
        #expect(try #require(object["peak_rss_bytes"] as? Int) > 1_000_000)
        let operations = try #require(object["operations"] as? [[String: Any]])
        #expect(
            Set(["linear", "convolution", "attention"]).isSubset(of: operations.compactMap { $0["name"] as? String }))
        let table = try run("bench", model, "--seconds", "0.5", "--profile", "--threads", "1")
        #expect(table.status == 0 && table.output.contains("attention"))
    }

    /// Tiers round floats differently, and int8 inputs amplify that to their own step: so int8 is held against the
    /// golden file on every tier, and sounds are compared in float32.
    @Test(arguments: ["scalar", "avx2", "avx512vnni"])
    func everyTierComputesTheSame(_ tier: String) throws {
        let script = "export AUDIOLDM2_CPU=\(tier); exec \"$command\" \"$@\""
        let verified = try run("verify", model, "--golden", ModelFixture.golden("tiny-1.7s"), script: script)
        #expect(verified.status == 0, "\(verified.output)")
        let float32 = try ModelFixture.path("tiny", .float32)
        func samples(_ name: String, _ script: String) throws -> [Float] {
            let output = folder.file("\(name).flac")
            let outcome = try run(
                "generate", "a dog", "-m", float32, "-o", output, "--seconds", "0.5", "--steps", "2", "--seed", "1",
                script: script)
            #expect(outcome.status == 0)
            return try SoundFile.read(output).samples
        }
        let (forced, best) = (try samples(tier, script), try samples("best", #"exec "$command" "$@""#))
        let largest = best.map(abs).max() ?? 0
        #expect(zip(forced, best).allSatisfy { abs($0 - $1) <= 1e-3 * largest })
    }

    @Test func verifyPrintsARowPerTensorAndFailsWithThem() throws {
        let good = try run("verify", model, "--golden", ModelFixture.golden("tiny-1.7s"))
        #expect(good.status == 0, "\(good.output)")
        #expect(good.output.contains("unet.eps.0") && !good.output.contains("not computed"))
        let bad = try run("verify", model, "--golden", ModelFixture.golden("tiny-large-2.56s"))
        #expect(bad.status == 1 && bad.output.contains("failed"))
    }
}
