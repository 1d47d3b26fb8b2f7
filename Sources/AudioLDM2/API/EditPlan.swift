/// What is made anew in a sound, and how freely; the rest is kept as it is.
///
///     let result = try await pipeline.edit(clip, "a door slams", plan: .inpaint([2.0...4.5]))
public struct EditPlan: Sendable, Hashable {
    /// Parts to make anew, in seconds from the start; nil for the whole sound.
    public var times: [ClosedRange<Double>]?
    /// The band to make anew, in Hz; nil for all frequencies.
    public var frequencies: ClosedRange<Double>?
    /// How far what is made anew may go from what was there: 1 starts from noise alone, small values change little.
    public var strength: Double
    /// How many seconds are made after the sound's end.
    public var appendedSeconds: Double
    /// Takes `frequencies`, unless they are given, to be what the sound lacks above its own bandwidth; the result has at least
    /// the model's sample rate.
    public var fillsBandwidth: Bool
    /// Length of the transition on either side of each part, in seconds.
    public var crossFadeSeconds: Double

    /// A plan of its parts; `transform`, `inpaint`, `extend` and `upsample` make the usual ones.
    public init(
        times: [ClosedRange<Double>]? = nil, frequencies: ClosedRange<Double>? = nil, strength: Double = 1,
        appendedSeconds: Double = 0, fillsBandwidth: Bool = false, crossFadeSeconds: Double = 0.05
    ) {
        self.times = times
        self.frequencies = frequencies
        self.strength = strength
        self.appendedSeconds = appendedSeconds
        self.fillsBandwidth = fillsBandwidth
        self.crossFadeSeconds = crossFadeSeconds
    }

    /// Makes the whole sound anew, starting from the sound itself: SDEdit, arXiv 2108.01073.
    /// - Parameter strength: above 0, up to 1.
    public static func transform(strength: Double = 0.5) -> EditPlan { EditPlan(strength: strength) }

    /// Makes parts of the sound anew, or a band of it, or a band of parts.
    public static func inpaint(
        _ times: [ClosedRange<Double>]?, frequencies: ClosedRange<Double>? = nil, strength: Double = 1
    ) -> EditPlan {
        EditPlan(times: times, frequencies: frequencies, strength: strength)
    }

    /// Goes on where the sound ends.
    public static func extend(by seconds: Double) -> EditPlan { EditPlan(times: [], appendedSeconds: seconds) }

    /// Makes the frequencies that the sound lacks.
    /// - Parameter frequency: above which, in Hz; nil finds it out.
    public static func upsample(above frequency: Double? = nil) -> EditPlan {
        EditPlan(frequencies: frequency.map { $0...Double.infinity }, fillsBandwidth: true)
    }

    /// True if nothing of the sound is kept.
    var isWhole: Bool { times == nil && frequencies == nil && !fillsBandwidth && appendedSeconds == 0 }

    /// - Throws: `AudioLDM2Error` of kind `.invalidOption` for numbers that cannot be used with a sound of this length.
    func validate(seconds: Double) throws {
        func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
            guard condition else { throw AudioLDM2Error(.invalidOption, message()) }
        }
        try require(strength > 0 && strength <= 1, "a strength of \(strength): choose a number above 0, up to 1")
        try require(
            (0...10).contains(crossFadeSeconds), "a cross-fade of \(crossFadeSeconds) seconds: choose 0…10")
        let limit = SoundOptions.secondsRange.upperBound
        try require(
            appendedSeconds == 0 || (0.1...limit).contains(appendedSeconds),
            "\(appendedSeconds) seconds to append: choose 0.1…\(Int(limit))")
        try require(
            seconds + appendedSeconds <= limit,
            "the sound would be \(seconds + appendedSeconds) seconds long; \(Int(limit)) are the most")
        try require(
            times.map { !$0.isEmpty || appendedSeconds > 0 } ?? true, "no part of the sound to make anew: name one")
        for time in times ?? [] {
            try require(
                time.lowerBound >= 0 && time.lowerBound < time.upperBound && time.lowerBound < seconds
                    && time.upperBound.isFinite,
                "from \(time.lowerBound) to \(time.upperBound) seconds: the sound has \(seconds) of them")
        }
        if let frequencies {
            try require(
                frequencies.lowerBound >= 0 && frequencies.lowerBound < frequencies.upperBound,
                "from \(frequencies.lowerBound) to \(frequencies.upperBound) Hz: choose a band")
        }
    }
}
