import Audio
import Foundation
import TestSupport
import Testing

@Suite("Sounds on their way into a pipe")
struct SoundStreamTests {
    private let folder: TemporaryFolder
    private let samples = (0..<10_001).map { Float($0 * 37 % 20_000 - 10_000) / 32768 }

    init() throws { folder = try TemporaryFolder() }

    @Test(arguments: [SoundStream.Format.wav, .flac]) func whatArrivesIsTheSound(_ format: SoundStream.Format) throws {
        let file = try streamed(format, frameCount: samples.count)
        let copy = try SoundFile.read(file)
        #expect(copy.samples == samples)
        #expect(copy.sampleRate == 16000)
    }

    @Test func theHeaderOfAFLACStreamSaysItsLength() throws {
        // 36 bits that end 26 bytes from the start (RFC 9639, 8.2).
        let file = try streamed(.flac, frameCount: samples.count)
        let bytes = try Array(Data(contentsOf: URL(fileURLWithPath: file)).prefix(26))
        #expect(bytes[22...].reduce(0) { $0 << 8 | Int($1) } == samples.count)
        #expect(bytes[18...21] == [0x03, 0xe8, 0x00, 0xf0])
    }

    @Test func aFLACStreamOfUnknownLengthIsRead() throws {
        let file = try streamed(.flac, frameCount: 1 << 36)
        #expect(try SoundFile.read(file).samples == samples)
    }

    @Test func rawSamplesAreNothingElse() throws {
        let file = try streamed(.raw, frameCount: samples.count)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        #expect(bytes.count == 2 * samples.count)
        #expect(Int16(littleEndian: bytes.prefix(2).withUnsafeBytes { $0.loadUnaligned(as: Int16.self) }) == -10_000)
    }

    /// A text of a WAV header ends with a character, never within one.
    @Test(arguments: ["é", "犬", "🐕", "👩‍👩‍👧‍👦"]) func longTextsEndWithACharacter(_ character: String) throws {
        let file = folder.file("title.wav")
        let title = String(repeating: "a", count: 4095) + character
        let descriptor = open(file, O_WRONLY | O_CREAT, 0o600)
        defer { close(descriptor) }
        let stream = try SoundStream(
            .wav, to: descriptor, sampleRate: 16000, frameCount: 1, metadata: SoundMetadata(title: title))
        _ = try stream.append([0])
        try stream.finish()
        let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        let name = try #require(bytes.firstRange(of: Data("INAM".utf8)))
        let text = bytes[(name.upperBound + 4)...].prefix { $0 != 0 }
        #expect(Array(text) == Array(repeating: UInt8(ascii: "a"), count: 4095))
        #expect(try SoundFile.read(file).samples.count == 1)
    }

    /// A file that was only ever appended to.
    private func streamed(_ format: SoundStream.Format, frameCount: Int) throws -> String {
        let file = folder.file("sound.\(format.rawValue)")
        let descriptor = open(file, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        defer { close(descriptor) }
        let stream = try SoundStream(
            format, to: descriptor, sampleRate: 16000, frameCount: frameCount,
            metadata: SoundMetadata(title: "T", comment: "C", software: "S"))
        for start in stride(from: 0, to: samples.count, by: 3000) {
            #expect(try stream.append(Array(samples[start..<min(start + 3000, samples.count)])) == .written)
        }
        try stream.finish()
        return file
    }
}
