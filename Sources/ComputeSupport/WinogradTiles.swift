import Tensors

/// How the outputs of a 3 × 3 convolution are cut into tiles for Winograd's algorithm, and what is in memory at a time.
package struct WinogradTiles: Sendable {
    /// Outputs of a tile.
    package let height: Int
    package let width: Int
    /// Transformed places of a tile.
    package var places: Int { (height + 2) * (width + 2) }
    /// Tiles of all samples, row by row.
    package let count: Int
    /// Tiles and outputs that are in memory together.
    package let tilesAtOnce: Int
    package let outputsAtOnce: Int

    private let plan: ConvolutionPlan
    private let padding: ConvolutionGeometry.Padding
    private let rows: Int
    private let columns: Int

    /// Channels below which transforms take longer than the products that they save.
    private static let leastChannels = 16
    /// What transformed weights may take, in bytes, and in which steps of outputs.
    private static let weightBytes = 1 << 25
    private static let outputUnit = 64
    /// Enough for products of matrices, and few enough that what is transformed of narrow pictures stays in a cache.
    private static let mostTiles = 256

    /// - Returns: nil for what the algorithm is not made for.
    package init?(_ plan: ConvolutionPlan, role: WeightRole, _ geometry: ConvolutionGeometry) {
        guard case .convolution(let outputs, 3, 3, let inputs) = role, min(inputs, outputs) >= Self.leastChannels,
            geometry.strideHeight == 1, geometry.strideWidth == 1, geometry.dilationHeight == 1,
            geometry.dilationWidth == 1, geometry.resizedHeight == nil, geometry.resizedWidth == nil,
            geometry.inputActivation == .none
        else { return nil }
        (self.plan, padding) = (plan, geometry.padding)
        (height, width) = (plan.outputHeight > 2 ? 4 : 2, plan.outputWidth > 2 ? 4 : 2)
        rows = (plan.outputHeight + height - 1) / height
        columns = (plan.outputWidth + width - 1) / width
        count = plan.batch * rows * columns
        let bytes = (height + 2) * (width + 2) * inputs * MemoryLayout<Float>.size
        outputsAtOnce = min(outputs, max(Self.weightBytes / bytes / Self.outputUnit, 1) * Self.outputUnit)
        tilesAtOnce = min(count, Self.mostTiles)
    }

    /// Calls `body(place, row)` for each input that a tile reads, row by row; nil in the padding.
    package func forEachInput(of tile: Int, _ body: (_ place: Int, _ row: Int?) -> Void) {
        let (sample, top, left) = position(tile)
        for place in 0..<places {
            let (y, x) = (top + place / (width + 2) - padding.top, left + place % (width + 2) - padding.left)
            let isInside = y >= 0 && y < plan.inputHeight && x >= 0 && x < plan.inputWidth
            body(place, isInside ? (sample * plan.inputHeight + y) * plan.inputWidth + x : nil)
        }
    }

    /// The same for each output; nil beyond the last ones.
    package func forEachOutput(of tile: Int, _ body: (_ place: Int, _ row: Int?) -> Void) {
        let (sample, top, left) = position(tile)
        for place in 0..<height * width {
            let (y, x) = (top + place / width, left + place % width)
            let isInside = y < plan.outputHeight && x < plan.outputWidth
            body(place, isInside ? (sample * plan.outputHeight + y) * plan.outputWidth + x : nil)
        }
    }

    /// A tile's sample, and its first output.
    private func position(_ tile: Int) -> (sample: Int, top: Int, left: Int) {
        let (line, column) = tile.quotientAndRemainder(dividingBy: columns)
        let (sample, row) = line.quotientAndRemainder(dividingBy: rows)
        return (sample, row * height, column * width)
    }
}
