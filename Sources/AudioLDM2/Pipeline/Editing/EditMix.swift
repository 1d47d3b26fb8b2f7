import Audio

/// Joins the old sound and the new one.
struct EditMix {
    let clip: AudioClip
    let mask: EditMask
    let plan: EditPlan
    /// Samples of the new sound in a second.
    let modelRate: Int

    /// Of the result, in Hz.
    private var sampleRate: Int { plan.sampleRate(of: clip, modelRate: modelRate) }

    /// What the sounds take, with so many results.
    func bytes(results: Int) -> Int {
        let frames = Int((clip.seconds + plan.appendedSeconds) * Double(sampleRate)) + 1
        // The old sound, the results, two more forms of the newest one, and what one of its channels goes through.
        return (clip.samples.count + (results + 2) * clip.channels * frames + 6 * frames) * MemoryLayout<Float>.size
    }

    /// The old samples before the first that changes, as they are in the result.
    var untouched: ArraySlice<Float> {
        guard !plan.isWhole, sampleRate == clip.sampleRate, let first = mask.start else { return [] }
        let frames = min(max(Int(first * Double(sampleRate)), 0), clip.samples.count / clip.channels)
        return clip.samples.prefix(frames * clip.channels)
    }

    /// `old + weight · band(new − old)`: where the weight is 0 the old samples themselves, and with a band only that band
    /// of them changed.
    /// - Parameters:
    ///   - samples: the new ones, mono.
    ///   - start: time of the first of them, in seconds.
    /// - Returns: at the old sound's sample rate, with its channels: unless nothing of it is left, then it is mono at the
    ///   model's rate; or its rate is too low for what is added.
    func mixed(_ samples: [Float], from start: Double) -> AudioClip {
        let rate = sampleRate
        if plan.isWhole {
            let count = Int((clip.seconds * Double(rate)).rounded())
            return AudioClip(samples: Array(samples.prefix(count)), sampleRate: rate)
        }
        let made = Resampler.resample(samples, from: modelRate, to: rate)
        let first = Int((start * Double(rate)).rounded())
        let filter = plan.frequencies.map { BandFilter($0, sampleRate: rate) }
        let appended = Int((plan.appendedSeconds * Double(rate)).rounded())
        let channels = (0..<clip.channels).map { channel in
            let own = Resampler.resample(clip.channel(channel), from: clip.sampleRate, to: rate)
            var old = own + [Float](repeating: 0, count: appended)
            let count = max(min(made.count, old.count - first), 0)
            let change = (0..<count).map { made[$0] - old[first + $0] }
            for (index, value) in (filter?(change) ?? change).enumerated() {
                let weight = mask.weight(at: Double(first + index) / Double(rate))
                if weight > 0 { old[first + index] += weight * value }
            }
            return old
        }
        return AudioClip(channels: channels, sampleRate: rate)
    }
}
