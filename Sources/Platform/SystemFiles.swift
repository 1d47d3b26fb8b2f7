import FoundationEssentials
import Text

/// The system's own files, in /proc and /sys.
package enum SystemFiles {
    /// Folder that stands for `/`: tests put trees of other machines there.
    @TaskLocal package static var root = ""

    /// - Parameter path: from `/`.
    /// - Returns: nil for a file that is not there or not UTF-8.
    static func text(_ path: String) -> String? { try? String(contentsOfFile: root + path, encoding: .utf8) }

    /// The only number in a file.
    static func number(_ path: String) -> Int? {
        text(path).flatMap { Int($0.trimmed) }
    }

    /// Numbers of a file whose lines are a name and a number: "MemAvailable:   1024 kB", "active_file 4096".
    static func numbers(_ path: String) -> [Substring: Int] {
        let pairs = (text(path) ?? "").split(separator: "\n").compactMap { line -> (Substring, Int)? in
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == ":" })
            guard words.count > 1, let number = Int(words[1]) else { return nil }
            return (words[0], number)
        }
        return Dictionary(pairs) { first, _ in first }
    }
}
