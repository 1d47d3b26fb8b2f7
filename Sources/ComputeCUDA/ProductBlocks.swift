import CCUDA

/// How a product is cut into blocks, and where they leave parts of its sums.
///
/// Few rows are few blocks with long sums, which would leave most processors idle: so several blocks share a sum on tensor
/// cores, and another kernel adds their parts, always in the same order.
struct ProductBlocks {
    let grid: (x: Int, y: Int, z: Int)
    private let memory: DeviceStorage?

    /// - Parameters:
    ///   - fewestRows: that the number of parts is chosen for. Sums of floats are rounded part by part, so theirs must not
    ///     depend on how many samples are computed at once.
    ///   - words: that are summed at each tap, as tensor cores take them; nil for the kernels that every device has.
    /// - Throws: `TensorError.outOfMemory`.
    init(rows: Int, fewestRows: Int, outputs: Int, taps: Int, words: Int?, on cuda: CUDABackend) throws {
        let tile = Int(words == nil ? CUDA_PRODUCT_TILE : CUDA_PRODUCT_MMA_ROWS)
        let (columns, depth) = (Int(CUDA_PRODUCT_TILE), Int(CUDA_PRODUCT_DEPTH))
        let (x, y) = ((rows + tile - 1) / tile, (outputs + columns - 1) / columns)
        let pieces = words.map { taps * (($0 + depth - 1) / depth) } ?? 0
        let fewestBlocks = max((fewestRows + tile - 1) / tile * y, 1)
        let parts = min(cuda.device.processors / fewestBlocks, pieces / Self.leastPieces, Self.mostParts)
        grid = (x, y, max(parts, 1))
        memory = try parts > 1 ? DeviceStorage(parts * rows * outputs * MemoryLayout<Float>.size, on: cuda) : nil
    }

    private static let leastPieces = 8
    private static let mostParts = 8

    /// Zero if every sum is one block's.
    var parts: UInt64 { memory?.address ?? 0 }
    var isInParts: Bool { memory != nil }
}
