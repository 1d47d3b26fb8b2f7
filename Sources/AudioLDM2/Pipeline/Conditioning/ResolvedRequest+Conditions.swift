import Tensors

extension ResolvedRequest {
    /// Of the negative prompt, if there is guidance, and the prompt; none if their conditions were saved. Says what of them
    /// is not read.
    func tokens(_ encoder: PromptEncoder) throws -> [PromptEncoder.Tokens] {
        if options.isConditioned { return [] }
        return try encoder.tokenize(
            prompt, negative: options.isGuided ? options.negativePrompt : nil, speech: options.speech,
            profile: options.profile(for: model))
    }

    /// What the denoiser reads: what a saved condition says, or what the texts say, with the language of audio of a sound
    /// in the place of the prompt's or mixed with it.
    /// - Parameter encoded: of the texts, the negative one first; none if all was computed beforehand.
    func conditions(_ encoded: [Condition], on backend: any Backend) throws -> [Condition] {
        guard let saved = options.condition else { return encoded }
        if options.isConditioned { return try saved.conditions(isGuided: options.isGuided, for: model, on: backend) }
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

    /// - Throws: `AudioLDM2Error` of kind `.invalidOption`.
    func checkCondition(on backend: any Backend) throws {
        guard (0...1).contains(options.audioWeight) else {
            throw AudioLDM2Error(.invalidOption, "an audio weight of \(options.audioWeight): choose 0…1")
        }
        guard let saved = options.condition else { return }
        if options.isConditioned {
            _ = try saved.conditions(isGuided: options.isGuided, for: model, on: backend)
            guard ["", saved.negativePrompt].contains(options.negativePrompt), options.speech == nil else {
                throw AudioLDM2Error(
                    .invalidOption,
                    "the condition was made of a negative prompt, and of what to say, if there was any: leave both out")
            }
        } else {
            _ = try saved.languageOfAudio(for: model, on: backend)
        }
    }
}
