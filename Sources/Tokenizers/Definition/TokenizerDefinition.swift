/// Everything that one tokenizer needs, resolved to ids: what the pack stores in place of the published files.
package struct TokenizerDefinition: Hashable, Sendable {
    /// How a text without added tokens becomes ids.
    package enum Model: Hashable, Sendable {
        case bytePair(BytePairModel)
        case unigram(UnigramModel)
        /// A symbol per character: phonemes or letters.
        case characters(CharacterModel)
    }

    package var model: Model
    package var vocabulary: TokenTable
    /// Tokens that are found in the text before anything else happens to it.
    package var addedTokens: [AddedToken]
    /// Ids put before those of a text.
    package var prefix: [Int]
    /// Ids put after those of a text.
    package var suffix: [Int]
    package var padID: Int
    /// Number of ids, prefix and suffix included, that the model takes; nil if the files name no limit.
    package var maxLength: Int?

    package init(
        model: Model, vocabulary: TokenTable, addedTokens: [AddedToken], prefix: [Int], suffix: [Int], padID: Int,
        maxLength: Int?
    ) {
        self.model = model
        self.vocabulary = vocabulary
        self.addedTokens = addedTokens
        self.prefix = prefix
        self.suffix = suffix
        self.padID = padID
        self.maxLength = maxLength
    }
}

/// Byte-level BPE (GPT-2, RoBERTa).
package struct BytePairModel: Hashable, Sendable {
    /// Two neighbours and what they become.
    package struct Merge: Hashable, Sendable {
        package var left: Int
        package var right: Int
        package var result: Int

        package init(left: Int, right: Int, result: Int) {
            self.left = left
            self.right = right
            self.result = result
        }
    }

    /// The first has precedence.
    package var merges: [Merge]
    /// Put a space before each text that does not begin with one.
    package var addsPrefixSpace: Bool

    package init(merges: [Merge], addsPrefixSpace: Bool = false) {
        self.merges = merges
        self.addsPrefixSpace = addsPrefixSpace
    }
}

/// A unigram language model over pieces (SentencePiece, T5).
package struct UnigramModel: Hashable, Sendable {
    /// Log probabilities, by id.
    package var scores: [Double]
    package var unknownID: Int
    /// SentencePiece's `precompiled_charsmap`: see `CharacterMap`. Empty: no normalization.
    package var characterMap: [UInt8]

    package init(scores: [Double], unknownID: Int, characterMap: [UInt8]) {
        self.scores = scores
        self.unknownID = unknownID
        self.characterMap = characterMap
    }
}

/// A symbol for each character (VITS).
package struct CharacterModel: Hashable, Sendable {
    /// Of characters without a symbol; nil: they are left out.
    package var unknownID: Int?
    /// Of what stands between all symbols, and before and behind them; nil for nothing.
    package var blankID: Int?
    /// Put what has no symbol in lower case, and leave out what has none then, unless the text is turned into phonemes.
    package var isNormalized: Bool
    /// Texts are turned into phonemes first.
    package var isPhonemized: Bool
    /// Texts in other scripts are to be romanized first.
    package var isRomanized: Bool
    /// ISO 639-3, as the files name it; empty for none.
    package var language: String

    package init(
        unknownID: Int? = nil, blankID: Int? = nil, isNormalized: Bool = true, isPhonemized: Bool = false,
        isRomanized: Bool = false, language: String = ""
    ) {
        self.unknownID = unknownID
        self.blankID = blankID
        self.isNormalized = isNormalized
        self.isPhonemized = isPhonemized
        self.isRomanized = isRomanized
        self.language = language
    }
}

/// A token that is found in the text as it is written.
package struct AddedToken: Hashable, Sendable {
    package var content: String
    package var id: Int
    /// Takes the whitespace on its left with it.
    package var stripsLeft: Bool
    /// Takes the whitespace on its right with it.
    package var stripsRight: Bool
    /// Is looked for in the normalized text, where other tokens have been found already.
    package var isNormalized: Bool

    package init(
        content: String, id: Int, stripsLeft: Bool = false, stripsRight: Bool = false, isNormalized: Bool = false
    ) {
        self.content = content
        self.id = id
        self.stripsLeft = stripsLeft
        self.stripsRight = stripsRight
        self.isNormalized = isNormalized
    }
}
