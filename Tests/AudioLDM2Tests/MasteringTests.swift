import Audio
import AudioLDM2
import Foundation
import Testing

/// What is done to sounds when all of them is there, and while they leave.
@Suite struct MasteringTests {
    private func tone(_ level: Float, _ count: Int, _ frequency: Float = 0.3) -> [Float] {
        (0..<count).map { level * sin(Float($0) * frequency) }
    }

    private func master(
        _ samples: [Float], _ normalization: SoundOptions.Normalization? = nil, trims: Bool = false,
        loops: Bool = false, to rate: Int = 16000, fadeIn: Int = 0, fadeOut: Int = 0
    ) -> (samples: [Float], shortfall: Double) {
        Mastering(trims: trims, normalization: normalization, loops: loops, rates: (16000, rate))(
            samples, fadeIn: fadeIn, fadeOut: fadeOut)
    }

    @Test(arguments: [0.0, -1, -6.5, -60]) func peaksAreSet(_ level: Double) {
        for rate in [16000, 44100] {
            let (samples, shortfall) = master(tone(0.1, 16000), .peak(level), to: rate)
            let peak = Double(samples.map { abs($0) }.max() ?? 0)
            #expect(abs(20 * log10(peak) - level) < 0.001 && shortfall == 0 && samples.count == rate)
        }
    }

    @Test(arguments: [-16.0, -23, -40]) func loudnessIsSet(_ level: Double) {
        for rate in [16000, 48000] {
            let (samples, shortfall) = master(tone(0.05, 32000), .loudness(level), to: rate, fadeIn: 800, fadeOut: 3200)
            let found = Loudness.integrated(Sound(samples: samples, sampleRate: rate)) ?? 0
            #expect(abs(found - level) < 0.01 && shortfall == 0)
        }
    }

    /// Clicks are loud only where they are.
    @Test func loudnessIsNotHadByClipping() {
        var samples = tone(0.01, 32000)
        samples[16000] = 0.5
        let (louder, shortfall) = master(samples, .loudness(-16))
        #expect(abs((louder.map { abs($0) }.max() ?? 0) - SoundFinish.ceiling) < 1e-5)
        let found = Loudness.integrated(Sound(samples: louder, sampleRate: 16000)) ?? 0
        #expect(shortfall > 3 && abs(found + shortfall + 16) < 0.01)
    }

    @Test func silenceStaysSilence() {
        for level in [SoundOptions.Normalization.peak(-1), .loudness(-16)] {
            #expect(master([Float](repeating: 0, count: 8000), level, trims: true).samples.allSatisfy { $0 == 0 })
        }
        #expect(master([Float](repeating: 0, count: 8000), trims: true).samples.count == 8000)
    }

    @Test func silentEndsAreCut() {
        let silence = [Float](repeating: 0.00005, count: 5000)
        let sound = tone(0.1, 8000)
        let (samples, _) = master(silence + sound + silence, trims: true)
        // A hundredth of a second stays on either side; the tone itself begins below the threshold.
        #expect(samples.count <= 8320 && samples.count > 8300)
        #expect(samples.contains(sound[4]) && samples[0] == silence[0])
        #expect(master(silence + sound, trims: true, loops: true).samples.count == 13000)
        // Pauses within stay.
        #expect(master(sound + silence + sound, trims: true).samples.count > 20_900)
    }

    @Test func fadesFollowTheCut() {
        let silence = [Float](repeating: 0, count: 4000)
        let (samples, _) = master(
            silence + [Float](repeating: 0.5, count: 8000) + silence, trims: true, fadeIn: 1000, fadeOut: 2000)
        #expect(samples.count == 8320 && abs(samples[500] - 0.25) < 0.01 && samples[1200] == 0.5)
        #expect(abs(samples[8320 - 1000] - 0.25) < 0.01 && samples[8320 - 2001] == 0.5)
    }

    /// A loop of whole periods stays one at another rate: as if it had been repeated for ever.
    @Test(arguments: [48000, 44100, 8000]) func loopsStayLoops(_ rate: Int) {
        let period = 2 * Float.pi / 100
        let (samples, _) = master(tone(0.5, 16000, period), loops: true, to: rate)
        #expect(samples.count == rate)
        let expected = (0..<rate).map { 0.5 * sin(Float($0) * period * 16000 / Float(rate)) }
        #expect(zip(samples, expected).allSatisfy { abs($0 - $1) < 2e-3 })
        #expect(Mastering.loopCount(16001, rates: (16000, 44100)) == nil)
    }

    /// Blocks that leave while a sound is made are what a whole one would be.
    @Test func streamsChangeTheirRateOnTheWay() {
        let sound = tone(0.5, 20_000)
        for rate in [48000, 22050, 11025] {
            var finish = SoundFinish(
                total: 20_000, holdsAll: false, ceiling: 0.9, fadeIn: 300, fadeOut: 4000, rates: (16000, rate))
            var samples: [Float] = []
            var leaving = 0
            for start in stride(from: 0, to: 20_000, by: 3000) {
                finish.take(Array(sound[start..<min(start + 3000, 20_000)])) { samples += $0 }
                if start == 9000 { leaving = samples.count }
            }
            finish.end { samples += $0 }
            let whole = master(sound, to: rate, fadeIn: 300, fadeOut: 4000).samples
            #expect(samples == whole && finish.delivered == whole.count)
            #expect(leaving > rate * 8000 / 16000)
        }
    }

    @Test(
        arguments: [
            ("peak:-1", SoundOptions.Normalization.peak(-1)), ("lufs:-16", .loudness(-16)), ("peak:-0.5", .peak(-0.5)),
            ("peak:1", nil), ("lufs:-70", nil), ("lufs", nil), ("rms:-3", nil), ("peak:", nil), ("peak:nan", nil),
            ("", nil),
        ] as [(String, SoundOptions.Normalization?)])
    func levelsAreWrittenSo(_ text: String, level: SoundOptions.Normalization?) {
        #expect(SoundOptions.Normalization(rawValue: text) == level)
        if let level { #expect(level.rawValue == text) }
    }
}
