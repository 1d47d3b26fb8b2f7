import Checkpoints
import Glibc
import Text

/// Reads the part of YAML in which training configurations are written: mappings and sequences by indentation or in
/// brackets, plain and quoted scalars, comments, anchors and aliases. Anything else is refused with its line.
package struct YAMLReader {
    private struct Line {
        let number: Int
        var indent: Int
        var text: Substring
    }

    private static let deepest = 64
    /// Anchored values that may name each other one after the other: each is as deep as it can be by itself, and a value of
    /// any depth is taken apart by recursion.
    private static let longestChain = 100

    private let file: String
    private var lines: [Line] = []
    private var next = 0
    /// Anchored values, and how long the chain of those is that name each other, up to each.
    private var anchors: [String: (value: YAMLValue, chain: Int)] = [:]
    private let named = NamedAnchors()

    /// The longest chain of the anchors that were named in what is being read. An object, as naming changes no reader.
    private final class NamedAnchors {
        var chain = 0
    }

    /// - Throws: `CheckpointError.invalidLine`.
    package static func read(_ text: String, file: String) throws -> YAMLValue {
        var reader = try YAMLReader(text, file: file)
        guard !reader.lines.isEmpty else { return .null }
        let value = try reader.block(depth: 0)
        if reader.next < reader.lines.count { throw reader.invalid("does not fit the indentation above it") }
        return value
    }

    private init(_ text: String, file: String) throws {
        self.file = file
        for (index, raw) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let indent = raw.prefix { $0 == " " }.count
            let content = Self.withoutComment(raw.dropFirst(indent))
            if content.isEmpty || content == "---" && lines.isEmpty { continue }
            lines.append(Line(number: index + 1, indent: indent, text: content))
            if content.first == "\t" || content == "---" || content == "..." || content.first == "%" {
                next = lines.count - 1
                throw invalid("tabs before a line, directives and several documents are not supported")
            }
        }
    }

    private func invalid(_ reason: String) -> CheckpointError {
        .invalidLine(file: file, line: lines[min(next, lines.count - 1)].number, reason: reason)
    }

    /// A comment begins at a `#` after a space, outside of quotes.
    private static func withoutComment(_ line: Substring) -> Substring {
        var quote: Character?
        var last: Character = " "
        var end = line.endIndex
        for index in line.indices {
            let character = line[index]
            if let open = quote {
                if character == open { quote = nil }
            } else if character == "#", last.isWhitespace {
                end = index
                break
            } else if character == "\"" || character == "'", !last.isLetter, !last.isNumber {
                quote = character
            }
            last = character
        }
        return trimmed(line[..<end])
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.last?.isWhitespace == true { text.removeLast() }
        return text.first == "\t" ? text : text.drop(while: \.isWhitespace)
    }

    // MARK: Blocks

    /// What begins at the next line.
    private mutating func block(depth: Int) throws -> YAMLValue {
        guard depth < Self.deepest else { throw invalid("is nested too deeply") }
        let line = lines[next]
        if Self.isItem(line.text) { return try sequence(indent: line.indent, depth: depth) }
        if Self.member(line.text) != nil { return try mapping(indent: line.indent, depth: depth) }
        defer { next += 1 }
        return try inline(line.text, depth: depth)
    }

    private static func isItem(_ text: Substring) -> Bool { text == "-" || text.hasPrefix("- ") }

    private mutating func sequence(indent: Int, depth: Int) throws -> YAMLValue {
        var values: [YAMLValue] = []
        while next < lines.count, lines[next].indent == indent, Self.isItem(lines[next].text) {
            let rest = lines[next].text.dropFirst().drop { $0 == " " }
            if Self.isItem(rest) || Self.member(rest) != nil {
                // What follows the dash is the first line of a block of its own.
                lines[next].indent += lines[next].text.count - rest.count
                lines[next].text = rest
                values.append(try block(depth: depth + 1))
            } else {
                next += 1
                values.append(try value(rest, deeperThan: indent, depth: depth))
            }
        }
        return .sequence(values)
    }

    private mutating func mapping(indent: Int, depth: Int) throws -> YAMLValue {
        var members: [YAMLValue.Member] = []
        var keys: Set<String> = []
        while next < lines.count, lines[next].indent == indent, let (key, rest) = Self.member(lines[next].text) {
            guard key != "<<" else { throw invalid("merges another mapping (<<), which is not supported") }
            guard keys.insert(key).inserted else { throw invalid("has \(key.quoted) a second time") }
            next += 1
            // A sequence may stand as far to the left as its key.
            let isBesideKey = next < lines.count && lines[next].indent == indent && Self.isItem(lines[next].text)
            members.append(
                .init(
                    key: key, value: try value(rest, deeperThan: isBesideKey ? indent - 1 : indent, depth: depth)))
        }
        return .mapping(members)
    }

    /// Key and rest of `key: rest`.
    private static func member(_ text: Substring) -> (key: String, rest: Substring)? {
        var quote: Character?
        for (offset, index) in text.indices.enumerated() {
            let character = text[index]
            if let open = quote {
                if character == open { quote = nil }
            } else if offset == 0, "\"'".contains(character) {
                quote = character
            } else if offset == 0, "[{*&|>!".contains(character) {
                return nil
            } else if character == ":" {
                let rest = text[text.index(after: index)...]
                guard rest.isEmpty || rest.first == " " else { continue }
                let key = trimmed(text[..<index]).trimmed { "\"'".contains($0) }
                return (key, rest.drop { $0 == " " })
            }
        }
        return nil
    }

    /// What stands behind a key or dash, or in the lines below it.
    private mutating func value(_ text: Substring, deeperThan indent: Int, depth: Int) throws -> YAMLValue {
        var text = text
        var anchor: String?
        if text.first == "&" {
            let name = text.dropFirst().prefix { !$0.isWhitespace }
            anchor = String(name)
            text = text.dropFirst(name.count + 1).drop { $0 == " " }
        }
        let chain = named.chain
        if anchor != nil { named.chain = 0 }
        let value: YAMLValue
        if text.isEmpty {
            let isBelow = next < lines.count && lines[next].indent > indent
            value = try isBelow ? block(depth: depth + 1) : .null
        } else {
            next -= 1
            defer { next += 1 }
            value = try inline(text, depth: depth)
        }
        if let anchor {
            anchors[anchor] = (value, named.chain + 1)
            guard named.chain < Self.longestChain else { throw invalid("names values that name others too often") }
            named.chain = max(chain, named.chain)
        }
        return value
    }

    // MARK: Within a line

    private mutating func inline(_ text: Substring, depth: Int) throws -> YAMLValue {
        var joined = String(text)
        var open = text.first.map { "[{".contains($0) } == true ? Self.openBrackets(in: text) : 0
        // Brackets may close on a later line.
        while open > 0 {
            guard next + 1 < lines.count else { throw invalid("has a bracket that is not closed") }
            next += 1
            joined += " " + lines[next].text
            open += Self.openBrackets(in: lines[next].text)
        }
        var rest = joined[...]
        let value = try flow(&rest, until: "", depth: depth)
        guard rest.allSatisfy(\.isWhitespace) else { throw invalid("goes on behind its value: \(String(rest).quoted)") }
        return value
    }

    private static func openBrackets(in text: Substring) -> Int {
        text.reduce(0) { $0 + ("[{".contains($1) ? 1 : "]}".contains($1) ? -1 : 0) }
    }

    /// A value up to one of the `ends`, which is left.
    private func flow(_ rest: inout Substring, until ends: String, depth: Int) throws -> YAMLValue {
        guard depth < Self.deepest else { throw invalid("is nested too deeply") }
        rest = rest.drop { $0 == " " }
        switch rest.first {
        case "[":
            var values: [YAMLValue] = []
            try members(&rest, close: "]") { values.append(try flow(&$0, until: ",]", depth: depth + 1)) }
            return .sequence(values)
        case "{":
            var found: [YAMLValue.Member] = []
            try members(&rest, close: "}") { rest in
                let key = try flow(&rest, until: ":,}", depth: depth + 1)
                guard case .scalar(let name) = key, rest.first == ":" else { throw invalid("has no key: value") }
                rest.removeFirst()
                found.append(.init(key: name, value: try flow(&rest, until: ",}", depth: depth + 1)))
            }
            return .mapping(found)
        case "\"", "'":
            let quote = rest.removeFirst()
            let content = rest.prefix { $0 != quote }
            rest = rest.dropFirst(content.count)
            guard rest.first == quote else { throw invalid("has a quote that is not closed") }
            rest = rest.dropFirst().drop { $0 == " " }
            guard !content.contains("\\") || quote == "'" else {
                throw invalid("has an escape, which is not supported")
            }
            return .scalar(String(content))
        default: return try plain(&rest, until: ends)
        }
    }

    private func members(
        _ rest: inout Substring, close: Character, _ member: (inout Substring) throws -> Void
    ) throws {
        repeat {
            rest = rest.dropFirst().drop { $0 == " " }
            if rest.first == close { break }
            try member(&rest)
            rest = rest.drop { $0 == " " }
        } while rest.first == ","
        guard rest.first == close else { throw invalid("has a bracket that is not closed") }
        rest = rest.dropFirst()
    }

    private func plain(_ rest: inout Substring, until ends: String) throws -> YAMLValue {
        let content = rest.prefix { !ends.contains($0) }
        rest = rest.dropFirst(content.count)
        let text = String(Self.trimmed(content))
        switch text.first {
        case "*":
            guard let anchor = anchors[String(text.dropFirst())] else {
                throw invalid("names \(text.quoted), which stands for nothing above it")
            }
            named.chain = max(named.chain, anchor.chain)
            return anchor.value
        case "|", ">", "!", "@", "`", "&", "]", "}":
            throw invalid("begins a value with \(text.prefix(1)), which is not supported")
        default: return ["", "~", "null", "Null", "NULL"].contains(text) ? .null : .scalar(text)
        }
    }
}
