import FoundationEssentials

/// The classes of tokenizers that text goes through in AudioLDM 2.
package enum TokenizerKind: Sendable, CaseIterable {
    /// Byte-level BPE in the template `<s> … </s>`.
    case roberta
    /// Unigram in the template `… </s>`.
    case t5
    /// A symbol per phoneme.
    case vits

    /// - Parameter className: as in `model_index.json`, for instance `RobertaTokenizer` or `T5TokenizerFast`.
    package init?(className: String) {
        guard let kind = Self.allCases.first(where: { [$0.className, $0.className + "Fast"].contains(className) })
        else { return nil }
        self = kind
    }

    /// The reference's class.
    package var className: String {
        switch self {
        case .roberta: "RobertaTokenizer"
        case .t5: "T5Tokenizer"
        case .vits: "VitsTokenizer"
        }
    }

    /// Classes of transformers that take any tokenizer's files, so that their name says nothing.
    private static let generalClasses: Set = [
        "PreTrainedTokenizerFast", "PreTrainedTokenizer", "TokenizersBackend", "PythonBackend", "SentencePieceBackend",
    ]

    /// Whether only the files can say what a tokenizer of this class does.
    package static func isGeneral(_ className: String) -> Bool { generalClasses.contains(className) }
}

extension TokenizerKind {
    /// The class of a folder by itself: what its `tokenizer_config.json` names, or what its files are of if that is absent,
    /// names none or a general one.
    /// - Throws: `TokenizerError` for another class, and for files that no class here reads.
    package init(folder url: URL) throws(TokenizerError) {
        let folder = TokenizerFolder(url: url)
        if let field = try folder.json("tokenizer_config.json")?["tokenizer_class"] {
            let name = try field.string()
            if let kind = Self(className: name) {
                self = kind
                return
            }
            guard Self.isGeneral(name) else {
                let known = Self.allCases.map(\.className).joined(separator: ", ")
                throw field.invalid("\(name) is not supported, only \(known); give another folder")
            }
        }
        self = try Self.kind(of: folder)
    }

    private static func kind(of folder: TokenizerFolder) throws(TokenizerError) -> TokenizerKind {
        if let file = try folder.json("tokenizer.json") {
            let model = try file.required("model")
            let type = try model["type"]?.string() ?? (model["merges"] == nil ? "Unigram" : "BPE")
            guard let kind = ["BPE": TokenizerKind.roberta, "Unigram": .t5][type] else {
                throw model.invalid("\(type) is not supported, only BPE (RoBERTa's) and Unigram (T5's)")
            }
            try kind.requireSpecialTokens(folder, file)
            return kind
        }
        if folder.has("vocab.json") {
            guard folder.has("merges.txt") else { return .vits }
            try roberta.requireSpecialTokens(folder, nil)
            return .roberta
        }
        guard folder.has("spiece.model") else {
            throw .missingFiles(
                folder: folder.url.path,
                expected: "tokenizer.json, vocab.json with or without merges.txt, or spiece.model")
        }
        try t5.requireSpecialTokens(folder, nil)
        return .t5
    }

    /// Other models have files of the same forms (GPT-2: the same merges under other ids), and the class would give them
    /// the tokens that they lack.
    private func requireSpecialTokens(_ folder: TokenizerFolder, _ file: JSONField?) throws(TokenizerError) {
        let config = JSONField(file: folder.path("tokenizer_config.json"), value: .object([]))
        let (vocabulary, needed) =
            switch self {
            case .roberta: (try BytePairFiles(folder, file: file).vocabulary, ["<s>", "</s>", "<pad>"])
            case .t5: (try UnigramFiles(folder, config: config, file: file).vocabulary, ["</s>", "<pad>"])
            case .vits: ([:], [])
            }
        var known = Set(vocabulary.keys)
        for token in try file?["added_tokens"]?.elements() ?? [] {
            known.insert(Array(try token.required("content").string().utf8))
        }
        if let absent = needed.first(where: { !known.contains(Array($0.utf8)) }) {
            throw .invalidField(
                file: folder.url.path, field: "vocabulary",
                reason:
                    "there is no \(absent), so these are not the files of a \(className); give another folder, or name "
                    + "the class in tokenizer_config.json (tokenizer_class)")
        }
    }
}
