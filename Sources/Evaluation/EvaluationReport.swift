/// What an evaluation found.
public struct EvaluationReport: Sendable, Codable {
    /// What became of one set of sounds.
    public struct Set: Sendable, Codable {
        /// The folder, manifest or statistics file, as it was given.
        public var path: String
        /// Sounds that were heard.
        public var files: Int
        /// Embeddings that the judge made of them.
        public var embeddings: Int
        /// Sounds that could not be heard, and why.
        public var damaged: [HeardSet.Damaged]
        /// Paths of sounds whose samples are all zero; they count as sounds.
        public var silent: [String]
    }

    /// What a figure measures, by its name in JSON.
    public enum Metric: String, Sendable, Codable, CaseIterable {
        /// `FrechetDistance`; 0 and more, less is nearer.
        case frechetDistance = "frechet_distance"
        /// `FrechetAtInfinity`; less is nearer.
        case frechetAtInfinity = "frechet_distance_infinity"
        /// `KernelInceptionDistance`; about 0 and more, less is nearer.
        case kernelInceptionDistance = "kid"
        /// `KernelAudioDistance`; about 0 and more, less is nearer.
        case kernelAudioDistance = "kad"
        /// `KullbackLeibler` of one class of all, in nats; less is nearer.
        case klSoftmax = "kl_softmax"
        /// `KullbackLeibler` of each class for itself, in nats; less is nearer.
        case klSigmoid = "kl_sigmoid"
        /// `InceptionScore`; 1 to the number of classes, more is better.
        case inceptionScore = "inception_score"
        /// `CLAPScore`; −1 to 1, more is better.
        case clapScore = "clap_score"
        /// The same with texts and sounds dropped at random, on average, as the papers' encoder does.
        case clapScoreAsInPaper = "clap_score_paper"
        /// `LogSpectralDistance`; 0 and more, less is nearer.
        case logSpectralDistance = "log_spectral_distance"
        /// The same of sounds prepared as audioldm_eval prepares them.
        case logSpectralDistanceAudioldmEval = "log_spectral_distance_audioldm_eval"
        /// `PictureSimilarity.Pair.psnr` in dB; more is nearer.
        case signalToNoise = "psnr"
        /// `PictureSimilarity.Pair.ssim`; −1 to 1, more is nearer.
        case structuralSimilarity = "ssim"

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
            case .signalToNoise: "PSNR of mel pictures, dB"
            case .structuralSimilarity: "SSIM of mel pictures"
            }
        }
    }

    /// One number, and how well it is known.
    public struct Figure: Sendable, Codable {
        /// What it measures.
        public var metric: Metric
        /// The number itself.
        public var value: Double
        /// What it is of: sounds, pairs or embeddings.
        public var count: Int
        /// What `count` counts: "sounds", "pairs" or "embeddings".
        public var counted: String
        /// Interval of 95 %, by a bootstrap over sounds.
        public var interval: Interval?
        /// Standard error by random halves of the sounds.
        public var standardError: Double?
        /// Standard deviation over parts, where the metric has them.
        public var deviation: Double?
        /// Slope of the line to infinity.
        public var slope: Double?
        /// How well the line to infinity fits, at most 1.
        public var rSquared: Double?
        /// Distances that the line to infinity goes through.
        public var points: [FrechetAtInfinity.Point]?
        /// How it was computed, where that is not the same always; for people.
        public var note: String?

        init(_ metric: Metric, _ value: Double, count: Int, of counted: String) {
            (self.metric, self.value, self.count, self.counted) = (metric, value, count, counted)
        }
    }

    /// Figures of one generated sound; what cannot be said of one alone is nil.
    public struct File: Sendable, Codable {
        /// The sound's path.
        public var file: String
        /// Distance of its own embeddings from the reference's; it needs two of them.
        public var frechetDistance: Double?
        /// Divergence from its partner in the reference, in nats.
        public var klSoftmax: Double?
        /// Cosine with its prompt, −1 to 1.
        public var clapScore: Double?
        /// Distance from its partner in the reference.
        public var logSpectralDistance: Double?
    }

    /// Who heard the sounds.
    public var judge: JudgeIdentity
    /// Whose rules they were heard under.
    public var protocolName: EvaluationProtocol.Name
    /// What the protocol did to the sounds.
    public var preparation: String
    /// The set that is judged.
    public var generated: Set
    /// The set that it is compared with; nil for none.
    public var reference: Set?
    /// All figures that could be computed.
    public var figures: [Figure] = []
    /// Figures of each generated sound, in the set's order; none where the set is a statistics file.
    public var files: [File] = []
    /// What to know before believing the figures, one sentence each.
    public var warnings: [String] = []
}
