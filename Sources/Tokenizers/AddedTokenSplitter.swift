/// Cuts added tokens out of a text: the leftmost first, of several at one place the longest.
struct AddedTokenSplitter: Sendable {
    enum Piece: Equatable {
        case text(String)
        case token(id: Int)
    }

    private let tokens: [AddedToken]
    /// Contents → index in `tokens`.
    private let trie: ByteTrie

    /// - Parameter written: how a token is written in the text that is searched.
    init(_ tokens: [AddedToken], written: (AddedToken) -> String = \.content) {
        self.tokens = tokens
        var trie = ByteTrie()
        for (index, token) in tokens.enumerated() { trie.insert(written(token).utf8, value: index) }
        self.trie = trie
    }

    func split(_ text: String) -> [Piece] {
        let bytes = Array(text.utf8)
        var pieces: [Piece] = []
        var textStart = 0
        func addText(upTo end: Int) {
            guard textStart < end else { return }
            pieces.append(.text(String(decoding: bytes[textStart..<end], as: UTF8.self)))
        }
        var position = 0
        while position < bytes.count {
            guard let match = longestMatch(in: bytes, at: position) else {
                position += 1
                continue
            }
            let token = tokens[match.index]
            addText(upTo: token.stripsLeft ? whitespaceStart(in: bytes, from: textStart, to: position) : position)
            pieces.append(.token(id: token.id))
            position = match.end
            textStart = token.stripsRight ? whitespaceEnd(in: bytes, from: match.end) : match.end
        }
        addText(upTo: bytes.count)
        return pieces
    }

    private func longestMatch(in bytes: [UInt8], at start: Int) -> (index: Int, end: Int)? {
        var node = ByteTrie.root
        var longest: (index: Int, end: Int)?
        var end = start
        while end < bytes.count, let next = trie.child(of: node, bytes[end]) {
            node = next
            end += 1
            if let index = trie.value(at: node) { longest = (index, end) }
        }
        return longest
    }

    /// Where the whitespace that ends at `end` begins, not before `start`.
    private func whitespaceStart(in bytes: [UInt8], from start: Int, to end: Int) -> Int {
        guard start < end else { return end }
        let text = String(decoding: bytes[start..<end], as: UTF8.self).unicodeScalars
        return end - text.reversed().prefix { $0.properties.isWhitespace }.reduce(0) { $0 + UTF8.width($1) }
    }

    /// Where the whitespace that begins at `start` ends.
    private func whitespaceEnd(in bytes: [UInt8], from start: Int) -> Int {
        var rest = bytes[start...].makeIterator()
        var decoder = UTF8()
        var end = start
        while case .scalarValue(let scalar) = decoder.decode(&rest), scalar.properties.isWhitespace {
            end += UTF8.width(scalar)
        }
        return end
    }
}
