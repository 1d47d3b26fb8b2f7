import Tensors

/// Sounds to what the models that listen make of them.
struct SoundEncoder {
    let context: StageContext

    /// CLAP's embeddings, comparable with those of texts.
    /// - Parameter samples: of a sound, when its turn comes: mono, at `clapFeatureConfig().samplingRate`, at least one; nil
    ///   for a sound to leave out.
    /// - Returns: `[1, width]` of length 1 for each that was not left out.
    func clapEmbeddings<Sound>(of sounds: [Sound], samples: (Sound) throws -> [Float]?) throws -> [Tensor] {
        let model = context.model
        let config = try model.clapAudioConfig()
        let features = CLAPFeatures(try model.clapFeatureConfig())
        return try context.with(
            Model.OptionalPart.clapAudio.name, { try CLAPAudioEncoder(config, $0) },
            { encoder in
                try sounds.compactMap { sound in
                    try context.cancellation.check()
                    return try samples(sound).map { try encoder(features($0), on: context.backend) }
                }
            })
    }

    /// How well sounds fit a text: cosines of their CLAP embeddings.
    /// - Parameter samples: of a sound, when its turn comes, as for `clapEmbeddings`.
    func scores<Sound>(
        of sounds: [Sound], for prompt: String, samples: (Sound) throws -> [Float]?
    ) throws -> [Double] {
        let text = try PromptEncoder(context: context).clapEmbedding(of: prompt).values()
        return try clapEmbeddings(of: sounds, samples: samples).map { Double(cosine(text, try $0.values())) }
    }

    /// The language of audio of sounds, which can stand where a prompt's stands.
    /// - Parameter sounds: mono samples at `audioMAEConfig().samplingRate`.
    /// - Returns: `[1, vectors, width]` for each.
    func languageOfAudio(of sounds: [[Float]]) throws -> [Tensor] {
        let config = try context.model.audioMAEConfig()
        let features = AudioMAEFeatures(config)
        return try context.with(
            Model.OptionalPart.audioMAE.name, { try AudioMAEEncoder(config, $0) },
            { encoder in try sounds.map { try encoder(features($0), on: context.backend) } })
    }
}
