import Files
import Glibc

/// What one rater answered, as the page exports it.
public struct RaterAnswers: Sendable, Equatable {
    /// One answer to one question about one clip.
    public struct Answer: Sendable, Equatable {
        /// A `Question`'s name, or "HEADPHONES".
        public var question: String
        /// The clip's opaque name, as in the key.
        public var clip: String
        /// The answer, on the question's scale; of headphone trials the number of the chosen sound, 1 to 3.
        public var rating: Double
        /// From the sound's end to the answer; of MUSHRA the whole page.
        public var seconds: Double

        /// An answer, with each field as said at its property.
        public init(question: String, clip: String, rating: Double, seconds: Double) {
            (self.question, self.clip, self.rating, self.seconds) = (question, clip, rating, seconds)
        }
    }

    /// The rater's name.
    public var rater: String
    /// All answers, in the order in which they were read.
    public var answers: [Answer]

    static let headphones = "HEADPHONES"
    private static let columns = ["test", "rater", "question", "clip", "rating", "seconds"]
    private static let fileLimit = 1 << 26

    /// Answers of one rater.
    public init(rater: String, answers: [Answer]) { (self.rater, self.answers) = (rater, answers) }

    /// Reads files of one test. A rater's answers may be spread over files, and the same file given twice: of a clip the first
    /// answer to a question counts.
    /// - Throws: `ListeningTestError.file`, which names the file and the line.
    public static func read(_ paths: [String], key: ListeningTestKey) throws -> [RaterAnswers] {
        var raters: [String: RaterAnswers] = [:]
        var seen: Set<[String]> = []
        for path in paths {
            for (line, fields) in try rows(of: path) {
                func refused(_ reason: String) -> ListeningTestError {
                    .file(path: path, reason: "line \(line): \(reason)")
                }
                guard fields["test"] == key.test else {
                    throw refused(
                        "is of the test \(fields["test"] ?? ""), and the key is of \(key.test); give the results of one test"
                    )
                }
                let (rater, question, clip) = (fields["rater"] ?? "", fields["question"] ?? "", fields["clip"] ?? "")
                guard let known = key.clips[clip] else { throw refused("there is no clip \(clip) in this test") }
                let range: ClosedRange<Double>
                if question == headphones {
                    range = 1...3
                } else if let asked = Question(rawValue: question), key.questions.contains(asked) {
                    range = asked.range
                } else {
                    throw refused("\(question) is no question of this test")
                }
                guard let rating = Double(fields["rating"] ?? ""), range.contains(rating) else {
                    throw refused("\(fields["rating"] ?? "") is no answer to \(question)")
                }
                guard !rater.isEmpty else { throw refused("has no rater") }
                guard known.role != .training, seen.insert([rater, question, clip]).inserted else { continue }
                let seconds = Double(fields["seconds"] ?? "").flatMap { $0.isFinite ? $0 : nil } ?? 0
                raters[rater, default: RaterAnswers(rater: rater, answers: [])].answers.append(
                    Answer(question: question, clip: clip, rating: rating, seconds: seconds))
            }
        }
        guard !raters.isEmpty else {
            throw ListeningTestError.options(
                "\(paths.joined(separator: ", ")): no answers; give the CSV files that raters saved")
        }
        return raters.values.sorted { $0.rater < $1.rater }
    }

    private static func rows(of path: String) throws -> [(line: Int, fields: [String: String])] {
        let bytes: [UInt8]
        do {
            bytes = try RegularFile.contents(of: path, limit: fileLimit)
        } catch let error as FileError {
            throw ListeningTestError.file(path: path, reason: "cannot be read: \(error.reason.lowercased())")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ListeningTestError.file(path: path, reason: "is no text; give the CSV files that raters saved")
        }
        let table = CommaSeparated.rows(of: text)
        guard let header = table.first, columns.allSatisfy(header.fields.contains) else {
            throw ListeningTestError.file(
                path: path,
                reason: "has no columns \(columns.joined(separator: ", ")); give the CSV files that raters saved")
        }
        return try table.dropFirst().map { line, fields in
            guard fields.count == header.fields.count else {
                throw ListeningTestError.file(
                    path: path, reason: "line \(line): has \(fields.count) columns, not \(header.fields.count)")
            }
            return (line, Dictionary(zip(header.fields, fields)) { first, _ in first })
        }
    }
}

/// Tables as RFC 4180 has them.
package enum CommaSeparated {
    /// - Returns: each row with the number of its line; rows of nothing are left out.
    package static func rows(of text: String) -> [(line: Int, fields: [String])] {
        var rows: [(Int, [String])] = []
        var (fields, field, isQuoted, wasQuoted) = ([String](), "", false, false)
        var (line, start) = (1, 1)
        func endRow() {
            if !fields.isEmpty || !field.isEmpty || wasQuoted { rows.append((start, fields + [field])) }
            (fields, field, wasQuoted) = ([], "", false)
        }
        // A byte-order mark, which spreadsheets write.
        let characters = Array(text.hasPrefix("\u{FEFF}") ? text.dropFirst() : text[...])
        var place = 0
        while place < characters.count {
            let character = characters[place]
            place += 1
            let isLineEnd = character == "\n" || character == "\r\n" || character == "\r"
            if isLineEnd { line += 1 }
            if isQuoted {
                if character != "\"" {
                    field.append(character)
                } else if place < characters.count, characters[place] == "\"" {
                    field.append("\"")
                    place += 1
                } else {
                    isQuoted = false
                }
            } else if character == "\"", field.isEmpty {
                (isQuoted, wasQuoted) = (true, true)
            } else if character == "," {
                fields.append(field)
                field = ""
            } else if isLineEnd {
                endRow()
                start = line
            } else {
                field.append(character)
            }
        }
        endRow()
        return rows
    }
}
