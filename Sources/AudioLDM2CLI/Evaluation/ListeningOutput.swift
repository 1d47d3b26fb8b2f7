import Audio
import Evaluation
import Files
import Glibc
import ListeningTest
import Text

/// Texts of items, from a file of lines "NAME<tab>TEXT".
enum Prompts {
    private static let limit = 1 << 26

    static func read(_ path: String) throws -> [String: String] {
        let bytes: [UInt8]
        do {
            bytes = try RegularFile.contents(of: path, limit: limit)
        } catch let error as FileError {
            throw ListeningTestError.file(path: path, reason: "cannot be read: \(error.reason.lowercased())")
        }
        var texts: [String: String] = [:]
        for (number, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
        {
            let parts = line.split(separator: UInt8(ascii: "\t"), maxSplits: 1).map { FileName.text($0) }
            guard !line.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }) else { continue }
            let text = parts.count == 2 ? parts[1].trimmed : ""
            guard !text.isEmpty else {
                throw ListeningTestError.file(path: path, reason: "line \(number + 1): write NAME, a tab, and the text")
            }
            texts[SoundSet.Item(path: parts[0]).name] = text
        }
        return texts
    }
}

/// Results for people.
struct ListeningTable {
    private let report: ListeningReport

    init(_ report: ListeningReport) { self.report = report }

    var text: String {
        var lines = [
            "\(report.title) (\(report.test)): \(report.raters) raters counted, \(report.excluded.count) left out"
        ]
        for rater in report.excluded {
            lines.append("  left out: \(rater.rater): \(rater.reasons.joined(separator: "; "))")
        }
        for part in report.questions {
            lines += ["", "\(part.question.rawValue): mean, 95 % by t, 95 % by bootstrap over raters and items"]
            let width = part.scores.map(\.condition.name.count).max() ?? 0
            for score in part.scores {
                let name = score.condition.name.padded(to: width)
                lines.append(
                    "  \(name)  \(Self.number(score.score.mean))  \(Self.interval(score.score.interval))  "
                        + "\(Self.interval(score.score.bootstrap))  (\(score.score.ratings) ratings, "
                        + "\(score.score.raters) raters, \(score.score.items) items)")
            }
            if !part.comparisons.isEmpty { lines.append("  differences, p corrected by Holm:") }
            for pair in part.comparisons {
                let p =
                    pair.adjustedPValue.map { $0 < 0.0001 ? "p < 0.0001" : String(printf: "p = %.4f", $0) }
                    ?? "p unknown"
                lines.append(
                    "    \(pair.first) − \(pair.second): \(Self.number(pair.difference.mean)) "
                        + "\(Self.interval(pair.difference.interval)), \(p)"
                        + (pair.paired == .raters ? " (of raters' means)" : ""))
            }
        }
        return lines.joined(separator: "\n")
    }

    private static func number(_ value: Double) -> String { String(printf: "%.2f", value) }

    private static func interval(_ interval: Interval?) -> String {
        interval.map { "[\(number($0.low)), \(number($0.high))]" } ?? "[–]"
    }
}

/// Means and their intervals, a panel a question.
struct ListeningPlot {
    private let chart: IntervalChart

    init(_ report: ListeningReport) {
        chart = IntervalChart(
            report.questions.map { part in
                .init(
                    title: "\(part.question.rawValue): mean and 95 %, \(report.raters) raters",
                    rows: part.scores.map { score in
                        .init(
                            label: score.condition.name, mean: score.score.mean,
                            interval: score.score.interval.map { $0.low...$0.high })
                    }, range: part.question.range)
            })
    }

    /// - Throws: an error that names the file.
    func write(to path: String) throws { try chart.write(to: path) }
}
