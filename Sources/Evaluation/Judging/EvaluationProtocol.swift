/// What an evaluation package does with sounds before its judge hears them, and with figures afterwards. They differ, and so
/// do their results: a figure says under which it was made.
public struct EvaluationProtocol: Sendable, Equatable {
    /// The packages whose ways are known.
    public enum Name: String, Sendable, Codable, CaseIterable {
        /// audioldm_eval 0.0.5, which the AudioLDM papers' tables are compared with.
        case audioldmEval = "audioldm_eval"
        /// The branch of it that AudioLDM 2's tables were made with.
        case audioldm2
        /// MusicGen's and AudioGen's.
        case audiocraft
        /// Microsoft's FAD toolkit.
        case fadtk
        /// The toolkit of the kernel audio distance.
        case kadtk
    }

    /// How sounds of several channels become mono: the first alone, or the mean of all.
    public enum Channels: String, Sendable, Codable { case first, mean }

    /// Which package's rules these are.
    public let name: Name
    /// How sounds of several channels become mono.
    public let channels: Channels
    /// The mean of all of a file is taken from it, before it is resampled.
    public let removesMean: Bool
    /// How sounds come to the judge's rate.
    public let resampling: SincResampler.Kind
    /// What is resampled is kept in files of 16 bits.
    public let roundsTo16Bits: Bool
    /// Zeros are added to shorter sounds, at the judge's rate, for judges that hear a sound whole.
    public let leastSamples: Int
    /// Embeddings are kept in float16.
    public let roundsToHalf: Bool
    /// Under which share of paired names a set counts as unpaired, and has no KL divergence.
    public let leastPaired: Double
    /// Seconds that a classifier or CLAP hears at once; nil for all.
    public let windowSeconds: Double?
    /// From one window to the next; nil for the first window alone.
    public let hopSeconds: Double?
    /// Least seconds of a last window that is not dropped.
    public let leastTailSeconds: Double
    /// Added to the probabilities of generated sounds in a KL divergence.
    public let divergenceEpsilon = 1e-6

    /// The rules of a package.
    public init(_ name: Name) {
        self.name = name
        let isOurs = name == .audioldmEval || name == .audioldm2
        channels = isOurs ? .first : .mean
        removesMean = isOurs
        resampling =
            switch name {
            case .audioldmEval, .audioldm2: .torchaudioHann
            case .audiocraft: .julius
            case .fadtk, .kadtk: .torchaudioKaiser
            }
        let isToolkit = Self.isToolkit(name)
        roundsTo16Bits = isToolkit
        leastSamples = isOurs ? 32000 : 1
        roundsToHalf = isToolkit
        leastPaired = isOurs ? 0.99 : 0
        windowSeconds = name == .audioldmEval ? nil : 10
        hopSeconds =
            switch name {
            case .audioldmEval, .audioldm2: nil
            case .audiocraft: 10
            case .fadtk, .kadtk: 1
            }
        leastTailSeconds = name == .audiocraft ? 0.15 : 0
    }

    private static func isToolkit(_ name: Name) -> Bool { name == .fadtk || name == .kadtk }

    /// Whether each network hears what its package's own loader gives it.
    package var isToolkit: Bool { Self.isToolkit(name) }

    /// The windows of judges of classes.
    /// - Parameter filling: of what is shorter than a first window.
    public func windows(sampleRate: Int, filling: WindowRule.Filling = .zeros) -> WindowRule {
        func samples(_ seconds: Double) -> Int { Int((seconds * Double(sampleRate)).rounded()) }
        guard let windowSeconds else { return .whole(atLeast: leastSamples, filling: .zeros) }
        guard let hopSeconds else { return .first(samples(windowSeconds), filling: filling) }
        return .sliding(
            length: samples(windowSeconds), hop: samples(hopSeconds), leastTail: samples(leastTailSeconds),
            fillsTail: name != .audiocraft)
    }

    /// One line for people: what was done.
    public var summary: String {
        var parts = [channels == .first ? "channel 1 alone" : "mean of the channels"]
        if removesMean { parts.append("mean removed") }
        parts.append("resampled as \(resampling.rawValue)")
        if roundsTo16Bits { parts.append("16-bit") }
        if leastSamples > 1 { parts.append("at least \(leastSamples) samples") }
        if roundsToHalf { parts.append("float16 embeddings") }
        return "\(name.rawValue): " + parts.joined(separator: ", ")
    }
}
