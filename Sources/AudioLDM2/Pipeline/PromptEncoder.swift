import Checkpoints
import Tensors
import Tokenizers

/// One text as the denoiser reads it.
struct Condition: Sendable {
    /// The language of audio, `[1, vectors, width]`.
    let loa: Tensor
    /// The second text encoder's states, `[1, tokens, width]`, padding included.
    let states: Tensor
    /// 1 for tokens, 0 for padding.
    let mask: [Int]
}

/// Prompt and negative prompt to conditions: tokenizers, CLAP, T5, projection, GPT-2.
///
/// diffusers `AudioLDM2Pipeline.encode_prompt`. Each model is loaded once, used for both texts, and let go.
struct PromptEncoder {
    let context: StageContext
    /// Sees every intermediate result by its name in golden files.
    var observe: (_ name: String, _ tensor: Tensor) throws -> Void = { _, _ in }

    /// The ids of one text for both encoders.
    struct Tokens {
        let clap: Encoding
        let second: Encoding
        /// Precedes the names of this text's intermediate results.
        let prefix: String
    }

    /// - Parameter negative: nil without guidance.
    /// - Returns: the negative text's condition first, if there is one.
    func encode(_ prompt: String, negative: String?) throws -> [Condition] {
        try encode(tokenize(prompt, negative: negative))
    }

    /// - Parameter tokens: of any number of texts.
    /// - Returns: a condition for each.
    func encode(_ tokens: [Tokens]) throws -> [Condition] {
        let (model, backend) = (context.model, context.backend)
        let total = 3
        context.report(.encoding, 0, of: total)
        let embeddings = try context.with(
            Model.Part.clap, { try CLAPTextEncoder(model.clapConfig, $0) },
            { encoder in try tokens.map { try encoder($0.clap.ids, on: backend) } })
        context.report(.encoding, 1, of: total)
        let states = try context.with(
            Model.Part.second, { try T5Encoder(model.t5Config, $0) },
            { encoder in
                try tokens.map { try encoder($0.second.ids, mask: $0.second.attentionMask, on: backend) }
            })
        context.report(.encoding, 2, of: total)
        let projected = try context.with(
            Model.Part.projection, { try ProjectionModel(model.projectionConfig, $0) },
            { project in
                try tokens.indices.map { index in
                    let clap = embeddings[index]
                    return try project(
                        clap: clap.reshaped([1, 1, clap.shape.last]), second: states[index],
                        mask: tokens[index].second.attentionMask)
                }
            })
        let loas = try context.with(
            Model.Part.languageModel, { try GPT2(model.languageModelConfig, $0) },
            { languageModel in
                try projected.map { sequence, mask in
                    try context.cancellation.check()
                    return try languageModel.generate(
                        from: sequence, mask: mask, count: model.languageModelConfig.newTokens)
                }
            })
        context.report(.encoding, 3, of: total)
        return try tokens.indices.map { index in
            let prefix = tokens[index].prefix
            let mask = tokens[index].second.attentionMask
            try observe(prefix + "clap.text", embeddings[index])
            try observe(prefix + "second.hidden", states[index])
            try observe(prefix + "second.mask", upload(mask))
            try observe(prefix + "projected", projected[index].sequence)
            try observe(prefix + "projected.mask", upload(projected[index].mask))
            try observe(prefix + "loa", loas[index])
            return Condition(loa: loas[index], states: states[index], mask: mask)
        }
    }

    /// As many tokens as a text can have, for plans.
    func longestTokens(count: Int) throws -> [Tokens] {
        let (clap, second) = (
            try context.model.tokenizer(Model.Part.tokenizer), try context.model.tokenizer(Model.Part.tokenizer2)
        )
        func longest(_ tokenizer: any Tokenizer, _ limit: Int) -> Encoding {
            let length = min(tokenizer.definition.maxLength ?? .max, limit)
            return tokenizer.encode("", maxLength: length, padding: .maxLength(length))
        }
        let tokens = Tokens(
            clap: longest(clap, context.model.clapConfig.maxTokens), second: longest(second, 512), prefix: "")
        return Array(repeating: tokens, count: count)
    }

    /// Both texts' ids, the negative one's first if there is one (nil without guidance). The reference pads the negative
    /// prompt to the prompt's length, and cuts it there.
    func tokenize(_ prompt: String, negative: String?) throws -> [Tokens] {
        let (clap, second) = (
            try context.model.tokenizer(Model.Part.tokenizer), try context.model.tokenizer(Model.Part.tokenizer2)
        )
        let clapLimit = min(clap.definition.maxLength ?? .max, context.model.clapConfig.maxTokens)
        func tokens(_ text: String, named name: String, prefix: String, secondLength: Int?) -> Tokens {
            let tokens = Tokens(
                clap: clap.encode(text, maxLength: clapLimit, padding: .none),
                second: second.encode(
                    text, maxLength: secondLength ?? second.definition.maxLength,
                    padding: secondLength.map { .maxLength($0) } ?? .none),
                prefix: prefix)
            warn(name, tokens.clap, "CLAP", limit: clapLimit)
            warn(name, tokens.second, "T5", limit: secondLength ?? second.definition.maxLength ?? 0)
            return tokens
        }
        let positive = tokens(prompt, named: "prompt", prefix: "", secondLength: nil)
        guard let negative else { return [positive] }
        return [
            tokens(
                negative, named: "negative prompt", prefix: "negative.", secondLength: positive.second.ids.count),
            positive,
        ]
    }

    private func warn(_ name: String, _ encoding: Encoding, _ encoder: String, limit: Int) {
        guard let cut = encoding.truncatedText else { return }
        let start = cut.count > 100 ? cut.prefix(100) + "…" : cut
        context.report(
            .warning(
                "the \(name) is longer than the \(limit) tokens that \(encoder) reads here; it ignores "
                    + String(start).quoted))
    }

    private func upload(_ mask: [Int]) throws -> Tensor {
        try context.backend.upload(mask.map(Float.init), [1, mask.count])
    }
}
