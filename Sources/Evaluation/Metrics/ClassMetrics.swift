import Glibc

/// Probabilities of logits.
public enum Activation: String, Sendable, Codable, CaseIterable {
    /// One class of all.
    case softmax
    /// Each class for itself.
    case sigmoid

    func callAsFunction(_ logits: ArraySlice<Float>) -> [Double] {
        switch self {
        case .sigmoid: return logits.map { 1 / (1 + exp(-Double($0))) }
        case .softmax:
            let most = Double(logits.max() ?? 0)
            let powers = logits.map { exp(Double($0) - most) }
            let sum = powers.reduce(0, +)
            return powers.map { $0 / sum }
        }
    }
}

/// Kullback-Leibler divergence of what a classifier says of pairs of sounds: Σ p (ln p − ln(q + ε)) of each pair.
/// audioldm_eval and audiocraft: p of the reference, q of the generated sound. Because of ε it can be slightly negative.
public struct KullbackLeibler: Sendable, Equatable {
    /// Divergence of each pair, in nats; their mean is what the packages report.
    public let values: [Double]
    /// The packages' figure, in nats; less is nearer.
    public var mean: Double { values.reduce(0, +) / Double(values.count) }

    /// - Parameters:
    ///   - target: logits of what p is of, a row a sound.
    ///   - other: of what q is of, in the same order.
    /// - Throws: `EvaluationError` for rows that do not pair, or none.
    public init(target: Embeddings, other: Embeddings, by activation: Activation, epsilon: Double = 1e-6) throws {
        guard target.width == other.width, target.rowCount == other.rowCount else {
            throw EvaluationError.shape(
                "logits of \(other.rowCount) × \(other.width) and \(target.rowCount) × \(target.width) do not pair")
        }
        guard target.rowCount > 0 else { throw EvaluationError.tooFew("KL divergence takes a pair of sounds or more") }
        values = (0..<target.rowCount).map { row in
            zip(activation(target[row]), activation(other[row])).reduce(0) { sum, pair in
                pair.0 > 0 ? sum + pair.0 * (log(pair.0) - log(pair.1 + epsilon)) : sum
            }
        }
    }
}

/// Inception score (Salimans et al. 2016) of logits: exp of the mean divergence from the mean of its part.
public struct InceptionScore: Sendable, Equatable {
    /// The mean over the parts: 1 to the number of classes, more is better.
    public let mean: Double
    /// Standard deviation over the parts; of the population.
    public let deviation: Double

    /// As torch-fidelity and audioldm_eval: shuffled, in `splits` parts.
    /// - Throws: `EvaluationError.tooFew` for fewer sounds than parts.
    public init(_ logits: Embeddings, splits: Int = 10, seed: UInt32 = 2020) throws {
        let count = logits.rowCount
        guard splits > 0, count >= splits else {
            throw EvaluationError.tooFew("the inception score takes \(splits) sounds or more, there are \(count)")
        }
        var random = NumPyRandom(seed: seed)
        let probabilities = random.permutation(count).map { Activation.softmax(logits[$0]) }
        let scores = (0..<splits).map { split -> Double in
            let part = probabilities[split * count / splits..<(split + 1) * count / splits]
            let means = (0..<logits.width).map { column in
                part.reduce(0) { $0 + $1[column] } / Double(part.count)
            }
            let divergence = part.reduce(0.0) { sum, row in
                zip(row, means).reduce(sum) { $1.0 > 0 ? $0 + $1.0 * (log($1.0) - log($1.1)) : $0 }
            }
            return exp(divergence / Double(part.count))
        }
        mean = scores.reduce(0, +) / Double(splits)
        let centre = mean
        deviation = (scores.reduce(0) { $0 + ($1 - centre) * ($1 - centre) } / Double(splits)).squareRoot()
    }
}

/// How well sounds fit their texts: the cosine of CLAP's embeddings.
public struct CLAPScore: Sendable, Equatable {
    /// Cosine of each pair.
    public let values: [Double]
    /// The mean over all pairs, −1 to 1.
    public var mean: Double { values.reduce(0, +) / Double(values.count) }

    /// - Parameters:
    ///   - sounds: a row a sound.
    ///   - texts: in the same order.
    /// - Throws: `EvaluationError` for rows that do not pair, or none.
    public init(sounds: Embeddings, texts: Embeddings) throws {
        try Self.check(sounds, texts)
        values = (0..<sounds.rowCount).map { Self.cosine(sounds[$0], texts[$0]) }
    }

    /// What the encoder of the AudioLDM papers' own evaluation gives on average: it replaces an embedding by that of the empty
    /// text with probability 0.1, of sounds and texts alike, without a seed. For comparison with their tables alone.
    /// - Parameter emptyText: one row.
    public init(asInPaper sounds: Embeddings, texts: Embeddings, emptyText: Embeddings) throws {
        try Self.check(sounds, texts)
        guard emptyText.width == texts.width, emptyText.rowCount == 1 else {
            throw EvaluationError.shape("the empty text has \(emptyText.rowCount) × \(emptyText.width) numbers")
        }
        let (kept, replaced) = (0.9, 0.1)
        values = (0..<sounds.rowCount).map { row in
            kept * kept * Self.cosine(sounds[row], texts[row])
                + kept * replaced * Self.cosine(emptyText[0], texts[row])
                + kept * replaced * Self.cosine(sounds[row], emptyText[0]) + replaced * replaced
        }
    }

    private static func check(_ sounds: Embeddings, _ texts: Embeddings) throws {
        guard sounds.width == texts.width, sounds.rowCount == texts.rowCount else {
            throw EvaluationError.shape(
                "\(sounds.rowCount) sounds of width \(sounds.width) for \(texts.rowCount) texts of \(texts.width)")
        }
        guard sounds.rowCount > 0 else { throw EvaluationError.tooFew("CLAP score takes a sound or more") }
    }

    private static func cosine(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
        let product = zip(a, b).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        let norms = [a, b].map { $0.reduce(0.0) { $0 + Double($1) * Double($1) } }
        return product / max((norms[0] * norms[1]).squareRoot(), 1e-30)
    }
}
