import Audio
import Evaluation
import Glibc

/// Clips that say something of raters, not of systems.
enum CheckClips {
    static let sampleRate = 44100

    // MARK: Headphones

    /// Trials, and how many right answers make headphones, of Woods et al. 2017 ("Headphone screening to facilitate web-based
    /// auditory experiments").
    static let headphoneTrials = 6
    static let headphonesNeeded = 5

    /// Three tones in stereo. One is 6 dB quieter; another has opposite phases left and right, which loudspeakers in a room
    /// cancel, so that it seems the quietest there.
    static func headphones(quietest: Int, opposed: Int) -> Sound {
        var samples: [Float] = []
        for place in 0..<3 {
            let level = place == quietest ? 0.25 * pow(10, -6 / 20.0) : 0.25
            for sample in tone(200, seconds: 1, ramp: 0.1) {
                samples += [Float(level * sample), Float((place == opposed ? -level : level) * sample)]
            }
            if place < 2 { samples += [Float](repeating: 0, count: sampleRate) }
        }
        return Sound(samples: samples, channels: 2, sampleRate: sampleRate)
    }

    // MARK: Traps

    /// So many beeps, which are to be counted.
    static func beeps(_ count: Int) -> Sound {
        var samples = [Float](repeating: 0, count: sampleRate / 4)
        for _ in 0..<count {
            samples += tone(880, seconds: 0.25, ramp: 0.02).map { Float(0.25 * $0) }
            samples += [Float](repeating: 0, count: sampleRate * 2 / 5)
        }
        return Sound(samples: samples, sampleRate: sampleRate)
    }

    // MARK: Gold

    /// A sound that nobody can call good: nothing above 1 kHz, four bits, and noise.
    static func spoiled(_ sound: Sound, seed: UInt32) -> Sound {
        var result = lowPassed(sound, cutoff: 1000)
        let peak = result.samples.reduce(0) { max($0, abs($1)) }
        var random = NumPyRandom(seed: seed)
        let step = max(peak, 1e-3) / 8
        for index in result.samples.indices {
            let noise = Float(random.uniform() - 0.5) * peak * 0.5
            result.samples[index] = ((result.samples[index] + noise) / step).rounded() * step
        }
        return result
    }

    // MARK: Anchors

    static func lowPassed(_ sound: Sound, cutoff: Double) -> Sound {
        let filter = BandFilter(0...cutoff, sampleRate: sound.sampleRate)
        var result = sound
        for channel in 0..<sound.channels {
            let places = stride(from: channel, to: sound.samples.count, by: sound.channels)
            let filtered = filter(places.map { sound.samples[$0] })
            for (place, sample) in zip(places, filtered) { result.samples[place] = sample }
        }
        return result
    }

    private static func tone(_ hertz: Double, seconds: Double, ramp: Double) -> [Double] {
        let count = Int(seconds * Double(sampleRate))
        return (0..<count).map { index in
            let time = Double(index) / Double(sampleRate)
            let edge = min(time, seconds - time) / ramp
            let envelope = edge < 1 ? 0.5 - 0.5 * cos(Double.pi * edge) : 1
            return envelope * sin(2 * Double.pi * hertz * time)
        }
    }
}
