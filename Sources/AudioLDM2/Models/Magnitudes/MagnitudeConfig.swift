/// `magnitudes/config.json`. Only models of ours have the part: the names are after HiFi-GAN's.
package struct MagnitudeConfig: ModelConfig {
    /// Mel bands.
    package let modelInDim: Int
    /// Of the first convolution.
    let inputKernelSize: Int
    let hiddenChannels: Int
    /// Of the residual block.
    let kernelSize: Int
    let dilations: [Int]
    let leakyReluSlope: Float
    /// Bins of a frame's Fourier transform.
    package let numBins: Int

    enum CodingKeys: String, CodingKey {
        case modelInDim = "model_in_dim"
        case inputKernelSize = "input_kernel_size"
        case hiddenChannels = "hidden_channels"
        case kernelSize = "kernel_size"
        case dilations
        case leakyReluSlope = "leaky_relu_slope"
        case numBins = "num_bins"
    }

    /// How many frames before and after its own a result depends on.
    package var reach: Int { dilations.reduce(inputKernelSize / 2) { $0 + kernelSize / 2 * ($1 + 1) } }

    /// Beyond a few dozen frames nothing is heard of each other; what is asked for beside a piece has to be limited.
    private static let mostReach = 1024

    package func validate(component: String) throws {
        let check = ConfigCheck(component: component)
        try check.require("model_in_dim", modelInDim, in: 1...4096)
        try check.require("hidden_channels", hiddenChannels, in: 1...65536)
        try check.require("num_bins", numBins, in: 1...65536)
        try check.require("dilations (count)", dilations.count, in: 1...16)
        for dilation in dilations { try check.require("dilations", dilation, in: 1...255) }
        try check.require("dilations (frames that a result depends on)", reach, in: 0...Self.mostReach)
        for (key, size) in [("input_kernel_size", inputKernelSize), ("kernel_size", kernelSize)] {
            try check.require(key, size, in: 1...255)
            guard size % 2 == 1 else {
                throw ConfigError.unsupported(
                    component: component, key: key, value: "\(size)", supported: "odd numbers")
            }
        }
    }
}
