import AudioLDM2
import Converter
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

    private func generate(_ options: [String] = [], _ settings: [String: String] = [:]) throws -> CommandRun {
        let output = folder.file("sound.wav")
        try? FileManager.default.removeItem(atPath: output)
        return try CommandRun(
            "audioldm2",
            [
                "generate", "rain", "--model", model, "--output", output, "--seconds", "0.2", "--steps", "1", "--seed",
                "1",
            ]
                + options,
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
        #expect(run.status == 0 && run.errors.contains("computing on the CPU: /nowhere/libcuda.so.1"))
        let byDefault = sound
        let quiet = try generate([], settings)
        #expect(quiet.status == 0 && !quiet.errors.contains("CPU"))
        #expect(try generate(["--device", "cpu"]).status == 0)
        #expect(sound != nil && sound == byDefault)
        #expect(try generate(["--device", "cuda"], settings).failed(naming: "/nowhere/libcuda.so.1", "--device cpu"))
    }

    @Test func withoutACompilerTheCPUComputes() throws {
        let settings = ["AUDIOLDM2_NVRTC": "/nowhere/libnvrtc.so"]
        let run = try generate(["--verbose"], settings)
        #expect(run.status == 0 && run.errors.contains("computing on the CPU: /nowhere/libnvrtc.so"))
        #expect(try generate(["--device", "cuda"], settings).failed(naming: "libnvrtc", "AUDIOLDM2_NVRTC"))
    }

    @Test func devicesBehindTheLastAreRefused() throws {
        let settings = ["FAKE_CUDA_DEVICES": "2"]
        #expect(try generate(["--device", "cuda:2"], settings).failed(naming: "cuda:2", "sees 2"))
        #expect(try generate(["--device", "cuda"], ["FAKE_CUDA_DEVICES": "0"]).failed(naming: "nvidia-smi"))
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

    @Test func memoryThatDoesNotSufficeIsAClearError() throws {
        let settings = ["FAKE_CUDA_MEMORY": "500000"]
        #expect(try generate(["--device", "cuda"], settings).failed(naming: "not enough memory"))
        let run = try generate([], settings)
        #expect(run.status == 0 && run.errors.contains("warning: computing on the CPU: not enough memory"))
        #expect(try generate(["--device", "cuda", "--memory-limit", "1M"]).failed(naming: "1M are allowed"))
    }

    @Test func aSoundIsMadeOnTheDevice() throws {
        #expect(try generate(["--device", "cuda"], ["FAKE_CUDA_CAPABILITY": "75"]).status == 0)
        let onDevice = try AudioClip(contentsOf: folder.file("sound.wav")).samples
        #expect(try generate(["--device", "cpu"]).status == 0)
        let onHost = try AudioClip(contentsOf: folder.file("sound.wav")).samples
        // The loop and the vocoder amplify what rounding to bytes leaves: such is the error of int8 itself.
        #expect(relativeError(onDevice, onHost) < 0.1)
    }

    /// Every component on both devices, from the same inputs, in every kind of weights. With int8 both are that far from
    /// the reference, each in its own way: the CPU rounds attention to bytes too, and takes wider ranges after norms.
    @Test(arguments: [(WeightPreset.float32, 1e-5), (.float16, 1e-5), (.int8, 5e-2)])
    func componentsAgreeWithTheCPU(_ weights: WeightPreset, _ tolerance: Double) throws {
        let model = try ModelFixture.path("tiny", weights)
        let inputs = folder.file("inputs.safetensors")
        try GoldenTensors.write(try componentInputs(), to: inputs)
        var made: [GoldenTensors] = []
        for device in ["cpu", "cuda"] {
            let output = folder.file(device + ".safetensors")
            let run = try CommandRun(
                "audioldm2", ["trace", model, "--inputs", inputs, "--output", output, "--device", device],
                environment: EmulatedGPU.environment(cache: folder.file("cache"), ["FAKE_CUDA_CAPABILITY": "75"]))
            #expect(run.status == 0, "\(run.errors)")
            made.append(try GoldenTensors(output))
        }
        for name in ["clap.text", "t5.hidden", "loa.output", "unet.eps", "vae.mel", "vocoder.waveform"] {
            let (onHost, onDevice) = (try made[0].values(name), try made[1].values(name))
            #expect(onHost.shape == onDevice.shape, "\(name)")
            #expect(relativeError(onDevice.values, onHost.values) < tolerance, "\(name)")
        }
    }

    /// Short ones: the emulation is slow.
    private func componentInputs() throws -> [NamedTensor] {
        let golden = try GoldenTensors(ModelFixture.golden("tiny-2.56s"))
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
