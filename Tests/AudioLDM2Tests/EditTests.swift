import Audio
import AudioLDM2
import Foundation
import TestSupport
import Testing

@Suite struct EditTests {
    private let pipeline: AudioLDM2Pipeline
    private let options = SoundOptions(numInferenceSteps: 3, seed: 1)

    init() throws { pipeline = try AudioLDM2Pipeline(opening: ModelFixture.path("tiny", .int8)) }

    /// Tones and noise of several channels.
    private func clip(_ seconds: Double, rate: Int = 16000, channels: Int = 1, highest: Double = 7000) -> AudioClip {
        var state: UInt32 = 1
        let frames = Int(seconds * Double(rate))
        var samples: [Float] = []
        for frame in 0..<frames {
            let time = Double(frame) / Double(rate)
            for channel in 0..<channels {
                state = state &* 1_664_525 &+ 1_013_904_223
                let noise = highest > 5000 ? Double(Int32(bitPattern: state)) / 0x1p31 * 0.05 : 0
                let tones = (1...7).map { sin(2 * Double.pi * highest * Double($0) / 7 * time + Double(channel)) }
                samples.append(Float(noise + 0.08 * tones.reduce(0, +)))
            }
        }
        return AudioClip(samples: samples, sampleRate: rate, channels: channels)
    }

    private func changedFrames(_ before: AudioClip, _ after: AudioClip) -> Range<Int>? {
        let frames = before.samples.count / before.channels
        let changed = (0..<frames).filter { frame in
            (0..<before.channels).contains {
                before.samples[frame * before.channels + $0] != after.samples[frame * before.channels + $0]
            }
        }
        return changed.first.flatMap { first in changed.last.map { first..<$0 + 1 } }
    }

    @Test(arguments: [(16000, 1), (44100, 2), (8000, 1), (48000, 3)])
    func untouchedSamplesAreTheFilesOwn(_ rate: Int, _ channels: Int) async throws {
        let before = clip(2, rate: rate, channels: channels)
        let result = try await pipeline.edit(before, "rain", plan: .inpaint([0.7...1.2]), options: options)
        let after = result.clip
        #expect(after.sampleRate == rate && after.channels == channels && after.samples.count == before.samples.count)
        let changed = try #require(changedFrames(before, after))
        let (first, last) = (Double(changed.lowerBound) / Double(rate), Double(changed.upperBound) / Double(rate))
        #expect(first >= 0.65 && first < 0.66 && last <= 1.25 && last > 1.24)
        #expect(after.samples.allSatisfy { $0.isFinite })
        #expect(result.record.operation == "edit" && result.record.times == [[0.7, 1.2]])
    }

    @Test func severalPartsOfALongSoundChangeAlone() async throws {
        let before = clip(9)
        var options = options
        options.windowSeconds = 2
        let after = try await pipeline.edit(before, "rain", plan: .inpaint([1...1.5, 7...8]), options: options).clip
        #expect(Array(after.samples[25000..<100_000]) == Array(before.samples[25000..<100_000]))
        #expect(after.samples[16000..<24000] != before.samples[16000..<24000])
        #expect(after.samples[112_000..<128_000] != before.samples[112_000..<128_000])
    }

    /// Of both, the difference must lie in the band.
    @Test func aBandChangesAlone() async throws {
        let before = clip(2)
        let plan = EditPlan.inpaint(nil, frequencies: 3000...5000)
        let after = try await pipeline.edit(before, "rain", plan: plan, options: options).clip
        let change = zip(after.samples, before.samples).map { $0 - $1 }
        // Away from the sound's ends, where any band is cut off.
        let power = { (samples: [Float]) in samples[4000..<28000].reduce(0.0) { $0 + Double($1 * $1) } }
        let inside = power(BandFilter(2800...5200, sampleRate: 16000)(change))
        #expect(power(change) > 0 && inside > 0.9999 * power(change))
        let below = BandFilter(0...2700, sampleRate: 16000)
        #expect(power(below(change)) < 1e-7 * power(below(before.samples)))
    }

    @Test func extensionsFollowTheWholeSound() async throws {
        let before = clip(1.3, rate: 22050, channels: 2)
        let after = try await pipeline.edit(before, "rain", plan: .extend(by: 2.5), options: options).clip
        #expect(abs(after.seconds - 3.8) < 0.001)
        let kept = Int(1.25 * 22050) * 2
        #expect(after.samples.prefix(kept) == before.samples.prefix(kept))
        #expect(after.samples.suffix(20000).contains { $0 != 0 })
    }

    @Test func upsamplingAddsAboveTheBandwidth() async throws {
        let before = clip(2, rate: 8000, highest: 3400)
        let result = try await pipeline.edit(before, "", plan: .upsample(), options: options)
        #expect(result.clip.sampleRate == 16000 && abs(result.clip.seconds - 2) < 0.001)
        let bandwidth = try #require(result.record.frequencies?.first)
        #expect(abs(bandwidth - 3400) < 150)
        let own = Resampler.resample(before.samples, from: 8000, to: 16000)
        let change = zip(result.clip.samples, own).map { $0 - $1 }
        // Away from the sound's ends, where any band is cut off.
        let power = { (samples: [Float]) in samples[4000..<28000].reduce(0.0) { $0 + Double($1 * $1) } }
        #expect(power(change) > 0)
        #expect(power(BandFilter(0...(bandwidth - 250), sampleRate: 16000)(change)) < 1e-6 * power(own))
    }

    @Test func aSoundOfFullBandwidthOrNoneIsRefused() async throws {
        for clip in [clip(1, highest: 7990), AudioClip(samples: [Float](repeating: 0, count: 9000), sampleRate: 16000)]
        {
            let error = await #expect(throws: AudioLDM2Error.self) {
                try await pipeline.edit(clip, "", plan: .upsample(), options: options)
            }
            #expect(error?.kind == .invalidOption)
        }
    }

    /// The less strength, the nearer to the sound as the VAE and the vocoder give it back.
    @Test func strengthIsHowFarASoundGoes() async throws {
        let before = clip(2.6)
        var options = options
        options.numInferenceSteps = 20
        func transformed(_ strength: Double) async throws -> AudioClip {
            try await pipeline.edit(before, "rain", plan: .transform(strength: strength), options: options).clip
        }
        let nearest = try await transformed(0.05)
        #expect(nearest.samples.count == before.samples.count)
        var distances: [Float] = []
        for strength in [0.1, 0.4, 1.0] {
            let clip = try await transformed(strength)
            distances.append(zip(clip.samples, nearest.samples).reduce(0) { $0 + abs($1.0 - $1.1) })
        }
        #expect(distances[0] < distances[1] && distances[1] < distances[2], "\(distances)")
    }

    @Test(arguments: SoundOptions.Scheduler.allCases)
    func everySchedulerEdits(_ scheduler: SoundOptions.Scheduler) async throws {
        var options = options
        (options.scheduler, options.numInferenceSteps) = (scheduler, 5)
        let before = clip(1)
        let clip = try await pipeline.edit(before, "a", plan: .inpaint([0.3...0.6], strength: 0.7), options: options)
            .clip
        #expect(clip.samples.allSatisfy(\.isFinite) && changedFrames(before, clip) != nil)
    }

    @Test(arguments: [
        EditPlan.inpaint([]), .inpaint([2...3]), .inpaint([-1...0.5]), .inpaint([0.5...0.5]),
        .inpaint(nil, frequencies: 5...5), .inpaint(nil, frequencies: 8000...9000), .upsample(above: 9000),
        .upsample(above: 1e300),
        .transform(strength: 0), .transform(strength: 1.5), .extend(by: 5000),
        .transform(strength: .nan), EditPlan(times: [0...1], crossFadeSeconds: -1),
    ])
    func impossiblePlansAreRefused(_ plan: EditPlan) async throws {
        let error = await #expect(throws: AudioLDM2Error.self) {
            try await pipeline.edit(clip(1), "a", plan: plan, options: options)
        }
        #expect(error?.kind == .invalidOption)
    }

    @Test func soundsThatAreNoneAreRefused() async throws {
        for samples: [Float] in [[], [0, .nan], [.infinity]] {
            let clip = AudioClip(samples: samples, sampleRate: 16000)
            let error = await #expect(throws: AudioLDM2Error.self) {
                try await pipeline.edit(clip, "a", plan: .transform(), options: options)
            }
            #expect(error?.kind == .file)
        }
        let short = AudioClip(samples: [0.5], sampleRate: 16000)
        #expect(try await pipeline.edit(short, "a", plan: .transform(), options: options).clip.samples.count == 1)
    }
}

/// The commands that change sounds, as they are run.
@Suite struct EditCommandTests {
    private let folder: TemporaryFolder
    private let model: String
    private let source: String

    init() throws {
        folder = try TemporaryFolder()
        model = try ModelFixture.path("tiny", .int8)
        source = folder.file("source.wav")
        let samples = (0..<32000).map { Float(0.4 * sin(Double($0) * 0.2 + 1e-5 * Double($0 * $0))) }
        try SoundFile.write(Sound(samples: samples, sampleRate: 16000), to: source)
    }

    private func run(_ arguments: String...) throws -> CommandRun {
        try CommandRun(
            "audioldm2", arguments + ["-m", model, "-o", folder.file("out.wav"), "--steps", "2", "--seed", "1"])
    }

    @Test func inpaintKeepsTheFilesSamples() throws {
        #expect(try run("inpaint", source, "rain", "--from", "0.5", "--to", "1").status == 0)
        let (before, after) = (try SoundFile.read(source), try SoundFile.read(folder.file("out.wav")))
        #expect(after.samples.prefix(7200) == before.samples.prefix(7200))
        #expect(after.samples.suffix(15200) == before.samples.suffix(15200))
        #expect(after.samples != before.samples && after.samples.count == before.samples.count)
    }

    @Test func theOthersWriteWhatTheySay() throws {
        let transformed = try run("transform", source, "rain", "--strength", "0.4", "--json")
        #expect(transformed.status == 0)
        let object = try JSONSerialization.jsonObject(with: Data(transformed.output.utf8)) as? [String: Any]
        #expect(object?["operation"] as? String == "edit" && object?["strength"] as? Double == 0.4)
        #expect(try run("extend", source, "rain", "--seconds", "1.5").status == 0)
        #expect(try SoundFile.read(folder.file("out.wav")).samples.count == 56000)
        #expect(try run("upsample", source, "--above", "3000").status == 0)
        #expect(try SoundFile.read(folder.file("out.wav")).samples.count == 32000)
    }

    @Test func editsTakeConditionsCandidatesAndLimits() throws {
        let condition = folder.file("rain.cond")
        #expect(try CommandRun("audioldm2", ["encode", "rain", "-m", model, "-o", condition]).status == 0)
        let part = ["--from", "0.5", "--to", "1"]
        func inpainted(_ arguments: String...) throws -> [Float] {
            let run = try CommandRun(
                "audioldm2",
                ["inpaint", source] + arguments + part
                    + ["-m", model, "-o", folder.file("out.wav"), "--steps", "2", "--seed", "1"])
            #expect(run.status == 0, "\(run.errors)")
            return try SoundFile.read(folder.file("out.wav")).samples
        }
        #expect(try inpainted("rain") == inpainted("--condition", condition))
        _ = try inpainted("rain", "--candidates", "3", "--keep", "2")
        #expect(try folder.contents().filter { $0.hasPrefix("out-") } == ["out-1.wav", "out-2.wav"])
        for (limit, name) in [("100K", "source.wav"), ("30M", "at least")] {
            let refused = try run("transform", source, "rain", "--memory-limit", limit)
            #expect(refused.status == 1 && refused.errors.contains(name), "\(refused.errors)")
        }
        #expect(try run("transform", source).status == 64)
        #expect(try run("upsample", source, "--candidates", "2").status == 64)
    }

    @Test func spectrogramsAreDrawn() throws {
        let picture = folder.file("picture.png")
        #expect(try CommandRun("audioldm2", ["spectrogram", source, "-o", picture]).status == 0)
        #expect(try Data(contentsOf: URL(fileURLWithPath: picture)).starts(with: [0x89, 0x50, 0x4E, 0x47]))
        let generated = try CommandRun(
            "audioldm2",
            [
                "generate", "rain", "-m", model, "-o", folder.file("a.wav"), "--spectrogram", folder.file("a.png"),
                "--seconds", "0.3", "--steps", "1",
            ])
        #expect(generated.status == 0 && FileManager.default.fileExists(atPath: folder.file("a.png")))
        let none = try CommandRun("audioldm2", ["spectrogram", "/absent.wav", "-o", picture])
        #expect(none.failed(naming: "/absent.wav"))
    }

    @Test(arguments: [
        ["transform", "a", "b", "--strength", "0"], ["inpaint", "a", "b"], ["inpaint", "a", "b", "--from", "1"],
        ["inpaint", "a", "b", "--from", "2", "--to", "1"], ["inpaint", "a", "b", "--low", "5", "--high", "2"],
        ["extend", "a", "b"], ["extend", "a", "b", "--seconds", "0"], ["upsample", "a", "--above", "-3"],
    ])
    func wrongUse(_ arguments: [String]) throws {
        let outcome = try CommandRun("audioldm2", arguments + ["-m", "b", "-o", "c.wav"])
        #expect(outcome.status == 64 && outcome.errors.hasPrefix("Error: "), "\(outcome.errors)")
    }

    @Test(arguments: [
        (["generate", "a", "--seconds", "-1"], "-1.0: choose"), (["generate", "a", "--steps", "-2"], "-2: choose"),
        (["transform", "a", "b", "--strength", "-0.5"], "-0.5: choose"),
        (["extend", "a", "b", "--seconds", "-3"], "-3.0: choose"),
        (["inpaint", "a", "b", "--from", "-1", "--to", "2"], "begins before it ends"),
    ])
    func negativeNumbersAreNamed(_ arguments: [String], _ message: String) throws {
        let outcome = try CommandRun("audioldm2", arguments + ["-m", "b", "-o", "c.wav"])
        #expect(outcome.status == 64 && outcome.errors.contains(message), "\(outcome.errors)")
    }

    @Test func unusableFilesAreNamed() throws {
        let run = try CommandRun(
            "audioldm2", ["transform", "/absent.wav", "a", "-m", model, "-o", folder.file("o.wav")])
        #expect(run.failed(naming: "/absent.wav"))
    }
}
