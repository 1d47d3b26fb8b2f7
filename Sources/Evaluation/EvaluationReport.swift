/// What an evaluation found.
public struct EvaluationReport: Sendable, Codable {
    public struct Set: Sendable, Codable {
        public var path: String
        /// Sounds that were heard.
        public var files: Int
        public var embeddings: Int
        public var damaged: [HeardSet.Damaged]
        public var silent: [String]
    }

    public enum Metric: String, Sendable, Codable, CaseIterable {
        case frechetDistance = "frechet_distance"
        case frechetAtInfinity = "frechet_distance_infinity"
        case kernelInceptionDistance = "kid"
        case kernelAudioDistance = "kad"
        case klSoftmax = "kl_softmax"
        case klSigmoid = "kl_sigmoid"
        case inceptionScore = "inception_score"
        case clapScore = "clap_score"
        case clapScoreAsInPaper = "clap_score_paper"
        case logSpectralDistance = "log_spectral_distance"
        case logSpectralDistanceAudioldmEval = "log_spectral_distance_audioldm_eval"

        /// For people.
        public var title: String {
            switch self {
            case .frechetDistance: "Fréchet distance"
            case .frechetAtInfinity: "Fréchet distance at n → ∞"
            case .kernelInceptionDistance: "KID"
            case .kernelAudioDistance: "KAD"
            case .klSoftmax: "KL (softmax)"
            case .klSigmoid: "KL (sigmoid)"
            case .inceptionScore: "inception score"
            case .clapScore: "CLAP score"
            case .clapScoreAsInPaper: "CLAP score, as in the paper"
            case .logSpectralDistance: "log-spectral distance"
            case .logSpectralDistanceAudioldmEval: "log-spectral distance, as audioldm_eval"
            }
        }
    }

    public struct Figure: Sendable, Codable {
        public var metric: Metric
        public var value: Double
        /// What it is of: sounds, pairs or embeddings.
        public var count: Int
        public var counted: String
        /// Of 95 %, by a bootstrap over sounds.
        public var interval: Interval?
        /// By random halves of the sounds.
        public var standardError: Double?
        /// Over parts, where the metric has them.
        public var deviation: Double?
        /// Of the line to infinity.
        public var slope: Double?
        public var rSquared: Double?
        public var points: [FrechetAtInfinity.Point]?
        public var note: String?

        init(_ metric: Metric, _ value: Double, count: Int, of counted: String) {
            (self.metric, self.value, self.count, self.counted) = (metric, value, count, counted)
        }
    }

    /// Figures of one generated sound; what cannot be said of one alone is nil.
    public struct File: Sendable, Codable {
        public var file: String
        public var frechetDistance: Double?
        public var klSoftmax: Double?
        public var clapScore: Double?
        public var logSpectralDistance: Double?
    }

    public var judge: JudgeIdentity
    public var protocolName: EvaluationProtocol.Name
    /// What the protocol did to the sounds.
    public var preparation: String
    public var generated: Set
    public var reference: Set?
    public var figures: [Figure] = []
    public var files: [File] = []
    public var warnings: [String] = []
}
