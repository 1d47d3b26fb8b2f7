/// What options mean where they leave it to the model.
extension GenerationOptions {
    func vocoder(for model: Model) -> Vocoder { vocoder ?? model.defaults.vocoder ?? .hifigan }

    func guidanceRescale(for model: Model) -> Float { guidanceRescale ?? model.defaults.guidanceRescale ?? 0 }

    func fadeSeconds(for model: Model) -> Double { fadeSeconds ?? model.defaults.fadeSeconds ?? 0 }

    func silenceRetries(for model: Model) -> Int { silenceRetries ?? model.defaults.silenceRetries ?? 0 }

    /// - Throws: `AudioLDM2Error` of kind `.invalidOption`; for Griffin-Lim also if the model does not describe its mel
    ///   spectrogram.
    func checkFinish(for model: Model) throws {
        func require<Value: Comparable>(_ name: String, _ value: Value, in range: ClosedRange<Value>) throws {
            guard range.contains(value) else {
                throw AudioLDM2Error(
                    .invalidOption, "\(name) of \(value): choose \(range.lowerBound) to \(range.upperBound)")
            }
        }
        try require("a guidance rescale", guidanceRescale(for: model), in: 0...1)
        try require("a fade", fadeSeconds(for: model), in: Self.fadeRange)
        try require("a number of retries", silenceRetries(for: model), in: Self.retriesRange)
        if vocoder(for: model) == .griffinLim { _ = try model.melConfig() }
    }
}

extension Numeric {
    /// Nil for zero.
    var nonzero: Self? { self == 0 ? nil : self }
}
