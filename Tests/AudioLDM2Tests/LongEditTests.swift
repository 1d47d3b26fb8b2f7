import Audio
import Foundation
import TestSupport
import Testing

/// Long sounds of which a little is changed: the rest is neither in memory nor another one afterwards.
@Suite struct LongEditTests {
    private let folder: TemporaryFolder
    private let model: String

    init() throws {
        folder = try TemporaryFolder()
        model = try ModelFixture.path("tiny", .int8)
    }

    /// Twenty minutes of 44.1 kHz stereo, all of one sample but for a few.
    @Test func partsOfTwentyMinutes() throws {
        let (input, output) = (folder.file("long.wav"), folder.file("out.wav"))
        let frames = 20 * 60 * 44100
        _ = try SoundFile.write(frames: frames, channels: 2, sampleRate: 44100, to: input) { take in
            for start in stride(from: 0, to: frames, by: 44100) {
                try take((0..<44100).flatMap { [Float((start + $0) % 251) / 512, -0.25] }[...])
            }
        }
        let outcome = try CommandRun(
            "audioldm2",
            [
                "inpaint", input, "a", "-m", model, "-o", output, "--from", "600", "--to", "601", "--steps", "1",
                "--seed",
                "1", "--json",
            ], script: "ulimit -d 150000; exec \"$command\" \"$@\"")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("\"seconds\" : 1200") && outcome.output.contains("600"))
        let (old, new) = (try SoundReader(input), try SoundReader(output))
        var (first, changed) = (0, [Int]())
        while case let block = try old.next(), !block.isEmpty {
            let other = try new.next()
            guard block.count == other.count else {
                Issue.record("another length")
                return
            }
            for (a, b) in zip(block.indices, other.indices) where block[a] != other[b] {
                changed.append(first + (a - block.startIndex) / 2)
            }
            first += block.count / 2
        }
        let rest = try new.next()
        #expect(first == frames && rest.isEmpty)
        // Outside of the part and its cross-fades every sample is the same.
        let range = Int(599.9 * 44100)...Int(601.1 * 44100)
        #expect(changed.count > 20000 && changed.allSatisfy(range.contains))
    }

    @Test func whatFollowsALongSound() throws {
        let (input, output) = (folder.file("long.flac"), folder.file("out.flac"))
        let samples = (0..<16000 * 60).map { Float($0 % 251) / 512 }
        try SoundFile.write(Sound(samples: samples, sampleRate: 16000), to: input)
        let outcome = try CommandRun(
            "audioldm2",
            [
                "extend", input, "a", "-m", model, "-o", output, "--seconds", "2", "--steps", "1", "--seed", "1",
                "--quiet",
            ],
            script: "exec \"$command\" \"$@\"")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let (old, new) = (try SoundFile.read(input).samples, try SoundFile.read(output).samples)
        #expect(new.count == 62 * 16000)
        #expect(new[..<(16000 * 59)] == old[..<(16000 * 59)])
    }
}
