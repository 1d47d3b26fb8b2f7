import AudioLDM2
import Foundation
import Testing

@Suite struct SoundFinishTests {
    /// Blocks with what leaves after each, and at the end.
    private func finish(_ blocks: [[Float]], holdsAll: Bool, ceiling: Float? = SoundFinish.ceiling, fade: Int = 0)
        -> (samples: [Float], leaving: [Int], isSilent: Bool)
    {
        var finish = SoundFinish(
            total: blocks.reduce(0) { $0 + $1.count }, holdsAll: holdsAll, ceiling: ceiling, fadeIn: fade / 5,
            fadeOut: fade)
        var samples: [Float] = []
        var leaving: [Int] = []
        for block in blocks {
            finish.take(block) { samples += $0 }
            leaving.append(samples.count)
        }
        finish.end { samples += $0 }
        return (samples, leaving, finish.isSilent)
    }

    private func tone(_ level: Float, _ count: Int = 400) -> [Float] {
        (0..<count).map { level * sin(Float($0) * 0.3) }
    }

    @Test func whatIsNotTooLoudStaysAsItIs() {
        let blocks = [tone(0.5), tone(0.1), tone(0.8)]
        for holdsAll in [false, true] {
            #expect(finish(blocks, holdsAll: holdsAll).samples == Array(blocks.joined()))
        }
        // Whatever the peaks, if there is no ceiling.
        #expect(finish([tone(3)], holdsAll: false, ceiling: nil).samples == tone(3))
        #expect(finish([tone(3), tone(1)], holdsAll: false, ceiling: nil).leaving == [400, 800])
    }

    /// One gain for all: nothing pumps.
    @Test func aSoundThatIsHeldWholeHasOneGain() {
        let blocks = [tone(0.5), tone(3), tone(0.5)]
        let result = finish(blocks, holdsAll: true)
        let factor = SoundFinish.ceiling / (tone(3).map { abs($0) }.max() ?? 0)
        #expect(zip(result.samples, blocks.joined()).allSatisfy { abs($0 - factor * $1) < 1e-6 })
        #expect(result.leaving == [0, 0, 0])
    }

    /// The gain falls before what is too loud, and does not come back.
    @Test func aStreamGrowsQuieterBeforeItsPeak() {
        let blocks = [tone(0.5), tone(0.5), tone(3), tone(0.5)]
        let result = finish(blocks, holdsAll: false)
        #expect(result.leaving == [0, 400, 800, 1200])
        #expect(result.samples.allSatisfy { abs($0) <= SoundFinish.ceiling + 1e-6 })
        let gains = zip(result.samples, blocks.joined()).filter { abs($1) > 0.1 }.map { $0 / $1 }
        #expect(zip(gains, gains.dropFirst()).allSatisfy { $1 <= $0 + 1e-4 })
        #expect(abs(gains[0] - 1) < 1e-6 && abs((gains.last ?? 0) - SoundFinish.ceiling / 3) < 1e-3)
        // No step where blocks meet.
        #expect(zip(gains, gains.dropFirst()).allSatisfy { abs($1 - $0) < 0.02 })
    }

    @Test func endsAreFaded() {
        let ones = [Float](repeating: 0.5, count: 1000)
        for holdsAll in [false, true] {
            let samples = finish([ones, ones], holdsAll: holdsAll, fade: 160).samples
            #expect(samples[32..<1840].allSatisfy { $0 == 0.5 })
            #expect(samples[0] < 0.01 && samples[1999] < 0.001)
            #expect(zip(samples[1840...], samples[1841...]).allSatisfy { $1 <= $0 })
        }
        // A sound that is shorter than its fade.
        #expect(finish([[1, 1, 1]], holdsAll: true, fade: 1000).samples.allSatisfy { $0 < 1 })
    }

    @Test func silenceIsBelowMinusSixtyDecibels() {
        #expect(finish([tone(0.001)], holdsAll: true).isSilent)
        #expect(!finish([tone(0.002)], holdsAll: true).isSilent)
        #expect(!finish([], holdsAll: true).isSilent)
    }
}
