import AudioLDM2
import AudioLDM2Converter
import AudioLDM2Diagnostics
import Checkpoints
import Foundation
import Synchronization
import TestSupport
import Testing

/// Griffin-Lim for the magnitudes that a network says.
@Suite struct MagnitudeTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A pack of the tiny checkpoint with the fixtures' network.
    private func model(_ weights: WeightPreset = .int8) throws -> String {
        try ModelFixture.path(
            "tiny", with: ["Magnitudes/magnitudes"], in: folder, ConversionOptions(weights: weights))
    }

    private func options(_ seconds: Double, loops: Bool = false) -> SoundOptions {
        SoundOptions(
            seconds: seconds, numInferenceSteps: 2, seed: 1, windowSeconds: 2, loops: loops, vocoder: .griffinLim)
    }

    /// Against PyTorch's convolutions in float64: `make_magnitude_fixture.py`.
    @Test(arguments: [(WeightPreset.float32, 1e-5), (.float16, 1e-3), (.int8, 2e-2)])
    func theNetworkEqualsTheReference(_ weights: WeightPreset, tolerance: Double) throws {
        let golden = try GoldenTensors(Fixtures.folder("Magnitudes").appendingPathComponent("golden.safetensors").path)
        let (shape, mel) = try golden.values("mel")
        let made = try ComponentTrace(opening: model(weights)).blockingRun([
            NamedTensor(name: "magnitudes.mel", shape: shape.extents, values: mel)
        ])
        let expected = try golden.values("correction")
        #expect(made.map(\.name) == ["magnitudes.correction"] && made[0].shape == expected.shape.extents)
        let squares = zip(made[0].values, expected.values).reduce(0.0) {
            $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1)
        }
        let norm = expected.values.reduce(0.0) { $0 + Double($1) * Double($1) }
        #expect((squares / norm).squareRoot() < tolerance)
    }

    /// Any length, on any number of threads; another sound than without the network; within what is planned.
    @Test(arguments: [0.1, 2, 5.3])
    func soundsAreMadeOfIt(_ seconds: Double) async throws {
        let (options, path) = (options(seconds), try model())
        let result = try await AudioLDM2Pipeline(opening: path, threads: 2).generate("rain", options: options)
        let samples = result.clip.samples
        #expect(samples.count == Int(seconds * 16000) && samples.allSatisfy(\.isFinite))
        #expect(
            try await AudioLDM2Pipeline(opening: path, threads: 1).generate("rain", options: options).clip
                == result.clip)
        let plain = try AudioLDM2Pipeline(opening: ModelFixture.path("tiny", .int8))
        #expect(try await plain.generate("rain", options: options).clip != result.clip)
        let stage = try #require(result.memoryPlan.stages.first { $0.name == "magnitudes" })
        #expect(stage.activationBytes > 0 && !result.memoryPlan.stages.contains { $0.name == "vocoder" })
        let used = try #require(result.activationBytes["magnitudes"])
        #expect(used > 0 && used <= stage.activationBytes)
    }

    /// What is needed of the frames beside a piece is there in time.
    @Test func streamingEqualsWhole() async throws {
        let pipeline = try AudioLDM2Pipeline(opening: model(.float32))
        let taken = Mutex<[[Float]]>([])
        for try await _ in pipeline.events(
            "rain", options: options(9), streamingTo: { block in taken.withLock { $0.append(block) } })
        {}
        let blocks = taken.withLock(\.self)
        let whole = try await pipeline.generate("rain", options: options(9)).clip.samples
        #expect(blocks.count > 1 && blocks.map(\.count).reduce(0, +) == whole.count)
        // One gain for a file, another for what leaves as it is made.
        let ratios = zip(whole, blocks.joined()).filter { abs($0.1) > 1e-3 }.map { $0.0 / $0.1 }
        #expect(!ratios.isEmpty && ratios.allSatisfy { $0 <= 1 + 1e-4 })
    }

    @Test(arguments: [0.3, 4, 12]) func loopsAreWholeFrames(_ seconds: Double) async throws {
        let result = try await AudioLDM2Pipeline(opening: model()).generate(
            "rain", options: options(seconds, loops: true))
        #expect(result.clip.samples.count % 640 == 0 && result.clip.samples.contains { $0 != 0 })
    }

    /// What makes a model's sounds is fitted and compared like its other parts.
    @Test func calibrationSeesIt() throws {
        var (options, calibration) = (ConversionOptions(), CalibrationOptions())
        calibration.request.prompts = ["a dog barks"]
        calibration.request.seconds = 0.64
        options.calibration = calibration
        let path = try ModelFixture.path("tiny", with: ["Magnitudes/magnitudes"], in: folder, options)
        let report = try #require(try ModelInspection(modelAt: path).calibration)
        let part = try #require(report.components.first { $0.name == "magnitudes" })
        #expect(part.errorBefore > 0 && part.errorAfter <= part.errorBefore && !part.peaks.isEmpty)
    }

    /// A network of other bands or bins is refused, by the file's name and the key.
    @Test(arguments: ["model_in_dim", "num_bins", "kernel_size", "dilations"])
    func aNetworkThatDoesNotFitIsRefused(_ key: String) throws {
        let copy = folder.file("checkpoint")
        _ = try model()
        try FileManager.default.removeItem(atPath: copy + "/magnitudes")
        try FileManager.default.copyItem(
            atPath: Fixtures.folder("Magnitudes").appendingPathComponent("magnitudes").path,
            toPath: copy + "/magnitudes")
        let path = copy + "/magnitudes/config.json"
        var config = try #require(
            JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [String: Any])
        // Kernels have odd sizes, and frames are near to each other.
        let wrong: [String: Any] = ["kernel_size": 4, "dilations": [255, 255, 255, 255, 255]]
        config[key] = wrong[key] ?? 32
        try JSONSerialization.data(withJSONObject: config).write(to: URL(fileURLWithPath: path))
        let pack = folder.file("wrong.aldm")
        let convert = try CommandRun("audioldm2-convert", [copy, "-o", pack, "--quiet"])
        #expect(convert.failed(naming: key) || convert.failed(naming: "magnitudes"), "\(convert.errors)")
        #expect(!FileManager.default.fileExists(atPath: pack))
    }
}
