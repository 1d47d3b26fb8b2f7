import Audio
import Foundation
import Testing

@Suite("Sound files")
final class SoundFileTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("audio-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: folder) }

    // MARK: There and back

    @Test(
        "integers and floats come back as they went",
        arguments: [
            ("a.wav", nil, 1, 1 / 16384.0), ("a.wav", .pcm16, 2, 1 / 16384.0), ("b.WAV", .pcm24, 1, 1 / 4_000_000.0),
            ("c.wav", .float32, 3, 0), ("d.flac", nil, 1, 1 / 16384.0), ("e.flac", .pcm24, 2, 1 / 4_000_000.0),
        ] as [(String, SampleEncoding?, Int, Double)])
    func lossless(name: String, encoding: SampleEncoding?, channels: Int, tolerance: Double) throws {
        let sound = tone(frames: 10_001, channels: channels)
        #expect(try SoundFile.write(sound, to: path(name), encoding: encoding) == 0)
        let copy = try SoundFile.read(path(name))
        #expect(copy.channels == channels)
        #expect(copy.sampleRate == 16000)
        #expect(copy.samples.count == sound.samples.count)
        #expect(zip(copy.samples, sound.samples).allSatisfy { Double(abs($0 - $1)) <= tolerance })
        #expect(try leftovers(besides: [name]).isEmpty)
    }

    @Test("every number of 16 bits comes back as it was", arguments: ["a.wav", "b.flac"])
    func integersStay(name: String) throws {
        let sound = Sound(samples: (-32768...32767).map { Float($0) / 32768 }, sampleRate: 16000)
        try SoundFile.write(sound, to: path(name))
        #expect(try SoundFile.read(path(name)).samples == sound.samples)
    }

    @Test("Vorbis keeps the length and, nearly, the samples", arguments: [1, 2])
    func vorbis(channels: Int) throws {
        // Long enough that one call with all samples would overflow libsndfile's stack.
        let sound = tone(frames: 1_000_000, channels: channels)
        try SoundFile.write(sound, to: path("a.ogg"))
        let copy = try SoundFile.read(path("a.ogg"))
        #expect(copy.channels == channels)
        #expect(copy.sampleRate == 16000)
        #expect(copy.samples.count == sound.samples.count)
        let error = zip(copy.samples, sound.samples).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
        let power = sound.samples.reduce(0.0) { $0 + Double($1 * $1) }
        #expect(error < 0.01 * power)
    }

    @Test("a single sample makes a file", arguments: SoundContainer.allCases)
    func shortest(container: SoundContainer) throws {
        let file = path("one.\(container.rawValue)")
        try SoundFile.write(Sound(samples: [0.5], sampleRate: 16000), to: file)
        #expect(try SoundFile.read(file).samples.count == 1)
    }

    @Test("the same sound makes the same bytes", arguments: SoundContainer.allCases)
    func deterministic(container: SoundContainer) throws {
        let sound = tone(frames: 5000)
        let metadata = SoundMetadata(title: "T", comment: "C", software: "S")
        let encoding: SampleEncoding? = container == .wav || container == .aiff ? .float32 : nil
        let files = try ["x", "y"].map { name in
            let file = path("\(name).\(container.rawValue)")
            try SoundFile.write(sound, to: file, encoding: encoding, metadata: metadata)
            // The clock that peak chunks and serial numbers are taken from counts seconds.
            Thread.sleep(forTimeInterval: 1.1)
            return try Data(contentsOf: URL(fileURLWithPath: file))
        }
        #expect(files[0] == files[1])
    }

    @Test("texts are stored, long ones cut", arguments: SoundContainer.allCases)
    func metadata(container: SoundContainer) throws {
        let file = path("a.\(container.rawValue)")
        let metadata = SoundMetadata(
            title: "Ein Hund bellt – 犬", comment: String(repeating: "very long ", count: 100_000), software: "tests 1.0"
        )
        try SoundFile.write(tone(frames: 500), to: file, metadata: metadata)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        #expect(bytes.range(of: Data("Ein Hund bellt – 犬".utf8)) != nil)
        // MP3's tags have no place for it.
        if container != .mp3 { #expect(bytes.range(of: Data("tests 1.0".utf8)) != nil) }
        #expect(bytes.range(of: Data(String(repeating: "very long ", count: 400).utf8)) != nil)
        #expect(bytes.count < 20_000)
        #expect(try SoundFile.read(file).samples.count == 500)
    }

    @Test("samples beyond ±1 are clipped and counted, or kept where floats are", arguments: SampleEncoding.allCases)
    func clipping(encoding: SampleEncoding) throws {
        let sound = Sound(samples: [0, 1, -1, 1.5, -7, .infinity, 0.25], sampleRate: 8000)
        let isFloat = encoding == .float32
        #expect(try SoundFile.write(sound, to: path("a.wav"), encoding: encoding) == (isFloat ? 0 : 3))
        let copy = try SoundFile.read(path("a.wav"))
        let expected: [Float] = isFloat ? sound.samples : [0, 1, -1, 1, -1, 1, 0.25]
        #expect(zip(copy.samples, expected).allSatisfy { $0 == $1 || abs($0 - $1) < 1e-4 })
    }

    // MARK: What is refused

    @Test("a failed write leaves the earlier file and nothing else")
    func atomicity() throws {
        try SoundFile.write(tone(frames: 100), to: path("a.wav"))
        let before = try Data(contentsOf: URL(fileURLWithPath: path("a.wav")))
        #expect(throws: AudioError.invalidSamples(reason: "sample 1 is not a number")) {
            try SoundFile.write(Sound(samples: [0, .nan], sampleRate: 8000), to: path("a.wav"))
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path("a.wav"))) == before)
        #expect(try leftovers(besides: ["a.wav"]).isEmpty)
    }

    @Test("samples that make no sound are refused")
    func invalidSamples() {
        #expect(throws: AudioError.invalidSamples(reason: "there are none")) {
            try SoundFile.write(Sound(samples: [], sampleRate: 8000), to: path("a.wav"))
        }
        #expect(throws: AudioError.invalidSamples(reason: "3 do not divide into 2 channels")) {
            try SoundFile.write(Sound(samples: [0, 0, 0], channels: 2, sampleRate: 8000), to: path("a.wav"))
        }
    }

    @Test("names without a known extension are refused", arguments: ["a", "a.m4a", "a.wav.txt", "wav", "a.", ""])
    func extensions(name: String) {
        let error = #expect(throws: AudioError.self) { try SoundFile.write(tone(frames: 10), to: path(name)) }
        #expect(error?.description.hasSuffix("name the file .wav, .flac, .ogg, .opus, .mp3 or .aiff") == true)
    }

    @Test(
        "what a format cannot hold is refused",
        arguments: [
            ("a.flac", .float32, 1, 16000), ("a.ogg", .pcm16, 1, 16000), ("a.flac", nil, 9, 16000),
            ("a.wav", nil, 0, 16000), ("a.wav", nil, 1, 0), ("a.wav", nil, -1, -1), ("a.ogg", nil, Int.max, 16000),
        ] as [(String, SampleEncoding?, Int, Int)])
    func unsupported(name: String, encoding: SampleEncoding?, channels: Int, sampleRate: Int) throws {
        let sound = Sound(samples: [0, 0], channels: channels, sampleRate: sampleRate)
        let error = #expect(throws: AudioError.self) {
            try SoundFile.write(sound, to: path(name), encoding: encoding)
        }
        guard case .unsupported(path(name), _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try leftovers().isEmpty)
    }

    @Test("places where no file can be made are refused")
    func unwritable() throws {
        let sound = tone(frames: 10)
        expectCannotWrite(sound, path("missing/a.wav"), "create the folder first")
        try FileManager.default.createDirectory(atPath: path("folder.wav"), withIntermediateDirectories: false)
        expectCannotWrite(sound, path("folder.wav"), "it is a folder; choose another name")
        expectCannotWrite(sound, "/proc/a.wav", "")
        try #require(mkfifo(path("pipe.wav"), 0o600) == 0)
        expectCannotWrite(sound, path("pipe.wav"), "it is not a regular file; choose another name")
        #expect(try leftovers(besides: ["folder.wav", "pipe.wav"]).isEmpty)
    }

    @Test("a folder without permission to write is refused", .enabled(if: geteuid() != 0, "root may write anywhere"))
    func forbiddenFolder() throws {
        try FileManager.default.createDirectory(
            atPath: path("locked"), withIntermediateDirectories: false, attributes: [.posixPermissions: 0o500])
        expectCannotWrite(tone(frames: 10), path("locked/a.wav"), "choose a folder that you may write to")
    }

    @Test("a full disk is named", arguments: SoundContainer.allCases)
    func diskFull(container: SoundContainer) throws {
        let descriptor = open("/dev/full", O_RDWR)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let path = "x.\(container.rawValue)"
        let sound = tone(frames: 100_000)
        let format = try StoredFormat(
            frames: sound.samples.count, channels: 1, sampleRate: sound.sampleRate, path: path, encoding: nil)
        let error = #expect(throws: AudioError.self) {
            try SoundFile.encode(as: format, metadata: SoundMetadata(), to: descriptor, path: path) {
                try $0(sound.samples[...])
            }
        }
        #expect(error?.description.contains("free some space") == true, "\(String(describing: error))")
    }

    @Test("a link to a file stays a link")
    func links() throws {
        try SoundFile.write(tone(frames: 10), to: path("target.wav"))
        try FileManager.default.createSymbolicLink(atPath: path("link.wav"), withDestinationPath: path("target.wav"))
        try SoundFile.write(tone(frames: 20), to: path("link.wav"))
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path("link.wav")) == path("target.wav"))
        #expect(try SoundFile.read(path("target.wav")).samples.count == 20)
    }

    // MARK: Reading

    @Test("what is no sound file is refused")
    func foreignFiles() throws {
        try Data("RIFF is not enough".utf8).write(to: folder.appendingPathComponent("text.wav"))
        try Data().write(to: folder.appendingPathComponent("empty.wav"))
        try #require(mkfifo(path("pipe.wav"), 0o600) == 0)
        for name in ["text.wav", "empty.wav", "pipe.wav", "missing.wav", "."] {
            let error = #expect(throws: AudioError.self) { try SoundFile.read(path(name)) }
            guard case .cannotRead(path(name), _) = error else {
                Issue.record("\(name): \(String(describing: error))")
                continue
            }
        }
    }

    @Test("files cut anywhere give a typed error or a shorter sound", arguments: SoundContainer.allCases)
    func truncated(container: SoundContainer) throws {
        let file = folder.appendingPathComponent("a.\(container.rawValue)")
        try SoundFile.write(tone(frames: 20_000), to: file.path)
        let bytes = try Data(contentsOf: file)
        for length in stride(from: 0, to: bytes.count, by: max(bytes.count / 60, 1)) {
            try bytes.prefix(length).write(to: file)
            do {
                #expect(try SoundFile.read(file.path).samples.count < 20_000)
            } catch is AudioError {}
        }
    }

    @Test("a sound longer than allowed is refused")
    func tooLong() throws {
        try SoundFile.write(tone(frames: 10_000), to: path("a.flac"))
        #expect(throws: AudioError.tooLong(path: path("a.flac"), maximumSamples: 9999)) {
            try SoundFile.read(path("a.flac"), maximumSamples: 9999)
        }
        #expect(try SoundFile.read(path("a.flac"), maximumSamples: 10_000).samples.count == 10_000)
    }

    // MARK: Support

    private func path(_ name: String) -> String { folder.path + "/" + name }

    private func leftovers(besides names: [String] = []) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { !names.contains($0) }
    }

    private func expectCannotWrite(_ sound: Sound, _ path: String, _ reason: String) {
        let error = #expect(throws: AudioError.self) { try SoundFile.write(sound, to: path) }
        let description = error?.description ?? ""
        #expect(description.hasPrefix("\(path): cannot be written: "))
        #expect(reason.isEmpty || description.contains(reason), "\(description)")
    }

    /// A different tone in each channel.
    private func tone(frames: Int, channels: Int = 1) -> Sound {
        let samples = (0..<frames * channels).map { index in
            Float(0.8 * sin(Double(index / channels) * 0.05 * Double(1 + index % channels)))
        }
        return Sound(samples: samples, channels: channels, sampleRate: 16000)
    }

    /// libsndfile would print what is wrong with this one.
    @Test func dumpsOfSamplersAreRefused() throws {
        let dump: [UInt8] = [0xF0, 0x7E, 0, 1, 0, 0, 0x10, 1, 0x76, 0x6F, 0x72, 0x62, 0x69, 0x73, 0x34, 0x68]
        #expect {
            try SoundFile.read(Data(dump))
        } throws: { error in
            "\(error)".contains("MIDI sample dump")
        }
    }
}
