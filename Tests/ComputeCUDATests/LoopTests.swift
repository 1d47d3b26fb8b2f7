import AudioLDM2
import AudioLDM2Converter
import ComputeCUDA
import Foundation
import TestSupport
import Testing

extension RepetitionTests {
    /// Whole sounds, whose steps are replayed. On a device of its own, whose memory nobody else takes.
    @Suite struct LoopTests {
        private static let ordinal = 5
        private let folder: TemporaryFolder
        private let model: String
        private let backend: CUDABackend
        private let options = SoundOptions(seconds: 0.2, numInferenceSteps: 4, seed: 1)

        init() throws {
            folder = try TemporaryFolder()
            model = folder.file("tiny.aldm")
            let checkpoint = Fixtures.folder("Checkpoints").appendingPathComponent("tiny").path
            _ = try CheckpointConverter(DiffusersFolder(path: checkpoint), ConversionOptions(weights: .int8))
                .convert(to: model)
            backend = try Self.backend(EmulatedGPU.library, folder)
        }

        /// Without tensor cores, which take longest to emulate.
        private static func backend(_ driver: String?, _ folder: TemporaryFolder) throws -> CUDABackend {
            let libraries = CUDALibraryPaths(driver: driver, compiler: EmulatedGPU.library)
            let cache = URL(fileURLWithPath: folder.file("cache"))
            // A driver without graphs has devices of its own.
            let ordinal = driver == EmulatedGPU.library ? ordinal : 0
            return CUDABackend(
                try EmulatedGPU.finding(devices: ordinal + 1) {
                    try CUDADevice(ordinal, libraries: libraries, cacheFolder: cache)
                }, usesMMA: false)
        }

        private func pipeline(_ backend: CUDABackend? = nil) throws -> AudioLDM2Pipeline {
            try AudioLDM2Pipeline(opening: model, on: backend ?? self.backend)
        }

        /// Samples of a loop whose steps are replayed, and of the same where no driver has graphs.
        private func expectSame(
            launches: Int, _ make: (AudioLDM2Pipeline) async throws -> AudioClip,
            _ location: SourceLocation = #_sourceLocation
        ) async throws {
            let before = EmulatedGPU.graphs(on: Self.ordinal)
            let replayed = try await make(pipeline())
            #expect(
                EmulatedGPU.graphs(on: Self.ordinal).launches == before.launches + launches, sourceLocation: location)
            let plain = try Self.backend(EmulatedGPU.libraryWithoutGraphs, folder)
            let expected = try await make(pipeline(plain))
            #expect(replayed == expected && replayed.samples.contains { $0 != 0 }, sourceLocation: location)
            #expect(EmulatedGPU.graphs(on: Self.ordinal).alive == before.alive, sourceLocation: location)
        }

        /// Two windows to a step, and the first of all is the one that is recorded.
        @Test func windowsAreReplayed() async throws {
            var options = options
            (options.seconds, options.windowSeconds, options.numInferenceSteps) = (1.1, 1, 2)
            try await expectSame(launches: 3) { try await $0.generate("rain", options: options).clip }
        }

        /// What is known of the latents is put in between replays.
        @Test func inpaintingIsReplayed() async throws {
            let samples = (0..<6400).map { sinf(Float($0) * 0.2) * 0.3 }
            let clip = AudioClip(samples: samples, sampleRate: 16000, channels: 1)
            try await expectSame(launches: 3) {
                try await $0.edit(clip, "rain", plan: .inpaint([0.1...0.3]), options: options).clip
            }
        }

        /// Cancelled between two replays: no error but that, nothing stays behind, and the device can be used.
        @Test func cancellationBetweenReplaysLeavesNothingBehind() async throws {
            let pipeline = try pipeline()
            let expected = try await pipeline.generate("rain", options: options).clip
            let before = EmulatedGPU.graphs(on: Self.ordinal)
            var many = options
            many.numInferenceSteps = 200
            let loop = Task { [many] in
                for try await event in pipeline.events("rain", options: many) {
                    guard case .progress(let progress) = event, progress.stage == .denoising else { continue }
                    if progress.completed == 3 { withUnsafeCurrentTask { $0?.cancel() } }
                }
                try Task.checkCancellation()
            }
            await #expect(throws: CancellationError.self) { try await loop.value }
            for _ in 0..<1000 where try !isIdle(before.alive) { try await Task.sleep(for: .milliseconds(10)) }
            #expect(try isIdle(before.alive))
            let launches = EmulatedGPU.graphs(on: Self.ordinal).launches - before.launches
            #expect(launches >= 2 && launches < 100)
            #expect(try await pipeline.generate("rain", options: options).clip == expected)
        }

        private func isIdle(_ graphs: Int) throws -> Bool {
            let memory = try backend.device.memory()
            return EmulatedGPU.graphs(on: Self.ordinal).alive == graphs && memory.available == memory.total
        }

        /// With as little memory as will do, and with more: the same samples, in no more than was planned, and the device
        /// has no more than the limit in use.
        @Test func limitsHoldWhileStepsAreReplayed() async throws {
            let pipeline = try pipeline()
            let free = try await pipeline.generate("rain", options: options)
            var least = options
            least.memoryLimit = 1 << 20
            let refusal = await #expect(throws: AudioLDM2Error.self) {
                try await pipeline.generate("rain", options: least)
            }
            #expect(refusal?.kind == .outOfMemory)
            let number = refusal?.description.split(separator: " ").first { $0.hasSuffix("M") }
            let bytes = try #require(number.flatMap { MemoryPlan.bytes(String($0)) })
            for limit in [bytes, max(bytes, free.memoryPlan.peakBytes)] {
                var limited = options
                limited.memoryLimit = limit
                let before = EmulatedGPU.graphs(on: Self.ordinal)
                _ = EmulatedGPU.peakBytes(ofDevice: Self.ordinal)
                let result = try await pipeline.generate("rain", options: limited)
                #expect(EmulatedGPU.peakBytes(ofDevice: Self.ordinal) <= limit)
                #expect(result.clip == free.clip && result.memoryPlan.peakBytes <= limit)
                let planned = result.memoryPlan.stages.map { ($0.name, $0.activationBytes) }
                #expect(result.activationBytes == Dictionary(uniqueKeysWithValues: planned))
                #expect(EmulatedGPU.graphs(on: Self.ordinal).alive == before.alive)
                if limit > bytes { #expect(EmulatedGPU.graphs(on: Self.ordinal).launches == before.launches + 3) }
            }
        }
    }
}
