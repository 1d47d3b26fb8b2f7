import FoundationEssentials
import Glibc

/// Reads the published file forms of tokenizers, as `from_pretrained` of transformers 5 does: of `tokenizer.json` only
/// the vocabulary, merges, scores, character map and added tokens count; how text is cut is the class's.
package enum TokenizerReader {
    /// A limit above this is the "no limit" of transformers, which writes 10³⁰.
    private static let largestMaxLength = 1_000_000

    /// Reads `tokenizer.json` if there is one, otherwise the older form: `vocab.json` and `merges.txt`, or
    /// `spiece.model`. `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json` are taken into
    /// account where they are present.
    ///
    /// - Throws: `TokenizerError`.
    package static func read(folder url: URL, kind: TokenizerKind) throws -> TokenizerDefinition {
        let folder = TokenizerFolder(url: url)
        let name = "tokenizer_config.json"
        let config = try folder.json(name) ?? JSONField(file: folder.path(name), value: .object([]))
        let file = try folder.json("tokenizer.json")
        let definition =
            switch kind {
            case .roberta: try readRoberta(folder, config: config, file: file)
            case .t5: try readT5(folder, config: config, file: file)
            case .vits: try readVits(folder, config: config)
            }
        try definition.validate(source: url.path)
        return definition
    }

    private static func readRoberta(
        _ folder: TokenizerFolder, config: JSONField, file: JSONField?
    ) throws(TokenizerError) -> TokenizerDefinition {
        let files = try BytePairFiles(folder, file: file)
        let special = try SpecialTokens(
            folder, config: config, tokenizerFile: file,
            defaults: [
                "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "sep_token": "</s>",
                "pad_token": "<pad>", "cls_token": "<s>", "mask_token": "<mask>",
            ], defaultExtra: [])
        let binding = TokenBinding(special, vocabulary: files.vocabulary, nextID: files.vocabulary.count)
        return TokenizerDefinition(
            model: .bytePair(
                BytePairModel(
                    merges: files.merges, addsPrefixSpace: try config["add_prefix_space"]?.bool() ?? false)),
            vocabulary: files.table, addedTokens: binding.tokens,
            prefix: [try binding.id(of: "cls_token", config)], suffix: [try binding.id(of: "sep_token", config)],
            padID: try binding.id(of: "pad_token", config), maxLength: try maxLength(config))
    }

    private static func readT5(
        _ folder: TokenizerFolder, config: JSONField, file: JSONField?
    ) throws(TokenizerError) -> TokenizerDefinition {
        let files = try UnigramFiles(folder, config: config, file: file)
        let special = try SpecialTokens(
            folder, config: config, tokenizerFile: file,
            defaults: ["eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"],
            defaultExtra: files.extraTokens.map { SpecialTokens.Entry(content: $0) })
        let binding = TokenBinding(special, vocabulary: files.vocabulary, nextID: files.table.count)
        return TokenizerDefinition(
            model: .unigram(files.model), vocabulary: files.table, addedTokens: binding.tokens, prefix: [],
            suffix: [try binding.id(of: "eos_token", config)], padID: try binding.id(of: "pad_token", config),
            maxLength: try maxLength(config))
    }

    private static func readVits(
        _ folder: TokenizerFolder, config: JSONField
    ) throws(TokenizerError) -> TokenizerDefinition {
        guard let file = try folder.json("vocab.json") else {
            guard try folder.json("tokenizer_config.json") != nil else {
                throw .missingFiles(folder: folder.url.path, expected: "vocab.json")
            }
            // There is but one table that models were trained with.
            var symbols = TokenizerDefinition.vitsSymbols
            symbols.maxLength = try maxLength(config) ?? symbols.maxLength
            return symbols
        }
        let (ids, table) = try BytePairFiles.vocabulary(file)
        let special = try SpecialTokens(
            folder, config: config, tokenizerFile: nil, defaults: ["unk_token": "<unk>", "pad_token": "<pad>"],
            defaultExtra: [])
        let binding = TokenBinding(special, vocabulary: ids, nextID: ids.count)
        func isOn(_ key: String, default value: Bool = true) throws(TokenizerError) -> Bool {
            try config[key]?.bool() ?? value
        }
        func id(of name: String) throws(TokenizerError) -> Int? {
            special.named[name] == nil ? nil : try binding.id(of: name, config)
        }
        let model = CharacterModel(
            unknownID: try id(of: "unk_token"), blankID: try isOn("add_blank") ? 0 : nil,
            isNormalized: try isOn("normalize"), isPhonemized: try isOn("phonemize"),
            isRomanized: try isOn("is_uroman", default: false), language: try config["language"]?.string() ?? "")
        return TokenizerDefinition(
            model: .characters(model), vocabulary: table,
            addedTokens: binding.tokens.filter { !$0.isPlainSymbol(of: ids) || model.blankID != nil }, prefix: [],
            suffix: [], padID: try id(of: "pad_token") ?? 0, maxLength: try maxLength(config))
    }

    private static func maxLength(_ config: JSONField) throws(TokenizerError) -> Int? {
        for side in ["padding_side", "truncation_side"] {
            guard try (config[side]?.string() ?? "right") == "right" else {
                throw config.invalid("\(side) other than \"right\" is not supported")
            }
        }
        guard let field = config["model_max_length"] ?? config["max_len"] else { return nil }
        let length = try field.number()
        guard length >= 1 else { throw field.invalid("\(length) is not a length") }
        return length <= Double(largestMaxLength) ? Int(length) : nil
    }
}

extension AddedToken {
    /// Whether it is found as the symbol that it is, too; blanks do not stand around it then.
    fileprivate func isPlainSymbol(of vocabulary: [[UInt8]: Int]) -> Bool {
        vocabulary[Array(content.utf8)] == id && content.unicodeScalars.count == 1 && !stripsLeft && !stripsRight
    }
}

/// Special tokens bound to ids: those of the vocabulary, and new ones after its end for the others.
private struct TokenBinding {
    let tokens: [AddedToken]
    private let ids: [String: Int]

    /// - Parameter nextID: for the first token that the vocabulary lacks.
    init(_ special: SpecialTokens, vocabulary: [[UInt8]: Int], nextID: Int) {
        var contentIDs = vocabulary
        var nextID = nextID
        tokens = special.added.map { entry in
            let key = Array(entry.content.utf8)
            let id = contentIDs[key] ?? nextID
            if contentIDs.updateValue(id, forKey: key) == nil { nextID += 1 }
            return AddedToken(
                content: entry.content, id: id, stripsLeft: entry.stripsLeft, stripsRight: entry.stripsRight,
                isNormalized: entry.isNormalized)
        }
        ids = special.named.compactMapValues { contentIDs[Array($0.content.utf8)] }
    }

    /// - Parameter config: the file that a missing token should be added to, for the message.
    func id(of name: String, _ config: JSONField) throws(TokenizerError) -> Int {
        guard let id = ids[name] else { throw config.invalid("there is no \(name)") }
        return id
    }
}
