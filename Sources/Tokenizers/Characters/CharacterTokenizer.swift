/// A symbol for every character, as transformers' `VitsTokenizer`.
package struct CharacterTokenizer: Tokenizer {
    package let definition: TokenizerDefinition
    package let model: CharacterModel
    private let ids: [[UInt8]: Int]
    private let splitter: AddedTokenSplitter
    /// Tokens of several characters, which keep their case.
    private let words: [[Unicode.Scalar]]

    init(_ definition: TokenizerDefinition, model: CharacterModel) {
        self.definition = definition
        self.model = model
        let tokens = (0..<definition.vocabulary.count).map { Array(definition.vocabulary[$0]) }
        ids = Dictionary(tokens.enumerated().map { ($0.element, $0.offset) }) { first, _ in first }
        splitter = AddedTokenSplitter(definition.addedTokens)
        words = (tokens + definition.addedTokens.map { Array($0.content.utf8) })
            .map { Array(String(decoding: $0, as: UTF8.self).unicodeScalars) }
            .filter { $0.count > 1 }.sorted { $0.count > $1.count }
    }

    /// Whether the symbols are those of phonemes, of which no spelling has this one.
    package var spellsPhonemes: Bool { ids[Array("ɪ".utf8)] != nil }

    /// The symbols of a text; of its phonemes, if the model is one that turns texts into phonemes.
    package func contentIDs(of text: String) -> [Int] {
        splitter.split(model.isPhonemized ? text : prepared(text)).flatMap { piece in
            switch piece {
            case .token(let id): [id]
            case .text(let text): symbols(of: text)
            }
        }
    }

    private func symbols(of text: String) -> [Int] {
        let found = text.unicodeScalars.map { ids[Array($0.utf8)] ?? model.unknownID }
        guard let blank = model.blankID else { return found.compactMap(\.self) }
        return [blank] + found.flatMap { [$0, blank].compactMap(\.self) }
    }

    package func decode(_ ids: [Int]) -> String {
        ids.filter { $0 != model.blankID }.compactMap { definition.vocabulary.token($0) }
            .map { String(decoding: $0, as: UTF8.self) }.joined()
    }
}

// MARK: What becomes of a text first

extension CharacterTokenizer {
    /// A text before it is turned into phonemes, or into symbols if it is not.
    package func prepared(_ text: String) -> String {
        var scalars = Array(text.unicodeScalars)
        if model.isNormalized { scalars = lowered(scalars) }
        // Romanian's t with a comma, as fonts had it.
        if model.language == "ron" { scalars = scalars.map { $0 == "ț" ? "ţ" : $0 } }
        if model.isNormalized, !model.isPhonemized {
            let known = scalars.filter { ids[Array($0.utf8)] != nil }.drop { $0.properties.isWhitespace }
            scalars = known.reversed().drop { $0.properties.isWhitespace }.reversed()
        }
        return String(String.UnicodeScalarView(scalars))
    }

    /// Lower case, except where the vocabulary has the letter or a word as it is.
    private func lowered(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        var index = 0
        while index < scalars.count {
            let scalar = scalars[index]
            if ids[Array(scalar.utf8)] != nil {
                result.append(scalar)
                index += 1
            } else if let word = words.first(where: { scalars[index...].starts(with: $0) }) {
                result += word
                index += word.count
            } else {
                result += scalar.properties.lowercaseMapping.unicodeScalars
                index += 1
            }
        }
        return result
    }
}
