import Audio
import AudioLDM2
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite struct LongSoundTests {
    private let model: String

    init() throws { model = try ModelFixture.path("tiny", .int8) }

    private func generate(_ options: SoundOptions, threads: Int = 2) async throws -> [Float] {
        try await AudioLDM2Pipeline(opening: model, threads: threads).generate("rain", options: options).clip.samples
    }

    @Test(arguments: [2.1, 3.7, 6])
    func windowsMakeAnyLength(_ seconds: Double) async throws {
        let options = SoundOptions(seconds: seconds, numInferenceSteps: 2, seed: 1, windowSeconds: 2)
        let samples = try await generate(options)
        #expect(samples.count == Int(seconds * 16000) && samples.allSatisfy(\.isFinite))
        #expect(try await generate(options, threads: 1) == samples)
        var whole = options
        whole.windowSeconds = 10
        #expect(try await generate(whole) != samples)
    }

    @Test func aWindowThatHoldsTheSoundChangesNothing() async throws {
        var options = SoundOptions(seconds: 2, numInferenceSteps: 2, seed: 1)
        let samples = try await generate(options)
        options.windowSeconds = 2
        #expect(try await generate(options) == samples)
    }

    /// The step from the last sample to the first is no larger than steps are elsewhere.
    @Test(arguments: [0.5, 1.3, 2.9, 6])
    func loopsCloseWithoutAClick(_ seconds: Double) async throws {
        var jumps: [Float] = []
        for seed in 1...3 {
            let samples = try await generate(
                SoundOptions(
                    seconds: seconds, numInferenceSteps: 4, seed: UInt64(seed), windowSeconds: 2, loops: true))
            #expect(samples.count % 640 == 0 && abs(Double(samples.count) / 16000 - seconds) <= 0.04)
            let steps = zip(samples, samples.dropFirst()).map { abs($0 - $1) }.sorted()
            jumps.append(abs(samples[samples.count - 1] - samples[0]) / steps[steps.count * 95 / 100])
        }
        #expect(jumps.allSatisfy { $0 < 1 }, "\(jumps)")
    }

    /// A loop that is turned is as good a loop: what precedes the start is what a listener hears before it.
    @Test func loopsHaveNoPlaceOfTheirOwn() async throws {
        let samples = try await generate(SoundOptions(seconds: 2, numInferenceSteps: 4, seed: 5, loops: true))
        // Second differences at the seam, against those everywhere.
        let around = Array(samples.suffix(2) + samples.prefix(2))
        func bends(_ x: [Float]) -> [Float] { (1..<x.count - 1).map { abs(x[$0 - 1] - 2 * x[$0] + x[$0 + 1]) } }
        let usual = bends(samples).sorted()
        #expect(bends(around).allSatisfy { $0 < usual[usual.count * 99 / 100] })
    }

    /// Samples leave as soon as the first window is decoded, and are those of a sound that is made whole.
    @Test func samplesLeaveBeforeTheLastWindowIsDecoded() async throws {
        struct Enough: Error {}
        let pipeline = try AudioLDM2Pipeline(opening: model)
        let options = SoundOptions(seconds: 20, numInferenceSteps: 1, seed: 1, windowSeconds: 5)
        var last: SoundProgress?
        await #expect(throws: AudioLDM2Error.self) {
            for try await event in pipeline.events("rain", options: options, streamingTo: { _ in throw Enough() }) {
                if case .progress(let progress) = event { last = progress }
            }
        }
        #expect(last?.stage == .vocoding && last?.completed == 0 && last?.total ?? 0 >= 5)
        let taken = Mutex<[[Float]]>([])
        for try await event in pipeline.events(
            "rain", options: options, streamingTo: { block in taken.withLock { $0.append(block) } })
        {
            if case .plan(let plan) = event { #expect(plan.baseBytes < 64 << 20) }
        }
        let blocks = taken.withLock(\.self)
        #expect(try await Array(blocks.joined()) == generate(options))
    }

    @Test func optionsOutOfRangeAreRefused() async throws {
        for window in [0.5, 601, .nan] {
            let error = await #expect(throws: AudioLDM2Error.self) {
                try await generate(SoundOptions(seconds: 1, numInferenceSteps: 1, windowSeconds: window))
            }
            #expect(error?.kind == .invalidOption)
        }
    }
}

/// `audioldm2 generate --output -`.
@Suite struct PipeTests {
    private let folder: TemporaryFolder
    private let model: String

    init() throws {
        folder = try TemporaryFolder()
        model = try ModelFixture.path("tiny", .int8)
    }

    private func arguments(_ output: String, seconds: Double = 0.5) -> [String] {
        ["generate", "a dog", "-m", model, "-o", output, "--seconds", "\(seconds)", "--steps", "1", "--seed", "3"]
    }

    @Test(arguments: ["wav", "flac"])
    func thePipeHoldsWhatTheFileWouldHold(_ format: String) throws {
        let file = folder.file("file.\(format)")
        #expect(try CommandRun("audioldm2", arguments(file)).status == 0)
        let piped = folder.file("piped.\(format)")
        let run = try CommandRun(
            "audioldm2", arguments("-") + ["--format", format], script: #""$command" "$@" | cat > \#(piped)"#)
        #expect(run.status == 0 && run.errors.contains("seed 3"))
        let bytes = try Data(contentsOf: URL(fileURLWithPath: piped))
        #expect(bytes.range(of: Data(#""prompt":"a dog""#.utf8)) != nil)
        let reader = try CommandRun("audioldm2", [], script: "ffprobe -v error \(piped) || test $? = 127")
        #expect(reader.status == 0 && reader.output.isEmpty, "\(reader.output)")
        if format == "wav" { #expect(try SoundFile.read(piped).samples == SoundFile.read(file).samples) }
        let raw = folder.file("piped.raw")
        _ = try CommandRun("audioldm2", arguments("-") + ["--format", "raw"], script: #""$command" "$@" > \#(raw)"#)
        let values = try Data(contentsOf: URL(fileURLWithPath: raw))
        #expect(values.count == 16000)
        if format == "wav" { #expect(bytes.suffix(16000) == values) }
    }

    @Test(arguments: ["wav", "raw", "flac"])
    func aReaderThatGoesIsNoError(_ format: String) throws {
        let run = try CommandRun(
            "audioldm2", arguments("-", seconds: 5) + ["--format", format],
            script: #""$command" "$@" | head -c 100 > /dev/null; exit ${PIPESTATUS[0]}"#)
        #expect(run.status == 0 && !run.errors.contains("Error"), "\(run.errors)")
    }

    @Test func aFullDiskIsAnError() throws {
        let run = try CommandRun("audioldm2", arguments("-"), script: #""$command" "$@" > /dev/full"#)
        #expect(run.failed(naming: "standard output"), "\(run.errors)")
    }

    @Test func aFormatIsForThePipeAlone() throws {
        let run = try CommandRun("audioldm2", arguments(folder.file("a.wav")) + ["--format", "raw"])
        #expect(run.status == 64)
    }
}
