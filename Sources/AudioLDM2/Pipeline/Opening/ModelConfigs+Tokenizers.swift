import Tokenizers

extension ModelConfigs {
    /// Refuses a tokenizer that is not of the text encoder behind it: of another kind, or with ids that the encoder has no
    /// vectors for.
    /// - Parameter name: the part's, such as `tokenizer_2`.
    /// - Throws: `ConfigError.disagreement`.
    package func check(_ tokenizer: TokenizerDefinition, named name: String) throws {
        guard let encoder = PartName.tokenizers.first(where: { $0.value == name })?.key,
            let (kind, rows) = reader(encoder)
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

    /// Which tokenizer's ids a text encoder reads, and how many.
    private func reader(_ encoder: String) -> (kind: TokenizerKind, rows: Int)? {
        guard encoder == PartName.second else { return clapConfig.map { (.roberta, $0.textConfig.vocabSize) } }
        return switch secondConfig {
        case .t5(let config): (.t5, config.vocabSize)
        case .phonemes(let config): (.vits, config.vocabSize)
        case nil: nil
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
