import Text

/// Turns text into the ids that a text encoder was trained on.
package protocol Tokenizer: Sendable {
    var definition: TokenizerDefinition { get }
    /// The ids of a text alone: no prefix, no suffix, no limit.
    func contentIDs(of text: String) -> [Int]
    /// The text of ids, approximately: what normalization took away stays away. Ids outside of the vocabulary are
    /// left out.
    func decode(_ ids: [Int]) -> String
}

/// What a text encoder is given.
package struct Encoding: Hashable, Sendable {
    package var ids: [Int]
    /// 1 for tokens, 0 for padding; as long as `ids`.
    package var attentionMask: [Int]
    /// The end of the text, decoded from its tokens, if it was too long; nil if nothing was cut.
    package var truncatedText: String?

    package init(ids: [Int], attentionMask: [Int], truncatedText: String? = nil) {
        self.ids = ids
        self.attentionMask = attentionMask
        self.truncatedText = truncatedText
    }
}

/// What follows a text's ids.
package enum Padding: Hashable, Sendable {
    case none
    /// Up to the longest of the texts that are encoded together.
    case longest
    case maxLength(Int)
}

extension Tokenizer {
    /// A text's ids between the prefix and the suffix.
    ///
    /// - Parameter maxLength: as many ids at most; nil: what the definition says. The text is cut, never the prefix or
    ///   the suffix.
    package func encode(_ text: String, maxLength: Int? = nil, padding: Padding = .none) -> Encoding {
        encode([text], maxLength: maxLength, padding: padding)[0]
    }

    /// Several texts, each as `encode` does one.
    package func encode(_ texts: [String], maxLength: Int? = nil, padding: Padding = .none) -> [Encoding] {
        let encodings = texts.map { encodeUnpadded($0, limit: maxLength ?? definition.maxLength) }
        let length =
            switch padding {
            case .none: 0
            case .longest: encodings.map(\.ids.count).max() ?? 0
            case .maxLength(let length): length
            }
        return encodings.map { $0.padded(to: length, with: definition.padID) }
    }

    private func encodeUnpadded(_ text: String, limit: Int?) -> Encoding {
        let content = contentIDs(of: text)
        let room = limit.map { max(0, $0 - definition.prefix.count - definition.suffix.count) } ?? content.count
        let ids = definition.prefix + content.prefix(room) + definition.suffix
        return Encoding(
            ids: ids, attentionMask: Array(repeating: 1, count: ids.count),
            truncatedText: content.count > room ? decode(Array(content[room...])) : nil)
    }
}

extension Encoding {
    fileprivate func padded(to length: Int, with padID: Int) -> Encoding {
        let missing = max(0, length - ids.count)
        var copy = self
        copy.ids += Array(repeating: padID, count: missing)
        copy.attentionMask += Array(repeating: 0, count: missing)
        return copy
    }
}
