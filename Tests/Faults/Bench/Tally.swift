/// What came of the faults: lines of a table, and what was wrong.
final class Tally {
    private var rows: [(name: String, counts: [String: Int])] = []
    /// What was wrong, and how to see it again.
    private var texts: [String] = []
    var findings: Int { texts.count }
    var isEmpty: Bool { rows.isEmpty }
    /// In the order of columns.
    private static let columns = [
        "worked", "refused", "killed", "stopped", "loader", "runtime", "unmet", "findings",
    ]

    func count(_ verdict: Verdict, _ sweep: String) {
        let row = rows.firstIndex { $0.name == sweep } ?? rows.endIndex
        if row == rows.endIndex { rows.append((sweep, [:])) }
        rows[row].counts[verdict.column, default: 0] += 1
    }

    /// Counts a verdict, and prints it if something is wrong.
    /// - Parameter again: how to see it again.
    func note(_ verdict: Verdict, _ sweep: String, again: String) {
        count(verdict, sweep)
        guard case .finding(let text) = verdict else { return }
        let lines = "finding: \(sweep): \(text)\n    again: \(again)"
        print(lines)
        texts.append(lines)
    }

    func printTable() {
        let width = max(rows.map(\.name.count).max() ?? 0, 5)
        func line(_ name: String, _ cells: [String]) {
            let padded = cells.map { String(repeating: " ", count: max(9 - $0.count, 1)) + $0 }
            print(name + String(repeating: " ", count: width - name.count) + padded.joined())
        }
        line("", Self.columns + ["faults"])
        var totals: [String: Int] = [:]
        for row in rows {
            for (column, count) in row.counts { totals[column, default: 0] += count }
            line(row.name, Self.cells(row.counts))
        }
        line("total", Self.cells(totals))
        // Once more at the end, which is what logs keep.
        for text in texts { print(text) }
    }

    private static func cells(_ counts: [String: Int]) -> [String] {
        columns.map { counts[$0].map(String.init) ?? "" } + ["\(counts.values.reduce(0, +))"]
    }
}

/// How a run ended.
enum Verdict {
    /// With 0, and everything that was asked for.
    case worked
    /// With a typed message.
    case refused
    case killed
    /// As a signal asks.
    case stopped
    /// Before there was a program: the system's loader says so and ends with 127.
    case loader
    /// By Swift's runtime, a library or the C library, which cannot work without memory; or not at all, as Dispatch waits for
    /// threads.
    case runtime
    /// The fault was not met, as threads take turns as they like, and all was as it is without faults.
    case unmet
    case finding(String)

    /// A file that was given its name before its contents were on the disk.
    static func unsynced(_ name: String) -> Verdict {
        .finding("\(name) gets its name before its contents are on the disk")
    }

    /// What it says of a run that did not meet its fault: it has to work.
    var ofUnmet: Verdict {
        switch self {
        case .worked: .unmet
        case .finding: self
        default: .finding("is \(column) although nothing failed")
        }
    }

    var column: String {
        switch self {
        case .worked: "worked"
        case .refused: "refused"
        case .killed: "killed"
        case .stopped: "stopped"
        case .loader: "loader"
        case .runtime: "runtime"
        case .unmet: "unmet"
        case .finding: "findings"
        }
    }
}
