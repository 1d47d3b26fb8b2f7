/// `vocoder/config.json` of transformers' `SpeechT5HifiGan`.
package struct HiFiGANConfig: ModelConfig {
    /// Mel bands.
    package let modelInDim: Int
    /// Of the waveform, in Hz.
    package let samplingRate: Int
    let upsampleInitialChannel: Int
    let upsampleRates: [Int]
    let upsampleKernelSizes: [Int]
    let resblockKernelSizes: [Int]
    let resblockDilationSizes: [[Int]]
    let leakyReluSlope: Float
    let normalizeBefore: Bool

    enum CodingKeys: String, CodingKey {
        case modelInDim = "model_in_dim"
        case samplingRate = "sampling_rate"
        case upsampleInitialChannel = "upsample_initial_channel"
        case upsampleRates = "upsample_rates"
        case upsampleKernelSizes = "upsample_kernel_sizes"
        case resblockKernelSizes = "resblock_kernel_sizes"
        case resblockDilationSizes = "resblock_dilation_sizes"
        case leakyReluSlope = "leaky_relu_slope"
        case normalizeBefore = "normalize_before"
    }

    /// Samples per mel frame.
    package var hopLength: Int { upsampleRates.reduce(1, *) }

    /// Samples that the vocoder makes of a spectrogram: a few more than whole hops, where a kernel and its rate differ by
    /// an odd number.
    package func sampleCount(frames: Int) -> Int {
        zip(upsampleRates, upsampleKernelSizes).reduce(frames) { $0 * $1.0 + ($1.1 - $1.0) % 2 }
    }

    /// How many frames before and after its own a sample depends on.
    var reach: Int {
        // From the last convolution back to the first, in steps of each one's input.
        var reach = 3
        for (rate, kernel) in zip(upsampleRates, upsampleKernelSizes).reversed() {
            let blocks = zip(resblockKernelSizes, resblockDilationSizes).map { kernel, dilations in
                dilations.reduce(0) { $0 + kernel / 2 * ($1 + 1) + $1 }
            }
            reach += blocks.max() ?? 0
            reach = (reach + kernel + rate - 1) / rate
        }
        return reach + 3
    }

    package func validate(component: String) throws {
        let check = ConfigCheck(component: component)
        try check.require("model_in_dim", modelInDim, in: 1...4096)
        try check.require("sampling_rate", samplingRate, in: 1000...768_000)
        try check.require("upsample_rates (count)", upsampleRates.count, in: 1...8)
        try check.require("upsample_kernel_sizes (count)", upsampleKernelSizes.count, isOneOf: [upsampleRates.count])
        for (rate, kernel) in zip(upsampleRates, upsampleKernelSizes) {
            try check.require("upsample_rates", rate, in: 1...64)
            try check.require("upsample_kernel_sizes", kernel, in: rate...1024)
        }
        try check.require("upsample_rates (product)", hopLength, in: 1...65536)
        try check.require("upsample_initial_channel", upsampleInitialChannel, in: 1...65536)
        try check.require(
            "upsample_initial_channel", 1 << upsampleRates.count, dividesInto: upsampleInitialChannel,
            named: "2^(number of upsample_rates)")
        try check.require("resblock_kernel_sizes (count)", resblockKernelSizes.count, in: 1...16)
        try check.require(
            "resblock_dilation_sizes (count)", resblockDilationSizes.count, isOneOf: [resblockKernelSizes.count])
        for kernel in resblockKernelSizes { try check.require("resblock_kernel_sizes", kernel, in: 1...255) }
        for dilations in resblockDilationSizes {
            try check.require("resblock_dilation_sizes (per block)", dilations.count, in: 1...16)
            for dilation in dilations { try check.require("resblock_dilation_sizes", dilation, in: 1...255) }
        }
    }
}
