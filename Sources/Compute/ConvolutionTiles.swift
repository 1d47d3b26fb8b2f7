/// The pieces of time in which a convolution's input becomes bytes: each piece has a range of its own, so that a loud
/// sound does not coarsen the quiet beside it.
///
/// A piece's outputs follow one another, and so do the inputs that they read; inputs that two pieces read are there twice.
/// Places count tiles through all samples.
package struct ConvolutionTiles: Sendable {
    package struct Tile: Sendable, Equatable {
        /// Output rows, counted from the sample's first.
        package let outputs: Range<Int>
        /// Input rows, counted from the sample's first.
        package let inputs: Range<Int>
    }

    /// Tiles of one sample, in order; all samples have the same.
    package let tiles: [Tile]
    package let samples: Int
    /// Output rows of every tile but the last.
    package let outputsPerTile: Int
    private let outputsPerSample: Int
    /// For each tile, the input rows of those before it, and at last of all.
    private let firstInputs: [Int]
    /// The most input rows of a tile.
    let mostInputs: Int
    /// The most input rows by which a tile begins behind the one before it.
    let inputStep: Int

    /// Values that a tile has at least, where there are so many: kernels called for fewer cost more than they do.
    private static let leastValues = 2048
    /// A tile has at least this part of the lines that an output reads beside its own, as those are read again.
    private static let leastShare = 4

    /// - Parameter channels: of the input.
    package init(_ plan: ConvolutionPlan, channels: Int) {
        let perLine = plan.outputsPerLine
        let values = max(perLine * channels, 1)
        let lines = max(
            (Self.leastValues + values - 1) / values, (plan.lineReach + Self.leastShare) / Self.leastShare)
        tiles = stride(from: 0, to: plan.lineCount, by: lines).map { first in
            let last = min(first + lines, plan.lineCount)
            return Tile(outputs: first * perLine..<last * perLine, inputs: plan.inputRows(ofLines: first..<last))
        }
        samples = plan.batch
        outputsPerTile = lines * perLine
        outputsPerSample = plan.lineCount * perLine
        firstInputs = tiles.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.inputs.count) }
        mostInputs = tiles.map(\.inputs.count).max() ?? 0
        inputStep = zip(tiles, tiles.dropFirst()).map { $1.inputs.lowerBound - $0.inputs.lowerBound }.max() ?? 0
    }

    /// Tiles of all samples.
    var count: Int { samples * tiles.count }

    func place(ofOutput row: Int) -> Int {
        let (sample, rowOfSample) = row.quotientAndRemainder(dividingBy: outputsPerSample)
        return sample * tiles.count + rowOfSample / outputsPerTile
    }

    func firstOutput(ofPlace place: Int) -> Int {
        let (sample, tile) = place.quotientAndRemainder(dividingBy: tiles.count)
        return sample * outputsPerSample + tile * outputsPerTile
    }

    /// Input rows of all tiles before a place.
    func firstInput(ofPlace place: Int) -> Int {
        let (sample, tile) = place.quotientAndRemainder(dividingBy: tiles.count)
        return sample * firstInputs[tiles.count] + firstInputs[tile]
    }

    /// The input rows of a sample that some of its tiles read.
    func inputs(of range: Range<Int>) -> Range<Int> {
        let used = tiles[range].map(\.inputs).filter { !$0.isEmpty }
        return (used.first?.lowerBound ?? 0)..<(used.last?.upperBound ?? 0)
    }

    /// All places in pieces whose bytes take no more than a few megabytes, which caches can hold.
    /// - Parameter stride: bytes per input row.
    func chunks(stride: Int) -> [Range<Int>] {
        let fitting = max(Self.chunkBytes / max(mostInputs * stride, 1), 1)
        return count.cut(into: (count + fitting - 1) / fitting, unit: 1)
    }

    private static let chunkBytes = 2 << 20
}

/// Lines along time: a position each of what runs along time alone, a row of positions of a picture.
extension ConvolutionPlan {
    private var runsAlongTimeAlone: Bool { outputHeight == 1 && inputHeight == 1 }

    fileprivate var lineCount: Int { runsAlongTimeAlone ? outputWidth : outputHeight }
    fileprivate var outputsPerLine: Int { runsAlongTimeAlone ? 1 : outputWidth }
    /// Lines that an output reads beside its own.
    fileprivate var lineReach: Int { runsAlongTimeAlone ? columnReach : rowReach }

    /// The stored rows, of a sample, that some lines of outputs read.
    fileprivate func inputRows(ofLines lines: Range<Int>) -> Range<Int> {
        if runsAlongTimeAlone { return inputColumns(of: lines) }
        let rows = inputLines(of: lines)
        return rows.lowerBound * inputWidth..<rows.upperBound * inputWidth
    }
}
