import Tensors

/// Sounds to what the models that listen make of them.
struct SoundEncoder {
    let context: StageContext

    /// CLAP's embeddings, comparable with those of texts.
    /// - Parameter sounds: mono samples at `clapFeatureConfig().samplingRate`, each at least one.
    /// - Returns: `[1, width]` of length 1 for each.
    func clapEmbeddings(of sounds: [[Float]]) throws -> [Tensor] {
        let model = context.model
        let config = try model.clapAudioConfig()
        let features = CLAPFeatures(try model.clapFeatureConfig())
        return try context.with(
            Model.OptionalPart.clapAudio.name, { try CLAPAudioEncoder(config, $0) },
            { encoder in
                try sounds.map { samples in
                    try context.cancellation.check()
                    return try encoder(features(samples), on: context.backend)
                }
            })
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
