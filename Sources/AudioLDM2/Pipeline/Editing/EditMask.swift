import Audio
import Glibc

extension EditPlan {
    /// The parts that are made anew, of a sound of `seconds`; none ends far beyond any sound, where no number of a frame is.
    func ranges(of seconds: Double) -> [ClosedRange<Double>] {
        guard let times else { return [0...(seconds + appendedSeconds)] }
        let end = 2 * SoundOptions.secondsRange.upperBound
        return times.map { min($0.lowerBound, end)...min($0.upperBound, end) }
            + (appendedSeconds > 0 ? [seconds...(seconds + appendedSeconds)] : [])
    }

    /// Of what becomes of a sound, in Hz.
    func sampleRate(of clip: AudioClip, modelRate: Int) -> Int {
        if isWhole { return modelRate }
        return fillsBandwidth ? max(modelRate, clip.sampleRate) : clip.sampleRate
    }

    /// Of what becomes of a sound.
    func channels(of clip: AudioClip) -> Int { isWhole ? 1 : clip.channels }
}

/// Where a plan changes a sound: in seconds, and in bands of the mel spectrogram.
struct EditMask {
    let times: [ClosedRange<Double>]
    let fade: Double
    /// Where the changed band begins and ends among the bands of the spectrogram; nil for all.
    private let bands: ClosedRange<Double>?

    init(_ plan: EditPlan, seconds: Double, bands: MelBands) {
        times = plan.ranges(of: seconds)
        fade = plan.crossFadeSeconds
        self.bands = plan.frequencies.map { bands.place($0.lowerBound)...bands.place($0.upperBound) }
    }

    /// How much of the new sound there is at a time: 1 in the plan's parts, falling to 0 outside of them.
    func weight(at time: Double) -> Float {
        let distance = times.map { max($0.lowerBound - time, time - $0.upperBound, 0) }.min() ?? .infinity
        guard distance > 0 else { return 1 }
        return distance < fade ? Float(0.5 + 0.5 * cos(Double.pi * distance / fade)) : 0
    }

    /// When the new sound begins to be heard, in seconds; nil if it never does.
    var start: Double? { times.map(\.lowerBound).min().map { $0 - fade } }

    func touches(_ range: ClosedRange<Double>) -> Bool { times.contains { $0.overlaps(range) } }

    /// - Parameters:
    ///   - band: of the latents.
    ///   - scale: bands of the spectrogram in it.
    func touches(band: Int, scale: Int) -> Bool {
        bands.map { $0.overlaps(Double(band * scale) - 0.5...Double((band + 1) * scale) - 0.5) } ?? true
    }
}

/// Between frequencies and bands of a mel spectrogram.
struct MelBands {
    let count: Int
    /// In Hz.
    let frequencies: ClosedRange<Double>

    /// The band, counted from 0 at the lowest one's centre, in whose middle a frequency lies.
    func place(_ hertz: Double) -> Double {
        let mel = { MelFilterBank.slaneyMel($0) }
        let hertz = min(max(hertz, frequencies.lowerBound), frequencies.upperBound)
        let share =
            (mel(hertz) - mel(frequencies.lowerBound)) / (mel(frequencies.upperBound) - mel(frequencies.lowerBound))
        return share * Double(count + 1) - 1
    }
}
