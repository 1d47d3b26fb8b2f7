import Tokenizers

extension ModelConfigs {
    /// Refuses a tokenizer that is not of the text encoder behind it: of another kind, or with ids that the encoder has no
    /// vectors for.
    /// - Parameter name: the part's, such as `tokenizer_2`.
    /// - Throws: `ConfigError.disagreement`.
    package func check(_ tokenizer: TokenizerDefinition, named name: String) throws {
        try Self.check(tokenizer, named: name, clap: clapConfig, second: secondConfig)
    }

    /// The same of text encoders that need not be a model's.
    package static func check(
        _ tokenizer: TokenizerDefinition, named name: String, clap: CLAPConfig?, second: StateEncoderConfig?
    ) throws {
        guard let encoder = PartName.tokenizers.first(where: { $0.value == name })?.key,
            let (kind, rows) = encoder == PartName.second ? second?.reader : clap?.reader
        else { return }
        guard tokenizer.kind == kind else {
            throw ConfigError.disagreement(
                component: encoder, key: "model_type", value: kind.modelType, other: name,
                otherValue: "the ids of \(tokenizer.kind.modelType)")
        }
        let highest = max(tokenizer.highestID, kind == .vits ? PromptEncoder.endOfPhonemes : 0)
        guard highest < rows else {
            throw ConfigError.disagreement(
                component: encoder, key: "vocab_size", value: "\(rows)", other: name, otherValue: "ids up to \(highest)"
            )
        }
    }

}

extension CLAPConfig {
    /// Which tokenizer's ids it reads, and how many.
    fileprivate var reader: (kind: TokenizerKind, rows: Int) { (.roberta, textConfig.vocabSize) }
}

extension StateEncoderConfig {
    /// Which tokenizer's ids it reads, and how many.
    fileprivate var reader: (kind: TokenizerKind, rows: Int) {
        switch self {
        case .t5(let config): (.t5, config.vocabSize)
        case .phonemes(let config): (.vits, config.vocabSize)
        }
    }
}

extension TokenizerKind {
    /// As a model's configuration calls its kind.
    fileprivate var modelType: String {
        switch self {
        case .roberta: "roberta"
        case .t5: "t5"
        case .vits: "vits"
        }
    }
}

extension TokenizerDefinition {
    fileprivate var kind: TokenizerKind {
        switch model {
        case .bytePair: .roberta
        case .unigram: .t5
        case .characters: .vits
        }
    }

    /// Of the vocabulary and the tokens that were added to it.
    fileprivate var highestID: Int { max(vocabulary.count - 1, addedTokens.map(\.id).max() ?? 0) }
}
