/// `passt/config.json`. The published file holds none: the names are those of the authors' code, the values those of its tensors.
package struct PaSSTConfig: SoundJudgeConfig {
    let patchSize: Int
    /// Bands and frames from one patch to the next.
    let stride: Int
    /// Patches along frequency, and along time at most.
    let frequencyPatches: Int
    let timePatches: Int
    package let embeddingSize: Int
    let depth: Int
    let numHeads: Int
    let mlpSize: Int
    let numClasses: Int

    enum CodingKeys: String, CodingKey {
        case patchSize = "patch_size"
        case stride
        case frequencyPatches = "frequency_patches"
        case timePatches = "time_patches"
        case embeddingSize = "embed_dim"
        case depth
        case numHeads = "num_heads"
        case mlpSize = "mlp_size"
        case numClasses = "num_classes"
    }

    /// Everything that makes a spectrogram is made for this rate.
    package var samplingRate: Int { 32000 }
    package var classCount: Int? { numClasses }

    /// Bands or frames under so many patches.
    func extent(ofPatches count: Int) -> Int { (count - 1) * stride + patchSize }

    package func validate(component: String) throws {
        let check = ConfigCheck(component: component)
        try check.require("patch_size", patchSize, in: 1...PaSST.bands)
        try check.require("stride", stride, in: 1...256)
        try check.require("frequency_patches", frequencyPatches, in: 1...256)
        try check.require(
            "frequency_patches", frequencyPatches, isOneOf: [(PaSST.bands - patchSize) / stride + 1])
        try check.require("time_patches", timePatches, in: 1...65536)
        try check.require("embed_dim", embeddingSize, in: 1...65536)
        try check.require("depth", depth, in: 1...1024)
        try check.require("num_heads", numHeads, in: 1...1024)
        try check.require("num_heads", numHeads, dividesInto: embeddingSize, named: "embed_dim")
        try check.require("mlp_size", mlpSize, in: 1...1_000_000)
        try check.require("num_classes", numClasses, in: 1...65536)
    }
}
