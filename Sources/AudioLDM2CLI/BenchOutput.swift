import ArgumentParser
import AudioLDM2Diagnostics
import Foundation

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
        String(format: "%@, %@, %d threads, %.2f s of sound, ", model, tier, threads, seconds)
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
            ? String(format: "%.1f", value / 1e6) : String(format: value >= 100 ? "%.0f" : "%.3f", value)
    }

    private func shownUnit(_ measure: Measure) -> String { measure.unit == "bytes" ? "MB" : measure.unit }

    private func aligned(_ rows: [[String]]) -> [String] {
        rows.map { row in
            row[1].isEmpty ? row[0] : row[0].padding(toLength: 22, withPad: " ", startingAt: 0) + row[1]
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
