/// Who made embeddings.
public struct JudgeIdentity: Sendable, Hashable, Codable {
    /// For people: "VGGish".
    public let name: String
    /// Hash of the weights and of whatever else decides what comes out, in hexadecimal digits.
    public let hash: String

    /// An identity of a name for people and a hash of what decides the numbers.
    public init(name: String, hash: String) { (self.name, self.hash) = (name, hash) }
}

/// What a judge makes of one window.
public struct Heard: Sendable, Equatable {
    /// One row or several.
    public let embeddings: Embeddings
    /// One row; nil of a judge that names no classes.
    public let logits: Embeddings?

    /// What a judge made of a window.
    /// - Parameters:
    ///   - embeddings: `[rows, width]`.
    ///   - logits: `[1, classes]`.
    public init(embeddings: Embeddings, logits: Embeddings? = nil) {
        (self.embeddings, self.logits) = (embeddings, logits)
    }
}

/// What hears sounds and says numbers of them: a network, or what stands in its place.
public protocol Judge: Sendable {
    /// Who it is: embeddings of different identities cannot be compared.
    var identity: JudgeIdentity { get }
    /// Rate of the samples that it hears, in Hz.
    var sampleRate: Int { get }
    /// A rate that a protocol wants sounds to go through before; nil for none.
    func intermediateRate(_ rules: EvaluationProtocol) -> Int?
    /// How a sound is cut into what it hears at once, under a protocol.
    func windows(_ rules: EvaluationProtocol) -> WindowRule
    /// Numbers of an embedding.
    var width: Int { get }
    /// Numbers of a row of logits; nil for a judge that names no classes.
    var classCount: Int? { get }
    /// Why it compares no sounds with texts though others of its kind do, and what to do; nil for all others.
    var textRefusal: String? { get }
    /// - Parameter windows: mono, at `sampleRate`, of at least one sample each.
    /// - Returns: one for each.
    func hear(_ windows: [[Float]]) throws -> [Heard]
}

extension Judge {
    /// No classes.
    public var classCount: Int? { nil }
    /// Nothing to be said of texts.
    public var textRefusal: String? { nil }
    /// No rate in between.
    public func intermediateRate(_ rules: EvaluationProtocol) -> Int? { nil }
}

/// A judge that compares sounds with texts.
public protocol TextJudge: Judge {
    /// - Returns: a row of `width` for each.
    func embeddings(ofTexts texts: [String]) throws -> Embeddings
}

/// How a sound is cut.
public enum WindowRule: Sendable, Hashable {
    /// What fills a sound that is shorter than wanted.
    public enum Filling: Sendable, Hashable {
        /// Zeros behind the sound.
        case zeros
        /// The sound as often as it fits whole, then zeros: laion_clap's "repeatpad".
        case repetition
    }

    /// The whole sound, at least so many samples.
    case whole(atLeast: Int, filling: Filling)
    /// So many samples from the beginning.
    case first(Int, filling: Filling)
    /// Windows one after the other; a last one of more than `leastTail` samples is heard too, and filled with zeros if `fillsTail`.
    case sliding(length: Int, hop: Int, leastTail: Int, fillsTail: Bool)

    /// Where windows of a sound of so many samples begin; none only where a sliding window finds it too short.
    public func starts(samples count: Int) -> [Int] {
        guard case .sliding(let length, let hop, let leastTail, _) = self else { return [0] }
        return stride(from: 0, to: count, by: max(hop, 1)).filter { count - $0 >= length || count - $0 > leastTail }
    }

    /// - Parameters:
    ///   - samples: of the sound, at least one.
    ///   - start: of `starts`.
    public func window(of samples: [Float], at start: Int) -> [Float] {
        switch self {
        case .whole(let least, let filling):
            return Self.fill(samples, to: max(least, samples.count), filling)
        case .first(let count, let filling):
            return Self.fill(Array(samples.prefix(count)), to: count, filling)
        case .sliding(let length, _, _, let fillsTail):
            let part = Array(samples[start..<min(start + length, samples.count)])
            return fillsTail ? Self.fill(part, to: length, .zeros) : part
        }
    }

    private static func fill(_ samples: [Float], to count: Int, _ filling: Filling) -> [Float] {
        guard samples.count < count, !samples.isEmpty else { return samples }
        let times = filling == .repetition ? count / samples.count : 1
        let repeated = (0..<times).flatMap { _ in samples }
        return repeated + [Float](repeating: 0, count: count - repeated.count)
    }
}
