import Foundation
import TestSupport
import Testing

/// FIFOs in the place of files that have to be read twice or mapped: refused, not waited for.
@Suite struct FIFOTests {
    private let folder: TemporaryFolder
    private let fifo: String

    init() throws {
        folder = try TemporaryFolder()
        fifo = folder.file("fifo")
        try #require(mkfifo(fifo, 0o600) == 0)
    }

    private func run(_ command: String, _ arguments: String...) throws -> CommandRun {
        try CommandRun(command, arguments, script: #"exec timeout 60 "$command" "$@""#)
    }

    @Test func modelsConditionsAndTensorsAreRefused() throws {
        let (model, output) = (try ModelFixture.path("tiny", .int8), folder.file("out"))
        let named = "not a regular file"
        #expect(try run("audioldm2", "generate", "a", "-m", fifo, "-o", output + ".wav").failed(naming: named))
        #expect(
            try run("audioldm2", "generate", "-m", model, "-o", output + ".wav", "--condition", fifo)
                .failed(naming: named))
        #expect(try run("audioldm2", "verify", model, "--golden", fifo).failed(naming: named))
        #expect(try run("audioldm2", "trace", model, "--inputs", fifo, "--output", output).failed(naming: named))
    }

    @Test(arguments: [
        "model_index.json", "unet/config.json", "vae/diffusion_pytorch_model.safetensors", "tokenizer/tokenizer.json",
        "tokenizer/tokenizer_config.json", "scheduler/scheduler_config.json", "LICENSE",
    ])
    func checkpointsAreRefused(_ name: String) throws {
        let checkpoint = folder.file("tiny")
        try FileManager.default.copyItem(
            atPath: Fixtures.folder("Checkpoints").appendingPathComponent("tiny").path, toPath: checkpoint)
        try? FileManager.default.removeItem(atPath: checkpoint + "/" + name)
        try #require(mkfifo(checkpoint + "/" + name, 0o600) == 0)
        let outcome = try run("audioldm2-convert", checkpoint, "-o", folder.file("a.aldm"))
        #expect(outcome.failed(naming: "not a regular file"), "\(name): \(outcome.status) \(outcome.errors)")
    }

    @Test func describedFilesAndLicencesAreRefused() throws {
        let checkpoint = Fixtures.folder("Checkpoints").appendingPathComponent("tiny").path
        #expect(try run("audioldm2-convert", "--describe", fifo).failed(naming: "not a regular file"))
        let outcome = try run("audioldm2-convert", checkpoint, "-o", folder.file("a.aldm"), "--license", fifo)
        #expect(outcome.failed(naming: "not a regular file"), "\(outcome.errors)")
    }
}
