import Audio
import Foundation
import TestSupport
import Testing

/// Against ffmpeg's ebur128.
@Suite struct LoudnessTests {
    struct Case: Decodable {
        let rate, channels: Int
        let seconds: Double
        let kind: String
        let lufs: Double
    }

    private struct Expected: Decodable { let loudness: [Case] }

    /// As in `make_evaluation_fixtures.py`.
    private func signal(_ signal: Case) -> Sound {
        let count = Int(Double(signal.rate) * signal.seconds)
        var state: UInt32 = 12345
        var samples: [Float] = []
        for index in 0..<count {
            state = state &* 1_664_525 &+ 1_013_904_223
            let noise = Double(state) / 2_147_483_648 - 1
            let time = Double(index) / Double(signal.rate)
            let upper = min(3000, 0.4 * Double(signal.rate))
            let tone = 0.25 * sin(2 * Double.pi * 440 * time) + 0.1 * sin(2 * Double.pi * upper * time)
            let third = signal.seconds / 3
            let gated = tone * (time < third ? 1 : time < 2 * third ? 0.05 : 0.0001) + (time < 2 ? 0.01 * noise : 0)
            let wave = signal.kind == "tone" ? tone : signal.kind == "noise" ? 0.2 * noise : gated
            for channel in 0..<signal.channels { samples.append(Float(wave * (1 - 0.15 * Double(channel)))) }
        }
        return Sound(samples: samples, channels: signal.channels, sampleRate: signal.rate)
    }

    @Test func loudnessIsThatOfEbur128() throws {
        let cases = try Fixtures.json("Evaluation", "expected.json", as: Expected.self).loudness
        #expect(cases.count == 9)
        for expected in cases {
            let sound = signal(expected)
            let found = try #require(Loudness.integrated(sound))
            #expect(abs(found - expected.lufs) < 0.1, "\(expected): \(found)")
            let gain = Loudness.gain(of: sound, to: -23)
            let louder = Sound(
                samples: sound.samples.map { gain * $0 }, channels: sound.channels, sampleRate: sound.sampleRate)
            #expect(abs((Loudness.integrated(louder) ?? 0) + 23) < 0.01)
        }
    }

    @Test func silenceHasNoLoudnessAndShortSoundsHaveOne() {
        #expect(Loudness.integrated(Sound(samples: [0, 0, 0], sampleRate: 48000)) == nil)
        #expect(Loudness.integrated(Sound(samples: [], sampleRate: 48000)) == nil)
        #expect(Loudness.gain(of: Sound(samples: [0], sampleRate: 16000), to: -23) == 1)
        let short = (0..<1600).map { Float(sin(Double($0) * 0.4)) }
        #expect(Loudness.integrated(Sound(samples: short, sampleRate: 16000)).map { abs($0) < 6 } == true)
        let slow = (0..<4000).map { Float(0.5 * sin(Double($0) * 0.4)) }
        #expect(Loudness.integrated(Sound(samples: slow, sampleRate: 1000)) != nil)
    }
}
