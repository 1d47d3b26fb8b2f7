import FoundationEssentials
import Tokenizers

/// Tokenizers: as published folders have them, and as packs do.
extension FuzzTarget {
    static let tokenizers = [
        FuzzTarget(
            "tokenizer", "a folder's tokenizer.json and what goes with it", longest: 8192, dictionary: "tokenizer"
        ) { input in
            let url = URL(fileURLWithPath: try input.folder(input.sections))
            let kind = try TokenizerKind(folder: url)
            try TokenizerCheck.encode(by: makeTokenizer(TokenizerReader.read(folder: url, kind: kind)))
        },
        FuzzTarget("merges", "merges.txt beside a vocabulary", longest: 2048) { input in
            try read(input, .roberta, [("vocab.json", Array(vocabulary.utf8)), ("merges.txt", input.bytes)])
        },
        FuzzTarget("vocabulary", "vocab.json of symbols", longest: 2048, dictionary: "tokenizer") { input in
            try read(input, .vits, [("vocab.json", input.bytes)])
        },
        FuzzTarget("spiece", "spiece.model", longest: 4096) { input in
            // Of the hundred extra tokens that T5 has, two do.
            let config = Array(#"{"extra_ids": 2}"#.utf8)
            try read(input, .t5, [("tokenizer_config.json", config), ("spiece.model", input.bytes)])
        },
        FuzzTarget("stored-tokenizer", "a tokenizer as packs hold it", longest: 4096) { input in
            let definition = try TokenizerDefinition(decoding: Data(input.bytes))
            let tokenizer = try makeTokenizer(definition)
            try TokenizerCheck.encode(by: tokenizer)
            let again = try TokenizerDefinition(decoding: definition.encoded())
            mustHold(again == definition, "what was stored is not what was read")
        },
        FuzzTarget("text", "a prompt, by tokenizers of every kind", longest: 512) { input in
            let text = String(decoding: input.bytes, as: UTF8.self)
            for tokenizer in TokenizerCheck.samples { TokenizerCheck.encode(text, by: tokenizer) }
            _ = EnglishCleaner.clean(text)
        },
    ]

    private static let vocabulary =
        #"{"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 4, "a": 5, "b": 6, "c": 7, "Ġ": 8, "ab": 9, "Ġa": 10, "abc": 11, "Ġab": 12, "é": 13, "aé": 14}"#

    private static func read(
        _ input: FuzzInput, _ kind: TokenizerKind, _ files: [(name: String, bytes: [UInt8])]
    ) throws {
        let url = URL(fileURLWithPath: try input.folder(files))
        try TokenizerCheck.encode(by: makeTokenizer(TokenizerReader.read(folder: url, kind: kind)))
    }
}

/// What every tokenizer must be able to do.
enum TokenizerCheck {
    private static let text = "a dog barks  <mask> ﬁn\u{301} 漢字 1999's </s><extra_id_0>ab"

    static func encode(by tokenizer: any Tokenizer) throws { encode(text, by: tokenizer) }

    static func encode(_ text: String, by tokenizer: any Tokenizer) {
        let definition = tokenizer.definition
        let fixed = definition.prefix.count + definition.suffix.count
        let encoding = tokenizer.encode(text, maxLength: fixed + 12)
        mustHold(
            encoding.ids.count == encoding.attentionMask.count && encoding.ids.count <= fixed + 12,
            "more ids than asked for")
        let whole = tokenizer.contentIDs(of: text)
        let highest = max(definition.vocabulary.count - 1, definition.addedTokens.map(\.id).max() ?? 0)
        mustHold(whole.allSatisfy { (0...highest).contains($0) }, "an id that there is not")
        _ = tokenizer.decode(whole)
    }

    /// One of each kind, small.
    static let samples: [any Tokenizer] = {
        let pieces = ["<pad>", "</s>", "<unk>", "▁", "▁a", "a", "b", "ab", "▁dog", "s", "é", "字"].map { Array($0.utf8) }
        let unigram = TokenizerDefinition(
            model: .unigram(
                UnigramModel(scores: pieces.indices.map { -Double($0) }, unknownID: 2, characterMap: [])),
            vocabulary: TokenTable(pieces),
            addedTokens: [AddedToken(content: "<x>", id: 20, stripsLeft: true, stripsRight: true)], prefix: [],
            suffix: [1], padID: 0, maxLength: 16)
        let tokens = ["<s>", "</s>", "a", "b", "Ġ", "ab", "Ġa"].map { Array($0.utf8) }
        let bytePair = TokenizerDefinition(
            model: .bytePair(
                BytePairModel(merges: [.init(left: 2, right: 3, result: 5), .init(left: 4, right: 2, result: 6)])),
            vocabulary: TokenTable(tokens), addedTokens: [AddedToken(content: "<mask>", id: 9, isNormalized: true)],
            prefix: [0], suffix: [1], padID: 1, maxLength: nil)
        var letters = TokenizerDefinition.vitsSymbols
        letters.model = .characters(CharacterModel(unknownID: 3, blankID: 0, language: "ron"))
        return [unigram, bytePair, letters, .vitsSymbols].compactMap { try? makeTokenizer($0) }
    }()
}
