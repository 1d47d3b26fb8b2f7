/// `cnn14/config.json`. The published files hold none: the names are those of the authors' code, the values those of the
/// tensors.
package struct Cnn14Config: SoundJudgeConfig {
    /// In Hz.
    package let samplingRate: Int
    /// Samples of a frame.
    let windowSize: Int
    let hopSize: Int
    let melBins: Int
    /// Outputs of the blocks.
    let channels: [Int]
    package let embeddingSize: Int
    let classesNum: Int

    enum CodingKeys: String, CodingKey {
        case samplingRate = "sample_rate"
        case windowSize = "window_size"
        case hopSize = "hop_size"
        case melBins = "mel_bins"
        case channels
        case embeddingSize = "embedding_size"
        case classesNum = "classes_num"
    }

    package var classCount: Int? { classesNum }

    /// Frequencies of a spectrum.
    var binCount: Int { windowSize / 2 + 1 }

    /// Frames and bands that are halved after every block but the last.
    var halvings: Int { channels.count - 1 }

    package func validate(component: String) throws {
        let check = ConfigCheck(component: component)
        try check.require("sample_rate", samplingRate, in: 1000...768_000)
        try check.require("window_size", windowSize, isOneOf: (6...16).map { 1 << $0 })
        try check.require("hop_size", hopSize, in: 1...65536)
        try check.require("channels (count)", channels.count, in: 1...8)
        for count in channels { try check.require("channels", count, in: 1...16384) }
        try check.require("mel_bins", melBins, in: 1 << halvings...4096)
        try check.require("embedding_size", embeddingSize, in: 1...65536)
        try check.require("classes_num", classesNum, in: 1...65536)
    }
}
