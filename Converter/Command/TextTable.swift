import Text

/// A count of parameters, for people.
func millions(_ count: Int) -> String { String(printf: "%.2f M", Double(count) / 1e6) }

/// Rows of as many cells each, in columns that are padded behind (`leading`) or before their text.
func aligned(_ rows: [[String]], leading: Set<Int>) -> [String] {
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
