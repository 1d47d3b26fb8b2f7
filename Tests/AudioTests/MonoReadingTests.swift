import Audio
import Foundation
import TestSupport
import Testing

/// Sounds as the models that listen take them in.
@Suite struct MonoReadingTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func read(
        _ name: String, rate: Int = 16000, seconds: Double = 60, _ excess: SoundFile.Excess = .refuse
    ) throws -> [Float] {
        try SoundFile.readMono(folder.file(name), sampleRate: rate, maximumSeconds: seconds, excess: excess)
    }

    private func tone(_ seconds: Double, rate: Int, channels: Int = 1) -> Sound {
        let samples = (0..<Int(seconds * Double(rate))).flatMap { frame -> [Float] in
            let value = 0.4 * sin(2 * Double.pi * 300 * Double(frame) / Double(rate))
            return (0..<channels).map { Float(value / Double($0 + 1)) }
        }
        return Sound(samples: samples, channels: channels, sampleRate: rate)
    }

    @Test(arguments: [8000, 11025, 16000, 22050, 44100, 48000, 96000, 192_000], [16000, 48000])
    func everyRateBecomesTheWantedOne(source: Int, target: Int) throws {
        try SoundFile.write(tone(0.5, rate: source), to: folder.file("a.wav"), encoding: .float32)
        let result = try read("a.wav", rate: target)
        #expect(result.count == (source / 2 * target + source - 1) / source)
        let expected = tone(0.5, rate: target).samples
        let inner = target / 8..<target * 3 / 8
        #expect(signalToNoise(Array(result[inner]), Array(expected[inner])) > 80)
    }

    @Test(arguments: [("a.wav", 1), ("b.wav", 2), ("c.flac", 2), ("d.wav", 6), ("e.ogg", 2)])
    func channelsAreAveraged(name: String, channels: Int) throws {
        try SoundFile.write(tone(0.3, rate: 16000, channels: channels), to: folder.file(name))
        let result = try read(name)
        let share = Float((1...channels).reduce(0.0) { $0 + 1 / Double($1) } / Double(channels))
        let expected = tone(0.3, rate: 16000).samples.map { $0 * share }
        #expect(result.count == expected.count)
        #expect(signalToNoise(result, expected) > (name.hasSuffix("ogg") ? 15 : 70))
    }

    /// What libsndfile writes beside its own formats, in the fixtures: 300 Hz, half as loud on the right.
    @Test func compressedByOthers() throws {
        let path = Fixtures.folder("Audio").appendingPathComponent("tone.mp3").path
        let result = try SoundFile.readMono(path, sampleRate: 16000, maximumSeconds: 60, excess: .refuse)
        // Encoders add silence on both sides.
        #expect((8000...9600).contains(result.count))
        #expect(abs((result.map(abs).max() ?? 0) - 0.3) < 0.03)
    }

    /// Headers and samples of every width that RIFF has, written by hand.
    @Test(arguments: [8, 16, 24, 32]) func integersOfEveryWidth(bits: Int) throws {
        let values = (0..<1600).map { sin(Double($0) * 0.1) * 0.5 }
        let bytes = values.flatMap { value -> [UInt8] in
            let scaled = Int((value * Double(1 << (bits - 1))).rounded(.down))
            if bits == 8 { return [UInt8(scaled + 128)] }
            return (0..<bits / 8).map { UInt8(truncatingIfNeeded: scaled >> (8 * $0)) }
        }
        try folder.write(riff(format: 1, bits: bits, rate: 16000, data: bytes), to: "a.wav")
        let result = try read("a.wav")
        #expect(result.count == 1600)
        #expect(zip(result, values).allSatisfy { abs(Double($0) - $1) <= 2 / Double(1 << (bits - 1)) + 1e-7 })
    }

    @Test(arguments: [Float.nan, .infinity]) func samplesThatAreNoNumbersAreNamed(_ bad: Float) throws {
        var samples = [Float](repeating: 0.1, count: 16000)
        samples[8000] = bad
        let bytes = samples.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) }
        try folder.write(riff(format: 3, bits: 32, rate: 16000, data: bytes), to: "nan.wav")
        let error = #expect(throws: AudioError.self) { try read("nan.wav") }
        #expect(error?.description.contains("nan.wav") == true && error?.description.contains("0.5 s") == true)
    }

    @Test func tenMillisecondsAndSilence() throws {
        try SoundFile.write(tone(0.01, rate: 44100), to: folder.file("short.wav"))
        #expect(try read("short.wav").count == 160)
        try SoundFile.write(
            Sound(samples: Array(repeating: 0, count: 44100), sampleRate: 44100), to: folder.file("s.wav"))
        #expect(try read("s.wav").allSatisfy { $0 == 0 })
    }

    @Test func longSoundsAreCutOrRefused() throws {
        try SoundFile.write(tone(3, rate: 22050), to: folder.file("long.flac"))
        let beginning = Array(try read("long.flac").prefix(16000))
        #expect(try read("long.flac", seconds: 1, .cut) == beginning)
        #expect(throws: AudioError.longerThan(path: folder.file("long.flac"), seconds: 2)) {
            try read("long.flac", seconds: 2)
        }
        #expect(try read("long.flac", seconds: 3).count == 48000)
    }

    /// Hours in files that claim them and have no blocks on the disk: only what is wanted may take memory.
    @Test func anHourIsReadInPieces() throws {
        func hour(_ name: String, rate: Int, channels: Int) throws {
            let bytes = 3600 * rate * channels * 2
            let header = riff(
                format: 1, bits: 16, rate: UInt32(rate), channels: UInt16(channels), claimed: bytes)
            #expect(truncate(try folder.write(header, to: name), off_t(header.count + bytes)) == 0)
        }
        try hour("fine.wav", rate: 48000, channels: 2)
        try hour("coarse.wav", rate: 8000, channels: 1)
        let before = ResidentMemory.bytes()
        #expect(try read("fine.wav", seconds: 10, .cut).count == 160_000)
        #expect(throws: AudioError.self) { try read("fine.wav", seconds: 30) }
        #expect(try read("coarse.wav", rate: 8000, seconds: 3600).count == 3600 * 8000)
        #expect(ResidentMemory.bytes() - before < 400 << 20)
    }

    @Test(arguments: ["wav", "flac", "ogg"]) func truncatedFilesFailOrEndEarly(_ format: String) throws {
        try SoundFile.write(tone(1, rate: 16000), to: folder.file("whole.\(format)"))
        let bytes = try Array(Data(contentsOf: URL(fileURLWithPath: folder.file("whole.\(format)"))))
        for share in [0.01, 0.1, 0.5, 0.9] {
            try folder.write(Array(bytes.prefix(Int(share * Double(bytes.count)))), to: "cut.\(format)")
            do {
                #expect(try read("cut.\(format)").count < 16000)
            } catch let error as AudioError {
                #expect(error.description.contains("cut.\(format)"))
            }
        }
    }

    /// Rates in a header of 44 bytes, by which filters and results would grow.
    @Test(arguments: [1, 99, 768_001, 10_000_000, 500_000_000, 2_000_000_000] as [UInt32])
    func bombsOfTheSampleRateAreRefused(_ rate: UInt32) throws {
        try folder.write(
            riff(format: 1, bits: 16, rate: rate, data: Array(repeating: 1, count: 4096)), to: "bomb.wav")
        for read in [{ _ = try self.read("bomb.wav", .cut) }, { _ = try SoundFile.read(folder.file("bomb.wav")) }] {
            let error = #expect(throws: AudioError.self) { try read() }
            #expect(error?.description.contains("\(rate) Hz; sounds have one or more, at 100 to 768000 Hz") == true)
        }
    }

    @Test(arguments: [100, 767_999, 768_000] as [UInt32]) func ratesAtTheEndsAreRead(_ rate: UInt32) throws {
        try folder.write(
            riff(format: 1, bits: 16, rate: rate, data: Array(repeating: 1, count: 4096)), to: "end.wav")
        #expect(try read("end.wav", .cut).count == (2048 * 16000 + Int(rate) - 1) / Int(rate))
    }

    @Test func whatIsNoSoundIsRefused() throws {
        try folder.write("this is a poem, not a sound\n", to: "poem.wav")
        try folder.write([UInt8](), to: "empty.wav")
        try folder.write(riff(format: 1, bits: 16, rate: 16000, data: []), to: "none.wav")
        try folder.write((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 97) }, to: "noise.mp3")
        for name in ["poem.wav", "empty.wav", "none.wav", "noise.mp3", "missing.wav", "."] {
            let error = #expect(throws: AudioError.self, "\(name)") { try read(name) }
            #expect(error?.description.contains(folder.file(name)) == true)
        }
    }

    private func riff(
        format: UInt16, bits: Int, rate: UInt32, channels: UInt16 = 1, data: [UInt8] = [], claimed: Int? = nil
    ) -> [UInt8] {
        func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
            withUnsafeBytes(of: value.littleEndian, Array.init)
        }
        let size = UInt32(claimed ?? data.count)
        let frame = Int(channels) * bits / 8
        return Array("RIFF".utf8) + bytes(36 + size) + Array("WAVEfmt ".utf8) + bytes(UInt32(16)) + bytes(format)
            + bytes(channels) + bytes(rate) + bytes(rate * UInt32(frame)) + bytes(UInt16(frame)) + bytes(UInt16(bits))
            + Array("data".utf8) + bytes(size) + data
    }
}
