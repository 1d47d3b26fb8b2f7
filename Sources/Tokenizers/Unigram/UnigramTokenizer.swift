/// SentencePiece's unigram model with added tokens, as `T5Tokenizer` of transformers 5 does it: normalize, split at
/// whitespace, put `▁` before each word, segment.
struct UnigramTokenizer: Tokenizer {
    /// U+2581, which stands for the space before a word.
    private static let wordMark = Array("▁".utf8)

    let definition: TokenizerDefinition
    private let characterMap: CharacterMap?
    private let segmenter: UnigramSegmenter
    private let addedTokens: AddedTokens

    init(_ definition: TokenizerDefinition, model: UnigramModel) throws {
        self.definition = definition
        let map =
            model.characterMap.isEmpty
            ? nil : try CharacterMap(model.characterMap, file: TokenizerDefinition.defaultSource)
        characterMap = map
        segmenter = UnigramSegmenter(model, vocabulary: definition.vocabulary)
        addedTokens = AddedTokens(definition.addedTokens) { map?.normalize($0) ?? $0 }
    }

    func contentIDs(of text: String) -> [Int] {
        addedTokens.split(text, normalize: { characterMap?.normalize($0) ?? $0 }).flatMap { piece in
            switch piece {
            case .token(let id): [id]
            case .text(let text): Self.words(of: text).flatMap(segmenter.ids(of:))
            }
        }
    }

    func decode(_ ids: [Int]) -> String {
        let tokens = ids.compactMap { addedTokens.contents[$0] ?? definition.vocabulary.token($0) }
        var text = String.UnicodeScalarView()
        for (index, token) in tokens.enumerated() {
            for scalar in String(decoding: token, as: UTF8.self).unicodeScalars {
                if scalar != "▁" { text.append(scalar) } else if index > 0 { text.append(" ") }
            }
        }
        return String(text)
    }

    /// What whitespace or `▁` separates, each with `▁` before it.
    private static func words(of text: String) -> [[UInt8]] {
        text.unicodeScalars.split { $0.properties.isWhitespace }.flatMap { word in
            var words: [[UInt8]] = []
            for scalar in word {
                if words.isEmpty || scalar == "▁" { words.append(wordMark) }
                if scalar != "▁" { words[words.count - 1] += scalar.utf8 }
            }
            return words
        }
    }
}
