import Glibc

/// `audiomae/config.json`. Checkpoints hold none: the names are ours, the values those of the authors' code.
package struct AudioMAEConfig: ModelConfig, Encodable, Equatable {
    /// In Hz.
    package let samplingRate: Int
    package let numMelBins: Int
    /// Frames of 10 ms.
    package let targetLength: Int
    /// What is subtracted from the features, which are then divided by twice the deviation.
    let featureMean: Float
    let featureStd: Float
    let patchSize: Int
    package let hiddenSize: Int
    let numHiddenLayers: Int
    let numAttentionHeads: Int
    let intermediateSize: Int
    let layerNormEps: Float
    /// Results of this layer and all after it are averaged; counts from 0.
    let firstAveragedLayer: Int
    /// Patches that are pooled to one vector.
    let poolTime: Int
    let poolFrequency: Int

    enum CodingKeys: String, CodingKey {
        case samplingRate = "sampling_rate"
        case numMelBins = "num_mel_bins"
        case targetLength = "target_length"
        case featureMean = "feature_mean"
        case featureStd = "feature_std"
        case patchSize = "patch_size"
        case hiddenSize = "hidden_size"
        case numHiddenLayers = "num_hidden_layers"
        case numAttentionHeads = "num_attention_heads"
        case intermediateSize = "intermediate_size"
        case layerNormEps = "layer_norm_eps"
        case firstAveragedLayer = "first_averaged_layer"
        case poolTime = "pool_time"
        case poolFrequency = "pool_frequency"
    }

    /// The encoder of all published checkpoints.
    /// - Parameter pool: patches along time and frequency for each vector: 8 for sound and music, 1 for speech.
    package static func published(pool: Int = 8) -> AudioMAEConfig {
        AudioMAEConfig(
            samplingRate: 16000, numMelBins: 128, targetLength: 1024, featureMean: -4.2677393, featureStd: 4.5689974,
            patchSize: 16, hiddenSize: 768, numHiddenLayers: 12, numAttentionHeads: 12, intermediateSize: 3072,
            layerNormEps: 1e-6, firstAveragedLayer: 9, poolTime: pool, poolFrequency: pool)
    }

    /// Patches along time and frequency.
    var grid: (time: Int, frequency: Int) { (targetLength / patchSize, numMelBins / patchSize) }

    /// Vectors of the language of audio.
    package var vectorCount: Int { grid.time / poolTime * (grid.frequency / poolFrequency) }

    package func validate(component: String) throws {
        let check = ConfigCheck(component: component)
        try check.require("sampling_rate", samplingRate, in: 1000...768_000)
        try check.require("patch_size", patchSize, in: 1...256)
        try check.require("num_mel_bins", numMelBins, in: 1...4096)
        try check.require("target_length", targetLength, in: 1...65536)
        try check.require("patch_size", patchSize, dividesInto: numMelBins, named: "num_mel_bins")
        try check.require("patch_size", patchSize, dividesInto: targetLength, named: "target_length")
        try check.require("hidden_size", hiddenSize, in: 1...65536)
        try check.require("num_hidden_layers", numHiddenLayers, in: 1...1024)
        try check.require("num_attention_heads", numAttentionHeads, in: 1...1024)
        try check.require("num_attention_heads", numAttentionHeads, dividesInto: hiddenSize, named: "hidden_size")
        try check.require("intermediate_size", intermediateSize, in: 1...1_000_000)
        try check.require("first_averaged_layer", firstAveragedLayer, in: 0...numHiddenLayers - 1)
        try check.require("pool_time", poolTime, in: 1...grid.time)
        try check.require("pool_frequency", poolFrequency, in: 1...grid.frequency)
        try check.require("pool_time", poolTime, dividesInto: grid.time, named: "patches in time")
        try check.require("pool_frequency", poolFrequency, dividesInto: grid.frequency, named: "patches in frequency")
        guard featureMean.isFinite, featureStd.isFinite, featureStd > 0 else {
            throw ConfigError.unsupported(
                component: component, key: "feature_mean, feature_std", value: "\(featureMean), \(featureStd)",
                supported: "numbers, the second positive")
        }
    }
}
