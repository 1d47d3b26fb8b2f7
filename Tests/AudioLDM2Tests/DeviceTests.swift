import AudioLDM2
import AudioLDM2Converter
import Foundation
import TestSupport
import Testing

/// What computes, as it is chosen by options and variables; and whole components on the emulated GPU.
@Suite(.enabled(if: EmulatedGPU.isHere, "\(EmulatedGPU.absence)"))
struct DeviceTests {
    private let folder: TemporaryFolder
    private let model: String

    init() throws {
        folder = try TemporaryFolder()
        model = try ModelFixture.path("tiny", .int8)
    }

    private func generate(
        _ options: [String] = [], _ settings: [String: String] = [:], steps: Int = 1
    ) throws -> CommandRun {
        let output = folder.file("sound.wav")
        try? FileManager.default.removeItem(atPath: output)
        return try CommandRun(
            "audioldm2",
            [
                "generate", "rain", "--model", model, "--output", output, "--seconds", "0.2", "--steps", "\(steps)",
                "--seed", "1",
            ] + options,
            environment: EmulatedGPU.environment(cache: folder.file("cache"), settings))
    }

    private var sound: Data? { try? Data(contentsOf: URL(fileURLWithPath: folder.file("sound.wav"))) }

    @Test(arguments: ["", "gpu", "cuda:", "cuda:-1", "cuda:x"])
    func devicesThatMeanNothingAreRefused(_ name: String) throws {
        #expect(ComputeDevice(name) == nil)
        #expect(try generate(["--device", name]).status == 64)
    }

    @Test func devicesAreRead() throws {
        for device in [ComputeDevice.auto, .cpu, .cuda(0), .cuda(3)] { #expect(ComputeDevice("\(device)") == device) }
        #expect(ComputeDevice("cuda") == .cuda(0))
        #expect(try generate([], ["AUDIOLDM2_DEVICE": "abacus"]).failed(naming: "AUDIOLDM2_DEVICE=abacus"))
    }

    /// Said when one wants to know, and no error.
    @Test func withoutADriverTheCPUComputes() throws {
        let settings = ["AUDIOLDM2_CUDA_DRIVER": "/nowhere/libcuda.so.1"]
        let run = try generate(["--verbose"], settings)
        #expect(run.status == 0 && run.errors.contains("computing on the CPU: /nowhere/libcuda.so.1 was not found"))
        #expect(!run.errors.contains("install") && !run.errors.contains("--device"))
        let byDefault = sound
        let quiet = try generate([], settings)
        #expect(quiet.status == 0 && !quiet.errors.contains("CPU"))
        #expect(try generate(["--device", "cpu"]).status == 0)
        #expect(sound != nil && sound == byDefault)
        #expect(try generate(["--device", "cuda"], settings).failed(naming: "/nowhere/libcuda.so.1", "--device cpu"))
    }

    /// Said by default: it is all that the GPU lacks.
    @Test(arguments: [
        (["AUDIOLDM2_NVRTC": "/nowhere/foo.so"], "/nowhere/foo.so was not found"),
        (["FAKE_CUDA_VERSION": "12040"], "is NVRTC 13.0, and the driver runs no more than CUDA 12.4"),
    ])
    func withoutACompilerTheCPUComputes(_ settings: [String: String], _ reason: String) throws {
        let run = try generate([], settings)
        #expect(run.status == 0 && run.errors.contains("warning: computing on the CPU: "), "\(run.errors)")
        #expect(run.errors.contains(reason) && run.errors.contains("nvidia-cuda-nvrtc-cu12"), "\(run.errors)")
        #expect(try generate(["--device", "cuda"], settings).failed(naming: reason, "AUDIOLDM2_NVRTC"))
    }

    /// By default the first GPU that works: too old ones are passed by in silence, others are not.
    @Test func theFirstDeviceThatWorksIsUsed() throws {
        let log = folder.file("log")
        let settings = ["FAKE_CUDA_DEVICES": "2", "FAKE_CUDA_LOG": log]
        let old = settings.merging(["FAKE_CUDA_CAPABILITY": "52,75"]) { $1 }
        let quiet = try generate([], old)
        #expect(quiet.status == 0 && !quiet.errors.contains("cuda:0") && !quiet.errors.contains("CPU"))
        #expect(try String(contentsOfFile: log, encoding: .utf8).contains("compiled"))
        let verbose = try generate(["--verbose"], old)
        #expect(verbose.errors.contains("not computing on cuda:0: Emulated GPU 0 is sm_52"), "\(verbose.errors)")
        let wrong = try generate(
            [], settings.merging(["FAKE_CUDA_WRONG": "rms_norm", "FAKE_CUDA_WRONG_DEVICE": "0"]) { $1 })
        #expect(wrong.status == 0 && !wrong.errors.contains("CPU: "), "\(wrong.errors)")
        #expect(wrong.errors.contains("warning: not computing on cuda:0: the GPU's norms"), "\(wrong.errors)")
    }

    /// A driver that is there, and fails: said by default, as somebody should look at it, and an error where it was asked
    /// for.
    @Test(arguments: [
        "cuInit", "cuDevicePrimaryCtxRetain", "cuStreamCreate", "cuModuleLoadData", "cuMemAlloc", "cuMemcpyHtoDAsync",
        "cuLaunchKernel", "cuMemcpyDtoHAsync", "cuStreamSynchronize",
    ])
    func callsThatFailAreNamed(_ call: String) throws {
        let settings = ["FAKE_CUDA_FAILING": call]
        #expect(try generate(["--device", "cuda"], settings).failed(naming: call, "CUDA_ERROR_", "--device cpu"))
        let run = try generate([], settings)
        #expect(run.status == 0 && run.errors.contains("warning: computing on the CPU: the GPU failed in \(call)"))
        #expect(sound != nil)
    }

    @Test func devicesBehindTheLastAreRefused() throws {
        let settings = ["FAKE_CUDA_DEVICES": "2"]
        #expect(try generate(["--device", "cuda:2"], settings).failed(naming: "cuda:2", "sees 2"))
        let none = ["FAKE_CUDA_DEVICES": "0"]
        #expect(try generate(["--device", "cuda"], none).failed(naming: "nvidia-smi"))
        let run = try generate([], none)
        #expect(run.status == 0 && !run.errors.contains("CPU"))
        #expect(try generate(["--device", "cuda"], ["FAKE_CUDA_CAPABILITY": "52"]).failed(naming: "sm_52", "sm_61"))
    }

    /// Wrong results are worse than slow ones.
    @Test func aDeviceThatComputesSomethingElseIsNotUsed() throws {
        let settings = ["FAKE_CUDA_WRONG": "rms_norm"]
        #expect(try generate(["--device", "cuda"], settings).failed(naming: "norms", "--device cpu"))
        let run = try generate([], settings)
        #expect(run.status == 0 && run.errors.contains("warning: computing on the CPU: the GPU's norms"))
        #expect(sound != nil)
    }

    /// Where only tensor cores do, the others are used; what was found is kept.
    @Test(arguments: ["product_mma", "product_float16_mma", "product_expanded_mma", "attention_mma_48"])
    func tensorCoresThatComputeSomethingElseAreNotUsed(_ kernel: String) throws {
        let run = try generate(["--device", "cuda"], ["FAKE_CUDA_WRONG": kernel])
        #expect(run.status == 0 && !run.errors.contains("warning"), "\(run.errors)")
        let cache = URL(fileURLWithPath: folder.file("cache")).appendingPathComponent("audioldm2")
        let note = try #require(
            FileManager.default.contentsOfDirectory(at: cache, includingPropertiesForKeys: nil)
                .first { $0.pathExtension == "note" })
        #expect(String(decoding: try Data(contentsOf: note), as: UTF8.self).hasPrefix("plain"))
    }

    @Test func memoryThatDoesNotSufficeIsAClearError() throws {
        let settings = ["FAKE_CUDA_MEMORY": "500000"]
        #expect(try generate(["--device", "cuda"], settings).failed(naming: "not enough memory"))
        let run = try generate([], settings)
        #expect(run.status == 0 && run.errors.contains("warning: computing on the CPU: Emulated GPU 0 has 0 MiB"))
        #expect(try generate(["--device", "cuda", "--memory-limit", "1M"]).failed(naming: "1M are allowed"))
    }

    /// A GPU whose memory others have taken is passed by for the next one, and for the CPU where there is none.
    @Test func fullDevicesArePassedBy() throws {
        let full = "\(256 << 20 + 100_000)"
        let settings = ["FAKE_CUDA_DEVICES": "2", "FAKE_CUDA_MEMORY": "\(full),1073741824"]
        let run = try generate([], settings)
        let named = "warning: not computing on cuda:0: Emulated GPU 0 has 256 MiB of memory left, and this model needs"
        #expect(run.status == 0 && run.errors.contains(named), "\(run.errors)")
        let onHost = try generate([], ["FAKE_CUDA_MEMORY": full])
        #expect(onHost.status == 0 && onHost.errors.contains("warning: computing on the CPU: Emulated GPU 0 has 256"))
    }

    /// Graphs that are launched and do nothing.
    @Test func aDeviceThatReplaysSomethingElseIsNotUsed() throws {
        let settings = ["FAKE_CUDA_WRONG": "cuGraphLaunch"]
        #expect(try generate(["--device", "cuda"], settings).failed(naming: "replayed graph", "--device cpu"))
        #expect(try generate([], settings).errors.contains("warning: computing on the CPU: the GPU's replayed graph"))
    }

    /// A device has as much memory as the least that a sound needs beside what is left to others, and less: what is there
    /// counts as a limit, and no allocation fails on the way.
    @Test func smallDevicesGetASmallerPlan() throws {
        func memory(_ bytes: Int) -> [String: String] {
            ["FAKE_CUDA_MEMORY": "\(bytes)", "FAKE_CUDA_CAPABILITY": "70"]
        }
        // The kernels are checked once, which takes more than this sound.
        #expect(try generate(["--device", "cuda"], memory(1 << 30)).status == 0)
        let free = sound
        let others = 256 << 20
        let refused = try generate(["--device", "cuda"], memory(others + 1 << 20))
        #expect(refused.failed(naming: "needs at least", "are allowed"), "\(refused.errors)")
        let number = try #require(refused.errors.split(separator: " ").first { $0.hasSuffix("M") })
        let least = try #require(MemoryPlan.bytes(String(number)))
        #expect(try generate(["--device", "cuda"], memory(others + least)).status == 0)
        #expect(sound != nil && sound == free)
    }

    /// What NVML tells of the device that computes; without it, and without a sensor for power, there is less to print.
    @Test func otherCommandsSayWhyAGPUIsNotUsed() throws {
        let goldens = Fixtures.folder("Goldens").path
        let lines = try folder.write("{\"prompt\": \"a\"}\n{\"prompt\": \"b\"}\n", to: "lines.jsonl")
        let sound = folder.file("tone.wav")
        try AudioClip(samples: (0..<8000).map { 0.1 * sinf(Float($0) * 0.1) }, sampleRate: 16000).write(to: sound)
        for arguments in [
            ["bench", model, "--seconds", "0.2", "--steps", "2", "--json"],
            ["score", "rain", goldens, "--model", model],
            ["verify", model, "--golden", goldens + "/tiny-2.56s.safetensors"],
            ["trace", model, "--inputs", "/absent", "--output", folder.file("out.safetensors")],
            [
                "batch", lines, "-m", model, "-o", folder.file("out"), "--seconds", "0.2", "--steps", "1", "--together",
                "1",
            ],
            [
                "generate", "a", "-m", model, "-o", folder.file("a.wav"), "--seconds", "0.2", "--steps", "1",
                "--candidates", "2",
            ],
            [
                "inpaint", sound, "a", "-m", model, "-o", folder.file("b.wav"), "--from", "0.1", "--to", "0.2",
                "--steps", "1",
            ],
        ] {
            let run = try CommandRun(
                "audioldm2", arguments,
                environment: EmulatedGPU.environment(cache: folder.file("cache"), ["AUDIOLDM2_NVRTC": "/nowhere/a.so"]))
            let said = run.errors.components(separatedBy: "warning: computing on the CPU").count - 1
            #expect(said == 1, "\(arguments[0]): \(run.errors)")
        }
    }

    @Test func benchmarksReadTheDevicesSensors() throws {
        func bench(_ settings: [String: String], _ options: [String] = []) throws -> CommandRun {
            try CommandRun(
                "audioldm2", ["bench", model, "--device", "cuda:1", "--seconds", "0.2", "--steps", "2"] + options,
                environment: EmulatedGPU.environment(
                    cache: folder.file("cache"),
                    settings.merging(["FAKE_CUDA_CAPABILITY": "70", "FAKE_CUDA_DEVICES": "2"]) { $1 }))
        }
        func report(_ settings: [String: String]) throws -> [String: Any] {
            let run = try bench(settings, ["--json"])
            return try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        }
        let all = try report([:])
        #expect(all["tier"] as? String == "cuda:1 (Emulated GPU 1, sm_70)")
        #expect(all["watts"] as? Double == 100 && all["utilization"] as? Double == 0.5)
        #expect(try #require(all["device_memory_bytes"] as? Int) > 100_000)
        let powerless = try report(["FAKE_CUDA_FAILING": "nvmlDeviceGetPowerUsage"])
        #expect(powerless["watts"] == nil && powerless["utilization"] as? Double == 0.5)
        let without = try report(["AUDIOLDM2_NVML": "/nowhere/libnvidia-ml.so.1"])
        #expect(without["watts"] == nil && without["device_memory_bytes"] == nil)
        let table = try bench([:]).output
        #expect(table.contains("power") && table.contains("100 W") && table.contains("50 %"), "\(table)")
    }

    @Test func aSoundIsMadeOnTheDevice() throws {
        #expect(try generate(["--device", "cuda"], ["FAKE_CUDA_CAPABILITY": "75"]).status == 0)
        let onDevice = try AudioClip(contentsOf: folder.file("sound.wav")).samples
        #expect(try generate(["--device", "cpu"]).status == 0)
        let onHost = try AudioClip(contentsOf: folder.file("sound.wav")).samples
        // The loop and the vocoder amplify what rounding to bytes leaves: such is the error of int8 itself.
        #expect(relativeError(onDevice, onHost) < 0.1)
    }

    /// Whole loops, of plain steps and of steps that are replayed: schedulers with and without a memory, noise that is drawn
    /// on the way, and predictions one after the other.
    @Test(arguments: [
        ["--scheduler", "ddim"], ["--scheduler", "dpm++"], ["--scheduler", "ddim", "--eta", "1"],
        ["--guidance-scale", "1"],
    ])
    func replayedStepsMakeTheSameSound(_ options: [String]) throws {
        let log = folder.file("log")
        let options = ["--device", "cuda"] + options
        let settings = ["FAKE_CUDA_CAPABILITY": "75", "FAKE_CUDA_LOG": log]
        #expect(try generate(options, settings, steps: 4).status == 0)
        let (replayed, launches) = (sound, try String(contentsOfFile: log, encoding: .utf8))
        // Two of the self check, and all steps but the first.
        #expect(launches.components(separatedBy: "launched a graph").count - 1 == 2 + 3)
        let driver = try #require(EmulatedGPU.libraryWithoutGraphs)
        let older = settings.merging(["AUDIOLDM2_CUDA_DRIVER": driver]) { $1 }
        #expect(try generate(options, older, steps: 4).status == 0)
        #expect(try replayed != nil && sound == replayed && String(contentsOfFile: log, encoding: .utf8) == launches)
    }

    /// Every component on both devices, from the same inputs, in every kind of weights: all but those that round their
    /// activations to bytes.
    @Test(arguments: ["tiny", "tiny-large"], [WeightPreset.float32, .float16, .int8])
    func componentsAgreeWithTheCPU(_ model: String, _ weights: WeightPreset) throws {
        let inputs = try writtenInputs(model)
        let onHost = try traced(model, weights, on: "cpu", inputs)
        let onDevice = try traced(model, weights, on: "cuda", inputs)
        for name in Self.floatComponents + (weights == .int8 ? [] : Self.roundedComponents) {
            let (ours, expected) = (try onDevice.values(name), try onHost.values(name))
            #expect(ours.shape == expected.shape, "\(name)")
            #expect(relativeError(ours.values, expected.values) < 1e-5, "\(name)")
        }
    }

    /// Where activations become bytes, a last digit decides on a byte, and bytes on bytes: an input moved by 1e-5 moves
    /// the result by nearly as much as rounding does at all, on either device. So the devices are held against float32.
    @Test(arguments: ["tiny", "tiny-large"])
    func roundingCostsTheDeviceNoMoreThanTheCPU(_ model: String) throws {
        let inputs = try writtenInputs(model)
        let exact = try traced(model, .float32, on: "cpu", inputs)
        let (onHost, onDevice) = (
            try traced(model, .int8, on: "cpu", inputs), try traced(model, .int8, on: "cuda", inputs)
        )
        for name in Self.roundedComponents {
            let expected = try exact.values(name).values
            let host = relativeError(try onHost.values(name).values, expected)
            let device = relativeError(try onDevice.values(name).values, expected)
            #expect(device < 1.25 * host, "\(name): \(device) on the device, \(host) on the host")
            #expect(
                relativeError(try onDevice.values(name).values, try onHost.values(name).values) < 2 * host, "\(name)")
        }
    }

    private static let floatComponents = ["clap.text", "t5.hidden", "loa.output", "vocoder.waveform"]
    private static let roundedComponents = ["unet.eps", "vae.mel"]

    private func traced(
        _ model: String, _ weights: WeightPreset, on device: String, _ inputs: String
    ) throws -> GoldenTensors {
        let output = folder.file("\(weights)-\(device).safetensors")
        let run = try CommandRun(
            "audioldm2",
            [
                "trace", try ModelFixture.path(model, weights), "--inputs", inputs, "--output", output, "--device",
                device,
            ],
            environment: EmulatedGPU.environment(cache: folder.file("cache"), ["FAKE_CUDA_CAPABILITY": "75"]))
        #expect(run.status == 0, "\(run.errors)")
        return try GoldenTensors(output)
    }

    private func writtenInputs(_ model: String) throws -> String {
        let path = folder.file("inputs.safetensors")
        try GoldenTensors.write(try componentInputs(of: model), to: path)
        return path
    }

    /// Short ones: the emulation is slow.
    private func componentInputs(of model: String) throws -> [NamedTensor] {
        let golden = try GoldenTensors(ModelFixture.golden(model + "-2.56s"))
        func tensor(_ name: String, from source: String) throws -> NamedTensor {
            let (shape, values) = try golden.values(source)
            return NamedTensor(name: name, shape: shape.extents, values: values)
        }
        var numbers = TestNumbers(seed: 3)
        func random(_ name: String, _ shape: [Int]) -> NamedTensor {
            NamedTensor(name: name, shape: shape, values: numbers.values(shape.reduce(1, *)))
        }
        return [
            try tensor("clap.text.ids", from: "prompt.ids.clap"), try tensor("t5.ids", from: "prompt.ids.second"),
            try tensor("loa.input", from: "projected"), try tensor("unet.context0", from: "loa"),
            try tensor("unet.context1", from: "second.hidden"), random("unet.input", [1, 8, 9, 16]),
            NamedTensor(name: "unet.t", shape: [1], values: [501]), random("vae.latent", [1, 8, 3, 16]),
            random("vocoder.mel", [1, 64, 6]),
        ]
    }
}
