import ArgumentParser
import AudioLDM2Diagnostics
import FoundationEssentials
import Text

/// How `bench` prints what it measured.
enum BenchFormat: String, CaseIterable, ExpressibleByArgument {
    case table
    /// A table of Markdown.
    case md
    /// A head and one line.
    case csv
    /// One line of JSON, so that runs can be added to a file.
    case jsonl
}

extension PipelineBenchmark.Summary {
    /// - Throws: `EncodingError`.
    func text(as format: BenchFormat) throws -> String {
        switch format {
        case .table: aligned(rows.map { [$0.name, $0.value] }).joined(separator: "\n")
        case .md:
            (["| \(title) | |", "|---|---|"] + rows.dropFirst().map { "| \($0.name) | \($0.value) |" })
                .joined(separator: "\n")
        case .csv: csv
        case .jsonl: try json
        }
    }

    private var title: String {
        "\(model), \(tier), \(threads) threads, " + String(printf: "%.2f s of sound, ", seconds)
            + "\(repetitions) \(repetitions == 1 ? "run" : "runs")"
    }

    private var rows: [(name: String, value: String)] {
        [(title, "")]
            + measures.map { measure in
                (measure.name, "\(number(measure.mean, measure))\(spread(measure)) \(shownUnit(measure))")
            }
    }

    private func spread(_ measure: Measure) -> String { measure.deviation.map { " ± " + number($0, measure) } ?? "" }

    private func number(_ value: Double, _ measure: Measure) -> String {
        measure.unit == "bytes"
            ? String(printf: "%.1f", value / 1e6) : String(printf: value >= 100 ? "%.0f" : "%.3f", value)
    }

    private func shownUnit(_ measure: Measure) -> String { measure.unit == "bytes" ? "MB" : measure.unit }

    private func aligned(_ rows: [[String]]) -> [String] {
        rows.map { row in
            row[1].isEmpty ? row[0] : row[0].padded(to: 22) + row[1]
        }
    }

    private var csv: String {
        let fixed = [
            ("model", quoted(model)), ("kernels", quoted(tier)), ("threads", "\(threads)"), ("seconds", "\(seconds)"),
            ("steps", "\(steps)"), ("repetitions", "\(repetitions)"),
        ]
        let measured = measures.flatMap { measure in
            [
                (measure.name, "\(measure.mean)"),
                (measure.name + "_deviation", measure.deviation.map { "\($0)" } ?? ""),
            ]
        }
        let all = fixed + measured
        return all.map(\.0).joined(separator: ",") + "\n" + all.map(\.1).joined(separator: ",")
    }

    /// As RFC 4180 has it.
    private func quoted(_ text: String) -> String {
        text.contains(where: { ",\"\n\r".contains($0) }) ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }

    private var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }
}
