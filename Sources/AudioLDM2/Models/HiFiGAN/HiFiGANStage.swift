import Layers
import Tensors
import WeightFile

/// One upsampling, and the residual blocks whose results are averaged after it.
struct HiFiGANStage: Sendable {
    private let upsampler: ConvTranspose1d
    private let blocks: [HiFiGANResidualBlock]

    init(_ config: HiFiGANConfig, number: Int, _ weights: WeightScope) throws {
        let slope = Activation.leakyRelu(slope: config.leakyReluSlope)
        let (rate, kernel) = (config.upsampleRates[number], config.upsampleKernelSizes[number])
        let inputs = config.upsampleInitialChannel >> number
        upsampler = try ConvTranspose1d(
            inputs, inputs / 2, kernel: kernel, stride: rate, padding: (kernel - rate) / 2, inputActivation: slope,
            weights["upsampler"][number])
        let count = config.resblockKernelSizes.count
        blocks = try (0..<count).map { index in
            try HiFiGANResidualBlock(
                inputs / 2, kernel: config.resblockKernelSizes[index], dilations: config.resblockDilationSizes[index],
                slope: slope, weights["resblocks"][number * count + index])
        }
    }

    /// What is kept between pieces.
    struct Progress: Sendable {
        fileprivate var upsampled: Stretch?
        fileprivate var blocks: [HiFiGANResidualBlock.Progress] = []
        /// Rows of the result so far.
        fileprivate var rows = 0
    }

    /// Rows of the input so far that are read again for what comes after them.
    var reach: Int { upsampler.reach }

    /// - Parameter readAgain: rows of the result that its reader reads again, and so are returned again.
    func callAsFunction(_ x: Stretch, readAgain: Int, _ progress: inout Progress) throws -> Stretch {
        if progress.blocks.isEmpty { progress.blocks = blocks.map { _ in HiFiGANResidualBlock.Progress() } }
        let h = try upsampler(x, after: progress.upsampled)
        let results = try blocks.indices.map { try blocks[$0](h, &progress.blocks[$0]) }
        // Blocks of longer kernels are behind.
        let first = max(progress.rows - readAgain, 0)
        progress.rows = results.map(\.rows.upperBound).min() ?? 0
        let rows = first..<progress.rows
        let share = 1 / Float(blocks.count)
        let mean = try h.tensor.backend.combine(results.map { (factor: share, tensor: try $0(rows)) })
        for index in blocks.indices { try progress.blocks[index].keep(from: progress.rows - readAgain) }
        let read = progress.blocks.map(\.firstRow).min() ?? 0
        progress.upsampled = try upsampler.kept(h, from: read)
        return Stretch(mean, from: first, isLast: x.isLast)
    }
}

/// Pairs of a dilated and a plain convolution, each pair around a shortcut.
package struct HiFiGANResidualBlock: Sendable {
    private let pairs: [(dilated: Conv1d, plain: Conv1d)]

    package init(_ channels: Int, kernel: Int, dilations: [Int], slope: Activation, _ weights: WeightScope) throws {
        pairs = try dilations.enumerated().map { index, dilation in
            (
                dilated: try Conv1d(
                    channels, channels, kernel: kernel, dilation: dilation, inputActivation: slope,
                    weights["convs1"][index]),
                plain: try Conv1d(
                    channels, channels, kernel: kernel, inputActivation: slope, weights["convs2"][index])
            )
        }
    }

    /// What is kept between pieces.
    package struct Progress: Sendable {
        /// Of each pair, results of the dilated convolution, and its own.
        fileprivate var pairs: [(between: Stretch?, result: Stretch?)] = []
        /// Of the block's input, what the next piece reads first.
        fileprivate(set) var firstRow = 0

        package init() {}

        /// Keeps the block's result from a row on.
        mutating func keep(from row: Int) throws {
            guard let last = pairs.indices.last else { return }
            pairs[last].result = try pairs[last].result?.kept(from: row)
        }
    }

    /// As much of the result as the input so far settles, next to what is kept of it.
    package func callAsFunction(_ x: Stretch, _ progress: inout Progress) throws -> Stretch {
        if progress.pairs.isEmpty { progress.pairs = pairs.map { _ in (nil, nil) } }
        var x = x
        for (index, pair) in pairs.enumerated() {
            let between = try pair.dilated(x, after: progress.pairs[index].between)
            let result = try pair.plain(between, after: progress.pairs[index].result, residual: x)
            progress.pairs[index].between = try between.kept(from: between.rows.upperBound - pair.plain.reach)
            progress.pairs[index].result = result
            // The shortcut is behind the convolutions' own first row where kernels are of one row.
            let firstRow = min(x.rows.upperBound - pair.dilated.reach, result.rows.upperBound)
            if index == 0 {
                progress.firstRow = firstRow
            } else {
                progress.pairs[index - 1].result = try x.kept(from: firstRow)
            }
            x = result
        }
        return x
    }
}
