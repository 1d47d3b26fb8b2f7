import Converter
import Foundation
import Terminal

/// A conversion's summary for people.
extension ConversionSummary {
    /// Components, the weights that lost most, and what came out at `output`.
    func table(output: String) -> String {
        let rows = components.map { component in
            [
                component.name, millions(component.parameters), megabytes(component.storedBytes),
                String(format: "%.1f×", component.ratio), component.formats,
            ]
        }
        let worst = components.flatMap { component in
            component.worst.map { weight in
                [
                    String(format: "%.2f %%", 100 * weight.relativeError), weight.format,
                    "\(component.name).\(weight.name)",
                ]
            }
        }
        var lines = aligned([["component", "parameters", "stored", "smaller", "formats"]] + rows, leading: [0, 4])
        if !worst.isEmpty { lines += ["", "largest relative errors"] + aligned(worst, leading: [1, 2]) }
        let license = license.map { "licence \($0)" } ?? "no licence found"
        lines += ["", "\(output): \(megabytes(fileBytes)), \(millions(parameters)) parameters, \(license)"]
        return lines.joined(separator: "\n")
    }

    private func millions(_ count: Int) -> String { String(format: "%.2f M", Double(count) / 1e6) }

    /// Rows of as many cells each, in columns that are padded behind (`leading`) or before their text.
    private func aligned(_ rows: [[String]], leading: Set<Int>) -> [String] {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).enumerated().map { column, cell in
                let padding = String(repeating: " ", count: cell.1 - cell.0.count)
                guard leading.contains(column) else { return padding + cell.0 }
                return column == row.count - 1 ? cell.0 : cell.0 + padding
            }
            return "  " + cells.joined(separator: "  ")
        }
    }
}

extension ConversionSummary.Component {
    /// Shares of the parameters, the largest first.
    fileprivate var formats: String {
        parametersByFormat.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { "\($0.key) " + String(format: "%.1f %%", 100 * Double($0.value) / Double(max(parameters, 1))) }
            .joined(separator: ", ")
    }
}
