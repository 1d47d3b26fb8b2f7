import AudioLDM2
import AudioLDM2Converter
import Foundation
import TestSupport
import Testing

/// The command as it is run.
@Suite struct ConvertCommandTests {
    private let folder: TemporaryFolder
    private let checkpoint = CheckpointFixture(CheckpointFixture.names[0]).path

    init() throws { folder = try TemporaryFolder() }

    private func run(_ arguments: [String], script: String = #"exec "$command" "$@""#) throws -> CommandRun {
        try CommandRun("audioldm2-convert", arguments, script: script)
    }

    private var model: String { folder.path + "/model.aldm" }

    @Test func convertsAndSumsUp() throws {
        let outcome = try run([checkpoint, "--output", model])
        #expect(outcome.status == 0 && outcome.errors.isEmpty)
        #expect(outcome.output.contains("unet"))
        #expect(outcome.output.contains("largest relative errors"))
        #expect(outcome.output.contains("\(model): "))
        #expect(outcome.output.contains("calibrated on \"a dog barks"))
    }

    @Test func printsJSON() throws {
        let outcome = try run([checkpoint, "-o", model, "--json", "--weights", "float16", "--compression", "none"])
        let summary = try #require(
            try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
        #expect(summary["weights"] as? String == "float16")
        #expect(summary["compression"] as? String == "none")
        #expect((summary["components"] as? [Any])?.count == 9)
    }

    @Test func quietSaysNothing() throws {
        let outcome = try run([checkpoint, "-o", model, "--quiet", "--threads", "1", "--no-calibrate"])
        #expect(outcome.status == 0 && outcome.output.isEmpty && outcome.errors.isEmpty)
        #expect(FileManager.default.fileExists(atPath: model))
    }

    @Test(arguments: [
        [], ["a"], ["a", "-o", "b", "--weights", "int4"], ["a", "-o", "b", "--compression", "20"],
        ["a", "-o", "b", "--compression", "0"], ["a", "-o", "b", "--threads", "0"], ["a", "-o", ""],
        ["a", "-o", "b", "c"], ["a", "-o", "b", "--without", "unet"],
        ["a", "-o", "b", "--no-calibrate", "--target-error", "0.1"], ["a", "-o", "b", "--target-error", "0"],
        ["a", "-o", "b", "--no-calibrate", "--calibrate", "prompts.txt"],
    ])
    func wrongUse(arguments: [String]) throws {
        let outcome = try run(arguments)
        #expect(outcome.status == 64)
        #expect(outcome.errors.hasPrefix("Error: "))
    }

    /// Which shows when the checkpoint is open: this one is of AudioLDM 1.
    @Test func whatTheCheckpointHasNoUseFor() throws {
        let tokenizer = CheckpointFixture("tiny").path + "/tokenizer_2"
        let first = CheckpointFixture("audioldm1-tiny").path
        for arguments in [["-o", model], ["--describe"]] {
            let outcome = try run([first, "--tokenizer-2", tokenizer] + arguments)
            #expect(outcome.status == 64, "\(outcome.errors)")
            #expect(
                outcome.errors.hasPrefix(
                    "Error: tokenizer_2 was given, but audioldm1-tiny is of class AudioLDMPipeline"))
            #expect(!FileManager.default.fileExists(atPath: model))
        }
    }

    @Test func failuresTakeOneLine() throws {
        for arguments in [
            [folder.path, "-o", model], [checkpoint, "-o", folder.path],
            [checkpoint, "-o", model, "--license", "/absent"], [checkpoint, "-o", model, "--calibrate", "/absent"],
        ] {
            let outcome = try run(arguments)
            #expect(outcome.failed(), "\(outcome.errors)")
        }
    }

    @Test func aFullDisk() throws {
        // A limit on the file's size fails as a full disk does, in the middle of writing.
        let outcome = try run(
            [checkpoint, "-o", model, "--no-calibrate"], script: #"trap "" XFSZ; ulimit -f 1000; exec "$command" "$@""#)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("\(model): cannot write"), "\(outcome.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    /// Files stay open until they are read: too few say so, and where more are allowed.
    @Test func fewFilesAtATime() throws {
        for count in [12, 16, 18] {
            let outcome = try run([checkpoint, "-o", model], script: "ulimit -n \(count); exec \"$command\" \"$@\"")
            #expect(outcome.failed(naming: "too many open files", "ulimit -n"), "\(outcome.status) \(outcome.errors)")
        }
        let copy = try CheckpointFixture(CheckpointFixture.names[0]).copy(to: folder)
        let stem = "diffusion_pytorch_model"
        try FileManager.default.removeItem(atPath: "\(copy.path)/unet/\(stem).safetensors")
        var places: [String] = []
        for number in 0..<40 {
            var shard = SafetensorsBuilder()
            shard.add("w\(number)", [1], [1])
            try folder.write(shard.encoded(), to: "checkpoint/unet/\(stem)-\(number).safetensors")
            places.append("\"w\(number)\": \"\(stem)-\(number).safetensors\"")
        }
        try folder.write(
            "{\"weight_map\": {\(places.joined(separator: ", "))}}",
            to: "checkpoint/unet/\(stem).safetensors.index.json")
        let few = try run([copy.path, "-o", model], script: #"ulimit -n 30; exec "$command" "$@""#)
        #expect(few.failed(naming: "cannot read unet/", "ulimit -n"), "\(few.status) \(few.errors)")
        #expect(!FileManager.default.fileExists(atPath: model))
        #expect(try run([checkpoint, "-o", model], script: #"ulimit -n 24; exec "$command" "$@""#).status == 0)
    }

    @Test func describesWithoutConverting() throws {
        let outcome = try run(["--describe", checkpoint])
        #expect(outcome.status == 0 && outcome.output.contains("AudioLDM2Pipeline, as diffusers saves it"))
        let json = try run([checkpoint, "--describe", "--json"]).output
        let description = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        #expect(
            (description["components"] as? [Any])?.count == 7 && (description["missing"] as? [Any])?.isEmpty == true)
        #expect(!FileManager.default.fileExists(atPath: model))
    }

    @Test func hasAVersion() throws { #expect(try run(["--version"]).output == AudioLDM2Pipeline.version + "\n") }

    @Test func helpHasExamples() throws {
        let outcome = try run(["--help"])
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("audioldm2-convert audioldm2/ --output audioldm2.aldm"))
        #expect(outcome.output.contains("--compression <none|1…19>"))
    }
}
