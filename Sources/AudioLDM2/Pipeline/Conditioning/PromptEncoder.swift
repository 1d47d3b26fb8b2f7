import Tensors
import Tokenizers

/// One text as the denoiser reads it. What the model has no use for is nil.
package struct Condition: Sendable {
    /// CLAP's embedding, `[1, width]`, for models that are conditioned by it alone.
    package let film: Tensor?
    /// The language of audio, `[1, vectors, width]`.
    package var loa: Tensor?
    /// The second text encoder's states, `[1, tokens, width]`, padding included.
    package let states: Tensor?
    /// Of the states: 1 for tokens, 0 for padding.
    package let mask: [Int]

    package init(film: Tensor?, loa: Tensor?, states: Tensor?, mask: [Int]) {
        self.film = film
        self.loa = loa
        self.states = states
        self.mask = mask
    }
}

/// Prompt and negative prompt to conditions: tokenizers, CLAP, T5 or phoneme encoder, projection, GPT-2.
///
/// diffusers `AudioLDM2Pipeline.encode_prompt` and `AudioLDMPipeline._encode_prompt`. Each model is loaded once, used for
/// both texts, and let go.
package struct PromptEncoder {
    package let context: GenerationContext
    package let tokenizers: PromptTokenizers
    /// Sees every intermediate result by its name in golden files.
    private let observe: (_ name: String, _ tensor: Tensor) throws -> Void

    /// - Parameter tokenizers: of the context's model; nil for ones of its own.
    package init(
        context: GenerationContext, tokenizers: PromptTokenizers? = nil,
        observe: @escaping (_ name: String, _ tensor: Tensor) throws -> Void = { _, _ in }
    ) {
        self.context = context
        self.tokenizers = tokenizers ?? PromptTokenizers(context.model)
        self.observe = observe
    }

    /// The ids of one text for both encoders; nil for an encoder that the model does not have.
    package struct Tokens: Hashable {
        package let clap: Encoding?
        package let second: Encoding?
        /// Precedes the names of this text's intermediate results.
        package let prefix: String
        /// Whether its language of audio is zeros, and GPT-2 is not asked.
        package let hasZeroLanguage: Bool
    }

    /// - Parameter tokens: of each text.
    /// - Returns: the texts' conditions, in their order.
    package func encode(_ tokens: [Tokens]) throws -> [Condition] {
        guard !tokens.isEmpty else { return [] }
        let model = context.model
        let total = 3
        context.report(.encoding, 0, of: total)
        let embeddings = try embeddings(tokens)
        context.report(.encoding, 1, of: total)
        let states = try states(tokens)
        context.report(.encoding, 2, of: total)
        let loas = try languageOfAudio(tokens, embeddings: embeddings, states: states)
        context.report(.encoding, 3, of: total)
        return tokens.indices.map { index in
            Condition(
                film: model.unetConfig.filmWidth == nil ? nil : embeddings[index], loa: loas[index],
                states: states[index], mask: tokens[index].second?.attentionMask ?? [])
        }
    }

    /// `[1, width]` for each text.
    package func embeddings(_ tokens: [Tokens]) throws -> [Tensor?] {
        guard let config = context.model.clapConfig, context.model.isConditionedOnCLAP else {
            return tokens.map { _ in nil }
        }
        let embeddings = try context.with(CLAPTextEncoder.self, config) { encoder in
            try tokens.map { try $0.clap.map { try encoder($0.ids, on: context.backend) } }
        }
        try observe("clap.text", embeddings, of: tokens)
        return embeddings
    }

    /// `[1, tokens, width]` for each text.
    package func states(_ tokens: [Tokens]) throws -> [Tensor?] {
        guard let config = context.model.secondConfig else { return tokens.map { _ in nil } }
        let states = try context.with(
            PartName.second, { try config.encoder($0) },
            { encoder in
                try together(tokens.map(\.second), length: \.ids.count) { texts in
                    try encoder(texts.map(\.ids), masks: texts.map(\.attentionMask), on: context.backend)
                }
            })
        try observe("second.hidden", states, of: tokens)
        try observe("second.mask", tokens.map { try $0.second.map { try upload($0.attentionMask) } }, of: tokens)
        return states
    }

    /// `[1, vectors, width]` for each text.
    package func languageOfAudio(_ tokens: [Tokens], embeddings: [Tensor?], states: [Tensor?]) throws -> [Tensor?] {
        guard let config = context.model.languageModelConfig, let projectionConfig = context.model.projectionConfig
        else {
            return tokens.map { _ in nil }
        }
        let projected = try context.with(ProjectionModel.self, projectionConfig) { project in
            try tokens.indices.map { index -> (sequence: Tensor, mask: [Int])? in
                guard !tokens[index].hasZeroLanguage, let clap = embeddings[index], let second = states[index]
                else { return nil }
                return try project(
                    clap: clap.reshaped([1, 1, clap.shape.last]), second: second,
                    mask: tokens[index].second?.attentionMask ?? [])
            }
        }
        try observe("projected", projected.map(\.?.sequence), of: tokens)
        try observe("projected.mask", projected.map { try $0.map { try upload($0.mask) } }, of: tokens)
        let loas = try context.with(GPT2.self, config) { languageModel in
            try together(projected, length: \.mask.count) { projected in
                try context.cancellation.check()
                return try languageModel.generate(
                    from: .concatenate(projected.map(\.sequence), axis: 0), masks: projected.map(\.mask),
                    count: config.newTokens)
            }.map { try $0 ?? zeroLanguage(config) }
        }
        try observe("loa", loas, of: tokens)
        return loas
    }

    /// What a model makes of some texts, of both sides of guidance at once where they are equally long: so its weights, which are
    /// far more than a text, are read once.
    /// - Parameter read: to `[texts, ...]`.
    /// - Returns: `[1, ...]` for each text that there is.
    private func together<Text>(
        _ texts: [Text?], length: (Text) -> Int, _ read: ([Text]) throws -> Tensor
    ) throws -> [Tensor?] {
        var results: [Tensor?] = []
        while results.count < texts.count {
            let first = results.count
            guard let text = texts[first] else {
                results.append(nil)
                continue
            }
            var group = [text]
            if first + 1 < texts.count, let next = texts[first + 1], length(next) == length(text) { group.append(next) }
            let read = try read(group)
            results += try group.indices.map { try read.outermost($0..<$0 + 1) }
        }
        return results
    }

    private func zeroLanguage(_ config: GPT2Config) throws -> Tensor {
        try context.backend.upload(
            Array(repeating: 0, count: config.newTokens * config.nEmbd), [1, config.newTokens, config.nEmbd])
    }

    private func observe(_ name: String, _ tensors: [Tensor?], of tokens: [Tokens]) throws {
        for (tensor, text) in zip(tensors, tokens) {
            if let tensor { try observe(text.prefix + name, tensor) }
        }
    }

    private func upload(_ mask: [Int]) throws -> Tensor {
        try context.backend.upload(mask.map(Float.init), [1, mask.count])
    }
}
