import Tensors

/// Sounds to what the models that listen make of them.
package struct SoundEncoder {
    package let context: StageContext<ModelFile>

    package init(_ context: StageContext<some OpenedModel>) { self.context = context.ofFile }

    /// CLAP's embeddings, comparable with those of texts.
    /// - Parameter samples: of a sound, when its turn comes: mono, at `clapFeatureConfig().samplingRate`, at least one; nil
    ///   for a sound to leave out.
    /// - Returns: `[1, width]` of length 1 for each that was not left out.
    package func clapEmbeddings<Sound>(of sounds: [Sound], samples: (Sound) throws -> [Float]?) throws -> [Tensor] {
        let model = context.model
        let config = try model.clapAudioConfig()
        let features = CLAPFeatures(try model.clapFeatureConfig())
        return try context.with(CLAPAudioEncoder.self, config) { encoder in
            try sounds.compactMap { sound in
                try context.cancellation.check()
                return try samples(sound).map { try encoder(features($0), on: context.backend) }
            }
        }
    }

    /// The same of windows that are all there, computed together: `[windows, width]`.
    package func clapEmbeddings(ofWindows windows: [[Float]]) throws -> Tensor {
        let config = try context.model.clapAudioConfig()
        let features = CLAPFeatures(try context.model.clapFeatureConfig())
        return try context.with(CLAPAudioEncoder.self, config) { encoder in
            try encoder(windows.mapInParallel(on: context.backend) { features($0) }, on: context.backend)
        }
    }

    /// CLAP's embedding of a text, `[1, width]`, of length 1.
    /// - Throws: `PackError.missingComponent` for a model without CLAP.
    package func clapEmbedding(of text: String) throws -> Tensor {
        let config: CLAPConfig = try context.model.pack.config(CLAPTextEncoder.part)
        let tokens = try context.clapTokens(text, named: "prompt", config, PromptTokenizers(context.model))
        return try context.with(CLAPTextEncoder.self, config) { try $0(tokens.ids, on: context.backend) }
    }

    /// How well sounds fit a text: cosines of their CLAP embeddings.
    /// - Parameter samples: of a sound, when its turn comes, as for `clapEmbeddings`.
    package func scores<Sound>(
        of sounds: [Sound], for prompt: String, samples: (Sound) throws -> [Float]?
    ) throws -> [Double] {
        let text = try clapEmbedding(of: prompt).values()
        return try clapEmbeddings(of: sounds, samples: samples).map { embedding in
            let score = Double(cosine(text, try embedding.values()))
            guard score.isFinite || context.memory.isPlanning else {
                throw AudioLDM2Error(
                    .modelFile,
                    "\(context.model.pack.path): what its CLAP makes of text and sound is not finite; its weights or its "
                        + "configuration are damaged")
            }
            return score
        }
    }

    /// The language of audio of sounds, which can stand where a prompt's stands.
    /// - Parameter sounds: mono samples at `audioMAEConfig().samplingRate`.
    /// - Returns: `[1, vectors, width]` for each.
    package func languageOfAudio(of sounds: [[Float]]) throws -> [Tensor] {
        let config = try context.model.audioMAEConfig()
        let features = AudioMAEFeatures(config)
        return try context.with(AudioMAEEncoder.self, config) { encoder in
            try sounds.map { try encoder(features($0), on: context.backend) }
        }
    }
}
