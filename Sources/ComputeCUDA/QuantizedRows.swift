import CCUDA
import ComputeSupport
import Tensors

/// Rows as bytes, with the ranges that they stand for: a range for each row, or for each tile of a convolution's input.
struct QuantizedRows {
    let bytes: DeviceStorage
    let ranges: DeviceStorage
    let tiling: cuda_tiles

    /// - Parameters:
    ///   - tiles: nil for a range for each row.
    ///   - activation: applied first.
    init(_ x: Tensor, _ tiles: ConvolutionTiles?, _ activation: Activation, on cuda: CUDABackend) throws {
        let int = { try cuda.int($0, "quantize") }
        let (rows, channels) = (x.shape.rows, x.shape.last)
        let words = (channels + 3) / 4
        let room = tiles?.mostInputs ?? 1
        let rangeCount = tiles?.count ?? rows
        _ = try int(rangeCount * room)
        _ = try int(room * words * 4)
        bytes = try DeviceStorage(rangeCount * room * words * 4, on: cuda)
        ranges = try DeviceStorage(rangeCount * MemoryLayout<cuda_range>.stride, on: cuda)
        tiling = try tiles.map { try cuda_tiles($0, int) } ?? cuda_tiles()
        let arguments = cuda_quantize(
            x: try cuda.address(x, "quantize"), y: bytes.address, ranges: ranges.address,
            rows: try int(rows / max(tiles?.samples ?? 1, 1)), channels: try int(channels), tiling: tiling,
            activation: activation.arguments)
        if tiles != nil {
            try cuda.launch(.quantizeTiles, arguments, grid: (rangeCount, 1, 1))
        } else {
            let warps = Int(CUDA_WARPS)
            try cuda.launch(.quantizeRows, arguments, grid: ((rows + warps - 1) / warps, 1, 1))
        }
    }
}

extension cuda_tiles {
    fileprivate init(_ tiles: ConvolutionTiles, _ int: (Int) throws -> Int32) throws {
        let lines = tiles.lines
        self.init(
            is_tiled: 1, count: try int(tiles.tiles.count), room: try int(tiles.mostInputs),
            lines: try int(tiles.linesPerTile), all_lines: try int(lines.count), line_outputs: try int(lines.outputs),
            line_inputs: try int(lines.inputs), stride: try int(lines.stride), padding: try int(lines.padding),
            reach: try int(lines.reach), stored_lines: try int(lines.axis.size),
            resized_lines: try int(lines.axis.count), scale: lines.axis.scale)
    }
}
