/// `musicnn/config.json`. The published checkpoints hold none: the names are ours, the values those of their tensors.
package struct MusicNNConfig: SoundJudgeConfig {
    /// Outputs of each convolution over 7 frames and many bands.
    let timbralChannels: Int
    /// Outputs of each convolution over many frames and one band.
    let temporalChannels: Int
    let midendChannels: Int
    package let embeddingSize: Int
    let classes: Int

    enum CodingKeys: String, CodingKey {
        case timbralChannels = "timbral_channels"
        case temporalChannels = "temporal_channels"
        case midendChannels = "midend_channels"
        case embeddingSize = "embedding_size"
        case classes
    }

    package var samplingRate: Int { 16000 }
    package var classCount: Int? { classes }

    package func validate(component: String) throws {
        let check = ConfigCheck(component: component)
        try check.require("timbral_channels", timbralChannels, in: 1...16384)
        try check.require("temporal_channels", temporalChannels, in: 1...16384)
        try check.require("midend_channels", midendChannels, in: 1...16384)
        try check.require("embedding_size", embeddingSize, in: 1...65536)
        try check.require("classes", classes, in: 1...65536)
    }
}
