import AudioLDM2
import Foundation
import Synchronization
import TestSupport
import Testing

/// Samples that are handed over while a sound is made, and sounds in memory.
@Suite struct SoundBlocksTests {
    private let pipeline: AudioLDM2Pipeline
    private let options = SoundOptions(seconds: 6, numInferenceSteps: 1, seed: 1, windowSeconds: 1)

    init() throws { pipeline = try AudioLDM2Pipeline(opening: ModelFixture.path("tiny", .int8), device: .cpu) }

    @Test func blocksAreTheSound() async throws {
        let stages = Mutex<Set<SoundProgress.Stage>>([])
        let blocks = pipeline.blocks("rain", options: options) { event in
            if case .progress(let progress) = event { stages.withLock { _ = $0.insert(progress.stage) } }
        }
        #expect(blocks.sampleRate == pipeline.sampleRate && blocks.channels == 1)
        var samples: [Float] = []
        var count = 0
        for try await block in blocks {
            samples += block
            count += 1
        }
        #expect(count > 1)
        #expect(try await samples == pipeline.generate("rain", options: options).clip.samples)
        #expect(stages.withLock { $0 } == Set(SoundProgress.Stage.allCases))
    }

    @Test func aChangedSoundsBeginningLeavesFirst() async throws {
        let wave = (0..<2 * 8000).map { Float(sin(Double($0) * 0.05)) * 0.5 }
        let clip = AudioClip(samples: wave + wave, sampleRate: 8000, channels: 2)
        let plan = EditPlan.inpaint([1.0...1.5])
        let expected = try await pipeline.edit(clip, "rain", plan: plan, options: options)
        let blocks = pipeline.blocks(editing: clip, "rain", plan: plan, options: options)
        #expect(blocks.sampleRate == 8000 && blocks.channels == 2)
        var made: [[Float]] = []
        for try await block in blocks { made.append(block) }
        #expect(Array(made.joined()) == expected.clip.samples)
        #expect(made[0] == Array(clip.samples.prefix(made[0].count)) && made[0].count >= 2 * 7000)
        // Of a whole that is made anew nothing is known before.
        let whole = pipeline.blocks(editing: clip, "rain", plan: .transform(), options: options)
        var other: [Float] = []
        for try await block in whole { other += block }
        #expect(try await other == pipeline.edit(clip, "rain", plan: .transform(), options: options).clip.samples)
    }

    @Test func givingUpEndsTheWork() async throws {
        var endless = options
        endless.seconds = 600
        endless.windowSeconds = 1
        for try await block in pipeline.blocks("rain", options: endless) {
            #expect(!block.isEmpty)
            break
        }
        let reading = Task { [pipeline, endless] in
            var count = 0
            for try await _ in pipeline.blocks("rain", options: endless) { count += 1 }
            return count
        }
        try await Task.sleep(for: .milliseconds(100))
        reading.cancel()
        await #expect(throws: CancellationError.self) { try await reading.value }
        // The pipeline is free again.
        #expect(try await pipeline.generate("rain", options: options).clip.seconds == 6)
    }

    /// Blocks that nobody has taken when the reader leaves.
    @Test func leavingWhileBlocksWait() async throws {
        for seconds in [0, 0.2, 0.5] {
            for try await _ in pipeline.blocks("rain", options: options) {
                try await Task.sleep(for: .seconds(seconds))
                break
            }
        }
        #expect(try await pipeline.generate("rain", options: options).clip.seconds == 6)
    }

    @Test func failuresArrive() async throws {
        var wrong = options
        wrong.seconds = -1
        await #expect(throws: AudioLDM2Error.self) {
            for try await _ in pipeline.blocks("rain", options: wrong) {}
        }
    }
}

/// `AudioClip` from and to `Data`.
@Suite struct ClipDataTests {
    private let folder: TemporaryFolder
    private let clip: AudioClip

    init() throws {
        folder = try TemporaryFolder()
        let samples = (0..<3001 * 2).map { Float(sin(Double($0) * 0.011)) * 0.9 }
        clip = AudioClip(samples: samples, sampleRate: 22050, channels: 2)
    }

    @Test(arguments: SoundFormat.allCases)
    func dataIsWhatAFileHolds(format: SoundFormat) throws {
        let clip = format == .opus ? AudioClip(samples: clip.samples, sampleRate: 24000, channels: 2) : clip
        let path = folder.file("sound.\(format.rawValue)")
        try clip.write(to: path)
        let data = try clip.data(as: format)
        #expect(try data == Data(contentsOf: URL(fileURLWithPath: path)))
        let (read, file) = (try AudioClip(data: data), try AudioClip(contentsOf: URL(fileURLWithPath: path)))
        #expect(read == file && read.sampleRate == clip.sampleRate && read.channels == 2)
        #expect(read.samples.count == clip.samples.count)
    }

    @Test func encodingsKeepWhatTheyCan() throws {
        func error(_ format: SoundFormat, _ encoding: SoundFormat.Encoding) throws -> Float {
            let read = try AudioClip(data: clip.data(as: format, encoding: encoding))
            return zip(read.samples, clip.samples).map { abs($0 - $1) }.max() ?? .infinity
        }
        #expect(try error(.wav, .float32) == 0)
        #expect(try error(.wav, .pcm24) < 0x1p-23 && error(.flac, .pcm24) < 0x1p-23)
        #expect(try error(.wav, .pcm16) < 0x1p-15)
        for (format, encoding) in [
            (SoundFormat.flac, SoundFormat.Encoding.float32), (.ogg, .pcm16), (.opus, .pcm24), (.mp3, .float32),
        ] {
            let refusal = #expect(throws: AudioLDM2Error.self) { _ = try clip.data(as: format, encoding: encoding) }
            #expect(refusal?.kind == .file && refusal?.errorDescription == refusal?.description)
        }
    }

    @Test func whatIsNoSoundIsRefused() throws {
        let wav = try clip.data(as: .wav)
        let flac = try clip.data(as: .flac)
        for data in [Data(), Data("no sound".utf8), wav.prefix(20), flac.prefix(flac.count / 2)] {
            let refusal = #expect(throws: AudioLDM2Error.self) { _ = try AudioClip(data: data).samples.count }
            #expect(refusal?.kind == .file && refusal?.description.contains("sound") == true)
        }
        #expect(throws: AudioLDM2Error.self) { try AudioClip(data: wav, memoryLimit: 1000) }
        #expect(throws: AudioLDM2Error.self) { try AudioClip(samples: [], sampleRate: 8000).data(as: .wav) }
    }
}
