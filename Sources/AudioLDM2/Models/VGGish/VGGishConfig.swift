/// `vggish/config.json`. The published file holds none: the names are ours, the values those of its tensors.
package struct VGGishConfig: SoundJudgeConfig {
    /// Outputs of the six convolutions.
    let channels: [Int]
    let hiddenSize: Int
    package let embeddingSize: Int

    enum CodingKeys: String, CodingKey {
        case channels
        case hiddenSize = "hidden_size"
        case embeddingSize = "embedding_size"
    }

    /// Everything that hears a patch is made for this rate.
    package var samplingRate: Int { 16000 }
    package var classCount: Int? { nil }

    package func validate(component: String) throws {
        let check = ConfigCheck(component: component)
        try check.require("channels (count)", channels.count, isOneOf: [6])
        for count in channels { try check.require("channels", count, in: 1...16384) }
        try check.require("hidden_size", hiddenSize, in: 1...65536)
        try check.require("embedding_size", embeddingSize, in: 1...65536)
    }
}
