import Tensors

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
    package let lines: ConvolutionLines
    /// Lines of results of every tile but the last.
    package let linesPerTile: Int
    /// For each tile, the input rows of those before it, and at last of all.
    private let firstInputs: [Int]
    /// The most input rows of a tile.
    package let mostInputs: Int
    /// The most input rows by which a tile begins behind the one before it.
    package let inputStep: Int

    /// Values that a tile has at least, where there are so many: kernels called for fewer cost more than they do. Pictures
    /// become bytes as they are computed, and what is read again is computed again.
    private static let leastValues = 2048
    private static let leastValuesOfPictures = 16384
    /// A tile has at least this part of the lines that an output reads beside its own, as those are read again.
    private static let leastShare = 4

    /// - Parameters:
    ///   - channels: of the input.
    ///   - activation: that the input gets first.
    /// - Returns: nil where positions are multiplied on their own, and have ranges of their own.
    package init?(_ plan: ConvolutionPlan, channels: Int, activation: Activation) {
        if plan.isPointwise, activation == .none { return nil }
        let lines = plan.lines
        let values = max(lines.outputs * channels, 1)
        let least = lines.outputs > 1 ? Self.leastValuesOfPictures : Self.leastValues
        let perTile = max(
            (least + values - 1) / values, (lines.reach + Self.leastShare) / Self.leastShare)
        var tiles: [Tile] = []
        var firstInputs = [0]
        var (mostInputs, inputStep) = (0, 0)
        tiles.reserveCapacity(lines.count / perTile + 1)
        firstInputs.reserveCapacity(lines.count / perTile + 2)
        for first in stride(from: 0, to: lines.count, by: perTile) {
            let last = min(first + perTile, lines.count)
            let inputs = lines.inputRows(of: first..<last)
            mostInputs = max(mostInputs, inputs.count)
            if let before = tiles.last { inputStep = max(inputStep, inputs.lowerBound - before.inputs.lowerBound) }
            firstInputs.append(firstInputs[tiles.count] + inputs.count)
            tiles.append(Tile(outputs: first * lines.outputs..<last * lines.outputs, inputs: inputs))
        }
        samples = plan.batch
        (self.tiles, self.firstInputs, self.mostInputs, self.inputStep) = (tiles, firstInputs, mostInputs, inputStep)
        (self.lines, linesPerTile) = (lines, perTile)
    }

    private var outputsPerTile: Int { linesPerTile * lines.outputs }
    private var outputsPerSample: Int { lines.count * lines.outputs }

    /// Tiles of all samples.
    package var count: Int { samples * tiles.count }

    package func place(ofOutput row: Int) -> Int {
        let (sample, rowOfSample) = row.quotientAndRemainder(dividingBy: outputsPerSample)
        return sample * tiles.count + rowOfSample / outputsPerTile
    }

    package func firstOutput(ofPlace place: Int) -> Int {
        let (sample, tile) = place.quotientAndRemainder(dividingBy: tiles.count)
        return sample * outputsPerSample + tile * outputsPerTile
    }

    /// Input rows of all tiles before a place.
    package func firstInput(ofPlace place: Int) -> Int {
        let (sample, tile) = place.quotientAndRemainder(dividingBy: tiles.count)
        return sample * firstInputs[tiles.count] + firstInputs[tile]
    }

    /// The input rows of a sample that some of its tiles read.
    package func inputs(of range: Range<Int>) -> Range<Int> {
        let used = tiles[range]
        let first = used.first { !$0.inputs.isEmpty }
        let last = used.last { !$0.inputs.isEmpty }
        return (first?.inputs.lowerBound ?? 0)..<(last?.inputs.upperBound ?? 0)
    }

    /// All places in pieces whose bytes take no more than a few megabytes, which caches can hold.
    /// - Parameter stride: bytes per input row.
    package func chunks(stride: Int) -> [Range<Int>] {
        let fitting = max(Self.chunkBytes / max(mostInputs * stride, 1), 1)
        return count.cut(into: (count + fitting - 1) / fitting, unit: 1)
    }

    private static let chunkBytes = 2 << 20
}
