import Tensors

extension Generation {
    /// Whether all that conditions the denoiser was computed beforehand.
    var isConditioned: Bool { options.condition.map { !$0.isLanguageOfAudioAlone } ?? false }

    /// What the denoiser reads: what a saved condition says, or what the texts say, with the language of audio of a sound
    /// in the place of the prompt's or mixed with it.
    /// - Parameter encoded: of the texts, the negative one first; none if `isConditioned`.
    func conditions(_ encoded: [Condition]) throws -> [Condition] {
        guard let saved = options.condition else { return encoded }
        let (model, backend) = (context.model, context.backend)
        if isConditioned { return try saved.conditions(isGuided: isGuided, for: model, on: backend) }
        let sound = try saved.languageOfAudio(for: model, on: backend)
        guard var prompt = encoded.last, let text = prompt.loa, text.shape == sound.shape else {
            throw AudioLDM2Error(
                .invalidOption,
                "the sound's language of audio has shape \(sound.shape), the prompt's "
                    + "\(encoded.last?.loa.map { "\($0.shape)" } ?? "none"); they have to be of one model")
        }
        let weight = options.audioWeight
        prompt.loa = try backend.combine([(1 - weight, text), (weight, sound)])
        return encoded.dropLast() + [prompt]
    }

    /// All that conditions the denoiser, to be saved.
    func encoded() throws -> SoundCondition {
        try context.model.requireTextEncoders()
        try checkCondition()
        let conditions = try conditions(PromptEncoder(context: context).encode(tokens()))
        return try SoundCondition(prompt: prompt, negativePrompt: options.negativePrompt, conditions)
    }

    /// - Throws: `AudioLDM2Error` of kind `.invalidOption`.
    func checkCondition() throws {
        guard (0...1).contains(options.audioWeight) else {
            throw AudioLDM2Error(.invalidOption, "an audio weight of \(options.audioWeight): choose 0…1")
        }
        guard let saved = options.condition else { return }
        if isConditioned {
            _ = try saved.conditions(isGuided: isGuided, for: context.model, on: context.backend)
        } else {
            _ = try saved.languageOfAudio(for: context.model, on: context.backend)
        }
    }
}
