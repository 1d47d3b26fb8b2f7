import Evaluation
import Files
import FoundationEssentials

/// What a panel's answers say.
public struct ListeningReport: Sendable, Encodable {
    /// How one condition was rated.
    public struct Score: Sendable, Encodable {
        /// What was rated.
        public let condition: Condition
        /// Its mean rating, on the question's scale.
        public let score: CrossedMean
    }

    /// How two conditions differ.
    public struct Comparison: Sendable, Encodable {
        /// Name of the condition that is compared.
        public let first: String
        /// Name of the condition that it is compared with.
        public let second: String
        /// The first's ratings less the second's.
        public let difference: CrossedMean
        /// What was paired: the same rater's ratings of the same item, or raters' means where no item was heard twice.
        public let paired: Pairing
        /// Probability of a difference as large if there were none, by Student's t; nil where that cannot be said.
        public let pValue: Double?
        /// The same by Holm's correction over all comparisons of the question.
        public internal(set) var adjustedPValue: Double?
    }

    /// What differences are of: a rater's two ratings of an item, or a rater's two means.
    public enum Pairing: String, Sendable, Encodable { case items, raters }

    /// What was answered to one question.
    public struct Part: Sendable, Encodable {
        /// What was asked.
        public let question: Question
        /// Highest first.
        public let scores: [Score]
        /// All pairs of conditions that some rater rated both of.
        public let comparisons: [Comparison]
    }

    /// The test's identity, as in its key.
    public let test: String
    /// The test's title, for people.
    public let title: String
    /// Raters whose answers count.
    public let raters: Int
    /// Raters whose answers do not count, and why.
    public let excluded: [Exclusion]
    /// Results of each question, in the order in which they were asked.
    public let questions: [Part]

    /// - Throws: `ListeningTestError` if nobody's answers count.
    public init(_ answers: [RaterAnswers], key: ListeningTestKey, draws: Int = 1000) throws {
        let exclusions = answers.map { Exclusion($0, key: key) }
        let counted = zip(answers, exclusions).filter { $1 == nil }.map(\.0)
        excluded = exclusions.compactMap(\.self)
        guard !counted.isEmpty else {
            let reason = excluded.first.map { ", such as \($0.rater): \($0.reasons.joined(separator: "; "))" } ?? ""
            throw ListeningTestError.options("no rater's answers count\(reason)")
        }
        (test, title, raters) = (key.test, key.title, counted.count)
        let items = Array(Set(key.clips.values.compactMap(\.item))).sorted()
        let places = Dictionary(uniqueKeysWithValues: items.enumerated().map { ($1, $0) })
        questions = key.questions.map { question in
            var ratings = [[CrossedMean.Rating]](repeating: [], count: key.conditions.count)
            for (rater, answers) in counted.enumerated() {
                for answer in answers.answers where answer.question == question.rawValue {
                    guard let clip = key.clips[answer.clip], clip.role == .test, let condition = clip.condition,
                        ratings.indices.contains(condition), let item = clip.item.flatMap({ places[$0] })
                    else { continue }
                    ratings[condition].append(.init(rater: rater, item: item, value: answer.rating))
                }
            }
            let scores = zip(key.conditions, ratings).compactMap { condition, ratings in
                CrossedMean(ratings, draws: draws).map { Score(condition: condition, score: $0) }
            }
            return Part(
                question: question, scores: scores.sorted { $0.score.mean > $1.score.mean },
                comparisons: Self.comparisons(key.conditions, ratings, draws: draws))
        }
    }

    /// - Throws: `ListeningTestError.file` for what is no key.
    public static func key(contentsOf path: String) throws -> ListeningTestKey {
        let bytes: [UInt8]
        do {
            bytes = try RegularFile.contents(of: path, limit: 1 << 28)
        } catch let error as FileError {
            throw ListeningTestError.file(path: path, reason: "cannot be read: \(error.reason.lowercased())")
        }
        guard let key = try? JSONDecoder().decode(ListeningTestKey.self, from: Data(bytes)) else {
            throw ListeningTestError.file(
                path: path,
                reason: "is no key of a listening test; it is written beside the test's folder, as NAME.key.json")
        }
        return key
    }

    private static func comparisons(
        _ conditions: [Condition], _ ratings: [[CrossedMean.Rating]], draws: Int
    ) -> [Comparison] {
        var comparisons: [Comparison] = []
        for first in conditions.indices {
            for second in conditions.indices.dropFirst(first + 1) {
                let byItem = differences(ratings[first], ratings[second]) { [$0.rater, $0.item] }
                let isByItem = byItem.count > 1
                let differences =
                    isByItem ? byItem : differences(means(ratings[first]), means(ratings[second])) { [$0.rater] }
                guard let mean = CrossedMean(differences, draws: draws) else { continue }
                comparisons.append(
                    Comparison(
                        first: conditions[first].name, second: conditions[second].name, difference: mean,
                        paired: isByItem ? .items : .raters, pValue: mean.pValue))
            }
        }
        for (place, value) in holm(comparisons.map(\.pValue)).enumerated() {
            comparisons[place].adjustedPValue = value
        }
        return comparisons
    }

    private static func differences(
        _ first: [CrossedMean.Rating], _ second: [CrossedMean.Rating], by key: (CrossedMean.Rating) -> [Int]
    ) -> [CrossedMean.Rating] {
        let others = Dictionary(second.map { (key($0), $0.value) }) { first, _ in first }
        return first.compactMap { rating in
            others[key(rating)].map {
                .init(rater: rating.rater, item: rating.item, value: rating.value - $0)
            }
        }
    }

    /// Of each rater, as if of one item.
    private static func means(_ ratings: [CrossedMean.Rating]) -> [CrossedMean.Rating] {
        Dictionary(grouping: ratings, by: \.rater).map { rater, group in
            .init(rater: rater, item: 0, value: group.reduce(0) { $0 + $1.value } / Double(group.count))
        }.sorted { $0.rater < $1.rater }
    }

    /// Holm 1979: each value times how many are as large or larger, never less than that of a smaller one, and at most 1.
    package static func holm(_ values: [Double?]) -> [Double?] {
        let known = values.indices.filter { values[$0] != nil }.sorted { (values[$0] ?? 1) < (values[$1] ?? 1) }
        var result = values
        var most = 0.0
        for (rank, place) in known.enumerated() {
            most = max(most, min(1, (values[place] ?? 1) * Double(known.count - rank)))
            result[place] = most
        }
        return result
    }
}
