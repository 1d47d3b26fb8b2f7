import AudioLDM2
import Tensors

extension TraceStage {
    /// The components that take sound in, as far as the model has them.
    static func listening(_ model: Model) -> [TraceStage] {
        [
            try? melFrontEnd(model.melConfig()),
            model.has(.vaeEncoder) ? vaeEncoder(model.vaeConfig) : nil,
            try? clapAudio(model.clapAudioConfig(), model.clapFeatureConfig()),
            try? audioMAE(model.audioMAEConfig()),
        ].compactMap(\.self)
    }

    /// Waveform at the model's rate to log-mel spectrogram.
    private static func melFrontEnd(_ config: MelConfig) -> TraceStage {
        TraceStage(inputs: [TraceInput("mel.wave", ["B", "n"])], outputs: ["mel.logmel"]) { values, _ in
            let frontEnd = MelFrontEnd(config)
            let spectrograms = try values.samples("mel.wave").map { try frontEnd($0, on: values.backend) }
            return [try TraceArray(channelsFirst: Tensor.concatenate(spectrograms, axis: 0))]
        }
    }

    /// Log-mel spectrogram to the distribution of its latents.
    private static func vaeEncoder(_ config: VAEConfig) -> TraceStage {
        TraceStage(
            inputs: [TraceInput("vae.enc.mel", ["B", .fixed(config.inChannels), "T", "F"])],
            outputs: ["vae.enc.mean", "vae.enc.logvar"]
        ) { values, context in
            let posterior = try LatentEncoder(context: context).posterior(values.channelsLast("vae.enc.mel"))
            return [try TraceArray(channelsFirst: posterior.mean), try TraceArray(channelsFirst: posterior.logvar)]
        }
    }

    /// Waveform at CLAP's rate to its features and embedding.
    private static func clapAudio(_ config: CLAPAudioConfig, _ featureConfig: CLAPFeatureConfig) -> TraceStage {
        TraceStage(
            inputs: [TraceInput("clap.audio.wave", ["B", "n"])], outputs: ["clap.audio.logmel", "clap.audio"]
        ) { values, context in
            let features = CLAPFeatures(featureConfig)
            let sounds = try values.samples("clap.audio.wave")
            let spectrograms = sounds.map { features($0) }
            let embeddings = try SoundEncoder(context).clapEmbeddings(of: sounds) { $0 }
            let bands = featureConfig.featureSize
            return [
                TraceArray([sounds.count, 1, spectrograms[0].count / bands, bands], spectrograms.flatMap(\.self)),
                try TraceArray(Tensor.concatenate(embeddings, axis: 0)),
            ]
        }
    }

    /// Waveform at AudioMAE's rate to its features and the language of audio.
    private static func audioMAE(_ config: AudioMAEConfig) -> TraceStage {
        TraceStage(
            inputs: [TraceInput("audiomae.wave", ["B", "n"])], outputs: ["audiomae.fbank", "audiomae.loa"]
        ) { values, context in
            let features = AudioMAEFeatures(config)
            let sounds = try values.samples("audiomae.wave")
            let vectors = try SoundEncoder(context).languageOfAudio(of: sounds)
            return [
                TraceArray(
                    [sounds.count, config.targetLength, config.numMelBins], sounds.flatMap { features($0) }),
                try TraceArray(Tensor.concatenate(vectors, axis: 0)),
            ]
        }
    }
}

extension TraceValues {
    /// The rows of an input `[B, n]`.
    fileprivate func samples(_ name: String) throws -> [[Float]] {
        let array = try array(name)
        let count = array.shape[1]
        return (0..<array.shape[0]).map { Array(array.values[$0 * count..<($0 + 1) * count]) }
    }
}
