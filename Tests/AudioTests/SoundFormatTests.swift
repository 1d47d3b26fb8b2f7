import Audio
import Foundation
import TestSupport
import Testing

/// Encodings, rates and loops that files have beside the usual.
@Suite struct SoundFormatTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func tone(_ count: Int, sampleRate: Int = 16000) -> Sound {
        Sound(samples: (0..<count).map { 0.8 * sin(Float($0) * 0.05) }, sampleRate: sampleRate)
    }

    @Test(arguments: ["a.wav", "a.flac", "a.aiff"]) func everyNumberOf24BitsComesBack(_ name: String) throws {
        let numbers = Array(stride(from: -8_388_608, through: 8_388_607, by: 997)) + [8_388_607, 8_388_606, -1, 0, 1]
        let sound = Sound(samples: numbers.map { Float($0) / 8_388_608 }, sampleRate: 48000)
        #expect(try SoundFile.write(sound, to: folder.file(name), encoding: .pcm24) == 0)
        #expect(try SoundFile.read(folder.file(name)).samples == sound.samples)
    }

    @Test(arguments: ["a.wav", "a.flac", "a.aiff"]) func otherSamplesBecomeTheNearestNumber(_ name: String) throws {
        let samples = (0..<20_000).map { Float(sin(Double($0) * 0.37) * Double($0 + 1) / 20_000) }
        let sound = Sound(samples: samples, sampleRate: 44100)
        try SoundFile.write(sound, to: folder.file(name), encoding: .pcm24)
        let nearest = samples.map { Float((Double($0) * 8_388_608).rounded(.toNearestOrEven) / 8_388_608) }
        #expect(try SoundFile.read(folder.file(name)).samples == nearest)
    }

    @Test(arguments: ["a.wav", "a.aiff"]) func floatsAreKept(_ name: String) throws {
        let sound = Sound(samples: [0, 1.5, -7, 1e-20, .pi, -0.1], sampleRate: 16000)
        #expect(try SoundFile.write(sound, to: folder.file(name), encoding: .float32) == 0)
        #expect(try SoundFile.read(folder.file(name)).samples == sound.samples)
    }

    @Test(arguments: ["a.opus", "a.mp3"]) func lossyFormatsKeepLengthAndNearlyTheSamples(_ name: String) throws {
        let sound = tone(50_001)
        try SoundFile.write(sound, to: folder.file(name))
        let copy = try SoundFile.read(folder.file(name))
        #expect(copy.sampleRate == 16000 && copy.samples.count == sound.samples.count)
        let error = zip(copy.samples, sound.samples).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
        #expect(error < 0.01 * sound.samples.reduce(0.0) { $0 + Double($1 * $1) }, "\(error)")
    }

    @Test(arguments: [("a.opus", 44100), ("a.opus", 22050), ("a.mp3", 96000), ("a.mp3", 7000)])
    func ratesThatAFormatLacksAreNamed(_ name: String, rate: Int) throws {
        let error = #expect(throws: AudioError.self) {
            try SoundFile.write(tone(100, sampleRate: rate), to: folder.file(name))
        }
        #expect(
            error?.description.contains("and not of \(rate)") == true && error?.description.contains("48000") == true)
        #expect(try folder.contents().isEmpty)
    }

    @Test func aLoopIsOverAllOfAWAVFile() throws {
        var metadata = SoundMetadata(title: "T")
        try SoundFile.write(tone(4800), to: folder.file("plain.wav"), metadata: metadata)
        metadata.loops = true
        try SoundFile.write(tone(4800), to: folder.file("loop.wav"), metadata: metadata)
        try stream(.wav, .pcm24, loops: true, tone(4800).samples, to: "stream.wav")
        let plain = try Data(contentsOf: URL(fileURLWithPath: folder.file("plain.wav")))
        #expect(plain.firstRange(of: Data("smpl".utf8)) == nil)
        for name in ["loop.wav", "stream.wav"] {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file(name)))
            let chunk = try #require(bytes.firstRange(of: Data("smpl".utf8)))
            let words = (0..<16).map { word in
                (0..<4).reduce(0) { $0 | Int(bytes[chunk.upperBound + 4 * word + $1]) << (8 * $1) }
            }
            // Its size, and of the only loop: kind, first and last sample, and how often.
            #expect(words[0] == 60 && words[8] == 1 && Array(words[11...]) == [0, 0, 4799, 0, 0], "\(name) \(words)")
            #expect(words[3] == 62_500 && words[4] == 60)
            #expect(try SoundFile.read(folder.file(name)).samples.count == 4800)
        }
        for name in ["a.flac", "a.aiff", "a.mp3", "a.ogg", "a.opus"] {
            try SoundFile.write(tone(4800), to: folder.file(name), metadata: metadata)
        }
    }

    @Test(arguments: [
        (SoundStream.Format.wav, SampleEncoding.pcm24), (.wav, .float32), (.flac, .pcm24), (.wav, .pcm16),
        (.flac, .pcm16),
    ])
    func streamsHoldWhatFilesHold(_ format: SoundStream.Format, _ encoding: SampleEncoding) throws {
        let samples = tone(10_001).samples
        let name = "s." + format.rawValue
        try stream(format, encoding, samples, to: name)
        try SoundFile.write(
            Sound(samples: samples, sampleRate: 16000), to: folder.file("f." + format.rawValue), encoding: encoding)
        let read = try SoundFile.read(folder.file(name))
        #expect(try read.samples == SoundFile.read(folder.file("f." + format.rawValue)).samples)
        if format == .wav {
            let size = try Data(contentsOf: URL(fileURLWithPath: folder.file(name))).count
            let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file(name)))
            let said = (0..<4).reduce(0) { $0 | Int(bytes[4 + $1]) << (8 * $1) }
            #expect(said == size - 8, "RIFF says \(said), the file has \(size)")
        }
    }

    @Test func rawStreamsAreSamplesAlone() throws {
        try stream(.raw, .pcm24, [0.5, -1, 2], to: "a.raw")
        #expect(
            try Array(Data(contentsOf: URL(fileURLWithPath: folder.file("a.raw"))))
                == [0, 0, 0x40, 0, 0, 0x80, 0xFF, 0xFF, 0x7F])
        try stream(.raw, .float32, [2], to: "b.raw")
        #expect(try Array(Data(contentsOf: URL(fileURLWithPath: folder.file("b.raw")))) == [0, 0, 0, 0x40])
    }

    private func stream(
        _ format: SoundStream.Format, _ encoding: SampleEncoding, loops: Bool = false, _ samples: [Float],
        to name: String
    ) throws {
        let descriptor = open(folder.file(name), O_WRONLY | O_CREAT | O_APPEND, 0o600)
        defer { close(descriptor) }
        let stream = try SoundStream(
            format, to: descriptor, sampleRate: 16000, frameCount: samples.count, encoding: encoding,
            metadata: SoundMetadata(title: "T", loops: loops))
        for start in stride(from: 0, to: samples.count, by: 3000) {
            #expect(try stream.append(Array(samples[start..<min(start + 3000, samples.count)])) == .written)
        }
        try stream.finish()
    }
}
