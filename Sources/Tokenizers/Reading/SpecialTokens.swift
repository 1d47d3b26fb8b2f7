/// The special and added tokens of a folder, gathered from its files in the order of precedence that `from_pretrained`
/// of transformers 5 has (`tokenization_utils_base.py`, `tokenization_utils_tokenizers.py`).
///
/// Flags come from `added_tokens_decoder` of `tokenizer_config.json` alone, if it is there; otherwise from
/// `tokenizer.json`, then `added_tokens.json`, then `special_tokens_map.json`, then `tokenizer_config.json`. A special
/// token that only has a name gets no flags.
struct SpecialTokens {
    /// A token that is not yet bound to an id.
    struct Entry {
        var content: String
        var stripsLeft = false
        var stripsRight = false
        var isNormalized = false
    }

    /// In transformers' order, in which those that the vocabulary lacks get ids.
    private static let names = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]

    /// By name, as in `sep_token`.
    private(set) var named: [String: Entry]
    /// All, in the order in which they are added.
    private(set) var added: [Entry] = []

    /// - Parameters:
    ///   - defaults: contents of the named tokens of the tokenizer's class.
    ///   - defaultExtra: further special tokens if no file lists any.
    init(
        _ folder: TokenizerFolder, config: JSONField, tokenizerFile: JSONField?, defaults: [String: String],
        defaultExtra: [Entry]
    ) throws(TokenizerError) {
        named = defaults.mapValues { Entry(content: $0) }
        var extra = try readSpecial(config)
        var listed: [Int: Entry]
        if let decoder = config["added_tokens_decoder"] {
            listed = try Self.decoderEntries(decoder)
        } else {
            if let map = try folder.json("special_tokens_map.json") {
                let mapped = try readSpecial(map)
                extra = extra ?? mapped
            }
            listed = try legacyEntries(try folder.json("added_tokens.json"), special: extra ?? [])
            for field in try tokenizerFile?["added_tokens"]?.elements() ?? [] {
                listed[try Self.id(try field.required("id"))] = try Self.entry(field)
            }
        }
        gather(listed: listed.sorted { $0.key < $1.key }.map(\.value), extra: extra ?? defaultExtra)
    }

    /// Takes over the named tokens of a file.
    /// - Returns: its further special tokens, nil if it lists none.
    private mutating func readSpecial(_ file: JSONField) throws(TokenizerError) -> [Entry]? {
        for name in Self.names {
            if let field = file[name] {
                named[name] = try Self.entry(field, isSpecial: true)
            } else if file.hasNull(name) {
                named[name] = nil
            }
        }
        for key in ["extra_special_tokens", "additional_special_tokens"] {
            guard let field = file[key] else { continue }
            // A list, or an object that names them.
            let tokens =
                if case .object = field.value { try field.members().map(\.value) } else { try field.elements() }
            var entries: [Entry] = []
            for token in tokens { entries.append(try Self.entry(token, isSpecial: true)) }
            if !entries.isEmpty { return entries }
        }
        return nil
    }

    private static func decoderEntries(_ decoder: JSONField) throws(TokenizerError) -> [Int: Entry] {
        var entries: [Int: Entry] = [:]
        for (key, field) in try decoder.members() {
            guard let id = Int(key), (0..<TokenTable.maximumCount).contains(id) else {
                throw field.invalid("expected a token's id as name")
            }
            entries[id] = try entry(field)
        }
        return entries
    }

    /// `added_tokens.json`: content → id.
    private func legacyEntries(_ file: JSONField?, special: [Entry]) throws(TokenizerError) -> [Int: Entry] {
        var entries: [Int: Entry] = [:]
        let specialContents = (Array(named.values) + special).map(\.content.utf8)
        for (content, field) in try file?.members() ?? [] {
            let isSpecial = specialContents.contains { $0.elementsEqual(content.utf8) }
            entries[try Self.id(field)] = Entry(content: content, isNormalized: !isSpecial)
        }
        return entries
    }

    /// Puts all tokens in order. Of two with one content the later counts, but what is listed with flags prevails.
    private mutating func gather(listed: [Entry], extra: [Entry]) {
        let listedContents = Set(listed.map { Array($0.content.utf8) })
        let unlisted = (Self.names.compactMap { named[$0] } + extra).filter {
            !listedContents.contains(Array($0.content.utf8))
        }
        var places: [[UInt8]: Int] = [:]
        for entry in listed + unlisted where !entry.content.isEmpty {
            let key = Array(entry.content.utf8)
            if let place = places[key] {
                added[place] = entry
            } else {
                places[key] = added.count
                added.append(entry)
            }
        }
    }
}

// MARK: Fields

extension SpecialTokens {
    private static func id(_ field: JSONField) throws(TokenizerError) -> Int {
        try field.integer(in: 0..<TokenTable.maximumCount)
    }

    /// A token written as a string, or as an object with its flags.
    ///
    /// - Parameter isSpecial: nil if the object says whether it is, which decides what is not said of its flags.
    private static func entry(_ field: JSONField, isSpecial: Bool? = nil) throws(TokenizerError) -> Entry {
        if case .string(let content) = field.value { return Entry(content: content) }
        func flag(_ name: String, default value: Bool = false) throws(TokenizerError) -> Bool {
            try field[name]?.bool() ?? value
        }
        guard try !flag("single_word") else {
            throw field.invalid("a token that matches whole words only (single_word) is not supported")
        }
        let isSpecial = if let isSpecial { isSpecial } else { try flag("special") }
        return Entry(
            content: try field.required("content").string(), stripsLeft: try flag("lstrip"),
            stripsRight: try flag("rstrip"), isNormalized: try flag("normalized", default: !isSpecial))
    }
}
