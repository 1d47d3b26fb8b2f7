/// The vocabulary and merges of a byte-pair model, from `tokenizer.json` or from `vocab.json` and `merges.txt`.
struct BytePairFiles {
    let vocabulary: [[UInt8]: Int]
    let table: TokenTable
    let merges: [BytePairModel.Merge]

    /// - Parameter file: `tokenizer.json`, which is preferred.
    init(_ folder: TokenizerFolder, file: JSONField?) throws(TokenizerError) {
        if let model = try file?.required("model") {
            try model.expectType("BPE")
            (vocabulary, table) = try Self.vocabulary(try model.required("vocab"))
            merges = try Self.merges(try model.required("merges"), vocabulary)
        } else if let vocab = try folder.json("vocab.json"), let lines = try folder.bytes("merges.txt") {
            (vocabulary, table) = try Self.vocabulary(vocab)
            merges = try Self.merges(lines: lines, file: folder.path("merges.txt"), vocabulary)
        } else {
            throw .missingFiles(folder: folder.url.path, expected: "tokenizer.json, or vocab.json and merges.txt")
        }
    }

    /// Ids without a token that a vocabulary may have: one line must not make a table of a million rows.
    private static let mostGaps = 1 << 16

    /// An object: token → id.
    static func vocabulary(_ field: JSONField) throws(TokenizerError) -> ([[UInt8]: Int], TokenTable) {
        var ids: [[UInt8]: Int] = [:]
        for (token, id) in try field.members() {
            ids[Array(token.utf8)] = try id.integer(in: 0..<TokenTable.maximumCount)
        }
        guard let last = ids.values.max() else { throw field.invalid("it is empty") }
        guard last - ids.count < Self.mostGaps else {
            throw field.invalid("ids go up to \(last), and there are only \(ids.count) tokens")
        }
        var tokens = [[UInt8]?](repeating: nil, count: last + 1)
        for (token, id) in ids {
            guard tokens[id] == nil else { throw field.invalid("two tokens have the id \(id)") }
            tokens[id] = token
        }
        return (ids, TokenTable(tokens.map { $0 ?? [] }))
    }

    /// An array of `"left right"` or `["left", "right"]`.
    private static func merges(
        _ field: JSONField, _ vocabulary: [[UInt8]: Int]
    ) throws(TokenizerError) -> [BytePairModel.Merge] {
        var merges: [BytePairModel.Merge] = []
        for element in try field.elements() {
            var parts: [[UInt8]] = []
            if case .string(let pair) = element.value {
                parts = pair.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).map(Array.init)
            } else {
                for part in try element.elements() { parts.append(Array(try part.string().utf8)) }
            }
            guard let merge = merge(parts, vocabulary) else {
                throw element.invalid("expected two tokens of the vocabulary that make a third")
            }
            merges.append(merge)
        }
        return merges
    }

    /// A merge per line, `left right`, after a line with a version.
    private static func merges(
        lines: [UInt8], file: String, _ vocabulary: [[UInt8]: Int]
    ) throws(TokenizerError) -> [BytePairModel.Merge] {
        var merges: [BytePairModel.Merge] = []
        let rows = lines.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, row) in rows.enumerated() {
            let line = row.last == UInt8(ascii: "\r") ? row.dropLast() : row
            if line.starts(with: "#version".utf8) || line.isEmpty && index == rows.count - 1 { continue }
            let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).map(Array.init)
            guard let merge = merge(parts, vocabulary) else {
                throw .invalidField(
                    file: file, field: "line \(index + 1)",
                    reason: "expected two tokens of vocab.json that make a third, with a space between them")
            }
            merges.append(merge)
        }
        return merges
    }

    private static func merge(_ parts: [[UInt8]], _ vocabulary: [[UInt8]: Int]) -> BytePairModel.Merge? {
        guard parts.count == 2, let left = vocabulary[parts[0]], let right = vocabulary[parts[1]],
            let result = vocabulary[parts[0] + parts[1]]
        else { return nil }
        return BytePairModel.Merge(left: left, right: right, result: result)
    }
}

extension JSONField {
    /// For a model of `tokenizer.json`, which old files leave without a type.
    func expectType(_ type: String) throws(TokenizerError) {
        guard let field = self["type"] else { return }
        guard try field.string() == type else {
            throw field.invalid("\(try field.string()) is not what this tokenizer's class takes, which is \(type)")
        }
    }
}
