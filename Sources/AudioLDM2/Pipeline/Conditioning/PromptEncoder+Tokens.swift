import Checkpoints
import Text
import Tokenizers

extension PromptEncoder {
    /// Both texts' ids, the negative one's first if there is one.
    /// - Parameters:
    ///   - negative: nil without guidance.
    ///   - speech: for models that speak, and for no others.
    ///   - profile: says what stands for the negative text's language of audio.
    /// - Throws: `AudioLDM2Error` of kind `.invalidOption` if a model that speaks is not told what, or another is.
    package func tokenize(
        _ prompt: String, negative: String?, speech: SoundOptions.Speech?, profile: ReferenceProfile = .diffusers
    ) throws -> [Tokens] {
        let texts =
            [negative.map { (text: $0, name: "negative prompt", prefix: "negative.", zero: profile == .authors) }]
            .compactMap(\.self) + [(text: prompt, name: "prompt", prefix: "", zero: false)]
        let isConditioned = context.model.isConditionedOnCLAP
        let clap = try texts.map { isConditioned ? try clapTokens($0.text, named: $0.name) : nil }
        let second = try secondTokens(texts.map { ($0.text, $0.name) }, speech: speech)
        if let note = context.model.vocabulary?.note(on: prompt) { context.warn(note) }
        return texts.indices.map {
            Tokens(clap: clap[$0], second: second[$0], prefix: texts[$0].prefix, hasZeroLanguage: texts[$0].zero)
        }
    }

    /// As many tokens as a text can have, for plans.
    package func longestTokens(count: Int) throws -> [Tokens] {
        let model = context.model
        func longest(_ tokenizer: String, _ limit: Int) throws -> Encoding {
            let definition = try tokenizers[tokenizer].definition
            let length = min(definition.maxLength ?? .max, limit)
            return Encoding(
                ids: Array(repeating: definition.padID, count: length),
                attentionMask: Array(repeating: 1, count: length))
        }
        let positions = model.projectionConfig?.learnedPositions ?? 512
        let clap =
            try model.isConditionedOnCLAP ? model.clapConfig.map { try longest(PartName.tokenizer, $0.maxTokens) } : nil
        let second = try model.secondConfig.map { _ in try longest(PartName.tokenizer2, positions) }
        // Different prefixes, as equal texts are read once.
        return (0..<count).map { Tokens(clap: clap, second: second, prefix: "\($0).", hasZeroLanguage: false) }
    }

    private func clapTokens(_ text: String, named name: String) throws -> Encoding? {
        try context.model.clapConfig.map { try context.clapTokens(text, named: name, $0, tokenizers) }
    }

    /// - Parameter texts: the prompt last.
    private func secondTokens(
        _ texts: [(text: String, name: String)], speech: SoundOptions.Speech?
    ) throws -> [Encoding?] {
        if case .phonemes = context.model.secondConfig { return try phonemes(speech, texts: texts.count) }
        guard speech == nil else {
            throw AudioLDM2Error(
                .invalidOption, "this model does not speak: leave out what to say, and put all into the prompt")
        }
        guard context.model.secondConfig != nil, let prompt = texts.last else { return texts.map { _ in nil } }
        let tokenizer = try tokenizers[PartName.tokenizer2]
        let positive = tokenizer.encode(prompt.text)
        context.warnOfCut(prompt.name, positive, "T5", limit: tokenizer.definition.maxLength ?? 0)
        for text in texts { warnOfUnknown(text.text, text.name, tokenizer, "T5") }
        // The reference pads the negative prompt to the prompt's length, and cuts it there.
        let length = positive.ids.count
        let negatives = texts.dropLast().map { text in
            let encoding = tokenizer.encode(text.text, maxLength: length, padding: .maxLength(length))
            context.warnOfCut(text.name, encoding, "T5", limit: length, because: ", as many as the prompt has")
            return encoding
        }
        return negatives + [positive]
    }

    /// What to say, padded to the model's length, with a mark at its end if there is room. The negative text says nothing:
    /// it is all padding.
    private func phonemes(_ speech: SoundOptions.Speech?, texts: Int) throws -> [Encoding] {
        let tokenizer = try tokenizers[PartName.tokenizer2]
        let definition = tokenizer.definition
        let positions = context.model.projectionConfig?.learnedPositions ?? .max
        guard let speech, let length = [definition.maxLength, positions].compactMap(\.self).min() else {
            throw AudioLDM2Error(
                .invalidOption, "this model speaks: say what (a transcription, or phonemes), and in the prompt who")
        }
        let symbols = tokenizer.contentIDs(of: try spelled(speech, for: tokenizer))
        guard !symbols.isEmpty else {
            throw AudioLDM2Error(.invalidOption, "there is nothing to say: none of its characters is a phoneme")
        }
        if symbols.count > length {
            context.warn(
                "what to say is longer than the \(length) phonemes that this model reads; it does not say "
                    + tokenizer.decode(Array(symbols.dropFirst(length))).quoted)
        }
        let spoken = symbols.prefix(length)
        let padding = length - spoken.count
        var positive = Encoding(
            ids: spoken + Array(repeating: definition.padID, count: padding),
            attentionMask: Array(repeating: 1, count: spoken.count) + Array(repeating: 0, count: padding))
        // The reference marks the first id that is zero, which is the first one if blanks stand between the symbols.
        if let end = positive.ids.firstIndex(of: 0) {
            positive.ids[end] = Self.endOfPhonemes
            positive.attentionMask[end] = 1
        }
        let silence = Encoding(
            ids: Array(repeating: definition.padID, count: length), attentionMask: Array(repeating: 0, count: length))
        return Array(repeating: silence, count: texts - 1) + [positive]
    }

    /// The reference's: one past the published symbols.
    package static let endOfPhonemes = 182

    /// What to say in the symbols of the model.
    private func spelled(_ speech: SoundOptions.Speech, for tokenizer: any Tokenizer) throws -> String {
        guard case .text(let text) = speech, let tokenizer = tokenizer as? CharacterTokenizer else {
            if case .phonemes(let phonemes) = speech { return phonemes.trimmed }
            return ""
        }
        if tokenizer.model.isRomanized, !text.utf8.allSatisfy({ $0 < 0x80 }) {
            context.warn(
                "this model reads romanized text (uroman), and what to say is taken as it is; romanize it first")
        }
        if tokenizer.model.isPhonemized {
            return try Phonemizer(Espeak.phonemizer()).phonemes(of: tokenizer.prepared(text))
        }
        // A tokenizer that leaves texts as they are, but has the symbols of phonemes, is given what the authors' code makes.
        guard tokenizer.spellsPhonemes else { return text }
        return try Phonemizer(Espeak.phonemizer()).phonemes(of: EnglishCleaner.clean(text))
    }

    private func warnOfUnknown(_ text: String, _ name: String, _ tokenizer: any Tokenizer, _ encoder: String) {
        guard case .unigram(let model) = tokenizer.definition.model else { return }
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
            .filter { tokenizer.contentIDs(of: $0).contains(model.unknownID) }
        guard !words.isEmpty else { return }
        let shown = words.prefix(5).map(\.quoted).joined(separator: ", ") + (words.count > 5 ? " …" : "")
        context.warn("\(encoder) has no tokens for all of \(shown) in the \(name); these models read English")
    }
}

extension StageContext {
    /// A text as CLAP reads it.
    package func clapTokens(
        _ text: String, named name: String, _ config: CLAPConfig, _ tokenizers: PromptTokenizers
    ) throws -> Encoding {
        let tokenizer = try tokenizers[PartName.tokenizer]
        let limit = min(tokenizer.definition.maxLength ?? .max, config.maxTokens)
        let encoding = tokenizer.encode(text, maxLength: limit, padding: .none)
        warnOfCut(name, encoding, "CLAP", limit: limit)
        return encoding
    }

    /// Says what of a text an encoder does not read, if there is something.
    fileprivate func warnOfCut(
        _ name: String, _ encoding: Encoding, _ encoder: String, limit: Int, because reason: String = ""
    ) {
        guard let cut = encoding.truncatedText else { return }
        let start = cut.count > 100 ? cut.prefix(100) + "…" : cut
        warn(
            "the \(name) is longer than the \(limit) tokens that \(encoder) reads here\(reason); it ignores "
                + String(start).quoted)
    }
}
