import AudioLDM2

/// How a model's numbers compare with those that a reference implementation recorded.
public struct VerificationReport: Sendable, Codable {
    /// One tensor.
    public struct Row: Sendable, Codable {
        /// What became of it.
        #if hasAttribute(nonexhaustive)
            @nonexhaustive
        #endif
        public enum Status: String, Sendable, Codable {
            /// As near as its kind of weights promises.
            case ok
            /// Farther off than promised, or of another shape.
            case failed
            /// Computed and compared, with nothing promised for this kind of weights.
            case stated
            /// Nothing in this model makes a tensor of that name.
            case notComputed = "not computed"
        }

        /// The golden file's name for the tensor.
        public let name: String
        /// ‖ours − golden‖ / ‖golden‖; infinite if shapes or integers differ; nil if not computed.
        public let relativeError: Double?
        /// The largest relative error that passes; nil if none is promised.
        public let tolerance: Double?
        /// What became of it.
        public let status: Status
    }

    /// All tensors, in the order of the work.
    public let rows: [Row]
    /// The most compact kind of weights in the model, which sets the tolerances.
    public let weights: String

    /// True if no row failed and at least one was compared.
    public var passed: Bool {
        !rows.contains { $0.status == .failed } && rows.contains { $0.status == .ok }
    }
}

/// What each kind of weights promises.
struct VerificationTolerances {
    let weights: String
    private let stage: Double
    private let latents: Double?
    private let waveform: Double?

    static let float32 = VerificationTolerances(weights: "float32", stage: 1e-4, latents: 1e-3, waveform: 1e-3)
    static let float16 = VerificationTolerances(weights: "float16", stage: 5e-3, latents: 5e-3, waveform: 2e-2)
    /// The loop amplifies rounding differences, so nothing is promised behind it but what is fed from the golden file.
    static let int8 = VerificationTolerances(weights: "int8", stage: 5e-2, latents: nil, waveform: nil)

    /// - Parameter name: of a golden tensor, or of one fed from the golden file (`mel (golden latents)`).
    func tolerance(for name: String) -> Double? {
        switch name {
        case "waveform", "waveform (golden mel)": waveform
        // A cosine near zero has no small relative error.
        case "clap.score": latents
        case "mel": latents
        case _ where name.hasPrefix("latents.") && name != "latents.initial": latents
        case _ where name.hasPrefix("prompt.ids"): 0
        default: stage
        }
    }
}
