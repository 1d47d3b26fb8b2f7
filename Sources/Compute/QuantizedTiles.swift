import CKernels
import ComputeSupport
import Tensors

/// Some of a convolution's input as unsigned bytes, tile by tile, with a range for each.
struct QuantizedTiles: Int8Rows, @unchecked Sendable {
    // Unchecked: what is written by one task is read when all are done.
    private let plan: ConvolutionPlan
    private let tiles: ConvolutionTiles
    /// Tiles of all samples, one sample's after the other's.
    private let places: Range<Int>
    /// Rows of `stride` bytes, tile by tile.
    private let storage: HostStorage
    /// A row of zero points for each tile: what is read outside of the input.
    private let padding: HostStorage
    /// A range for each tile.
    private let rangeStorage: HostStorage
    let stride: Int
    /// Rows of the result that read these tiles.
    let rows: Range<Int>

    private var ranges: UnsafeMutablePointer<kernels_range> { rangeStorage.memory(of: kernels_range.self) }

    /// - Parameters:
    ///   - places: of the tiles, counted through all samples.
    ///   - activation: applied first.
    init(
        _ source: any RowSource, _ plan: ConvolutionPlan, _ tiles: ConvolutionTiles, _ places: Range<Int>,
        activation: Activation, on cpu: CPUBackend
    ) throws {
        self.plan = plan
        self.tiles = tiles
        self.places = places
        stride = source.channels.roundedUp(to: Int8Layout.tileInputs)
        rows = tiles.firstOutput(ofPlace: places.lowerBound)..<tiles.firstOutput(ofPlace: places.upperBound)
        let inputRows = tiles.firstInput(ofPlace: places.upperBound) - tiles.firstInput(ofPlace: places.lowerBound)
        storage = try HostStorage(inputRows * stride, on: cpu)
        padding = try HostStorage(places.count * stride, on: cpu)
        rangeStorage = try HostStorage(places.count * MemoryLayout<kernels_range>.stride, on: cpu)
        try quantize(source, activation, cpu)
    }

    private func quantize(_ source: any RowSource, _ activation: Activation, _ cpu: CPUBackend) throws {
        // Tiles that are done together compute what they share once.
        let fitting = Self.scratchValues / max(tiles.mostInputs * source.channels, 1)
        let wanted = (places.count + 4 * cpu.threadCount - 1) / (4 * cpu.threadCount)
        let together = max(min(fitting, wanted), 1)
        let room = (tiles.mostInputs + (together - 1) * tiles.inputStep) * source.channels
        let isInPlace = source.inPlace != nil && activation == .none
        let scratch = try HostStorage(
            isInPlace ? 0 : cpu.threadCount * room * MemoryLayout<Float>.size, on: cpu)
        let perSample = tiles.tiles.count
        cpu.forBlocks(of: places.count, size: together) { block, worker in
            var place = places.lowerBound + block.lowerBound
            while place < places.lowerBound + block.upperBound {
                let (sample, first) = place.quotientAndRemainder(dividingBy: perSample)
                let last = min(first + places.lowerBound + block.upperBound - place, perSample)
                let inputs = tiles.inputs(of: first..<last)
                let start = sample * plan.inputHeight * plan.inputWidth + inputs.lowerBound
                let values = source.read(
                    start..<start + inputs.count, activated: activation, scratch: scratch.floats + worker * room,
                    cpu.kernels)
                for tile in first..<last {
                    let offset = tiles.tiles[tile].inputs.lowerBound - inputs.lowerBound
                    store(values + offset * source.channels, place: place, channels: source.channels, cpu.kernels)
                    place += 1
                }
            }
        }
    }

    /// Floats of a thread's scratch: about half of the second-level cache.
    private static let scratchValues = 1 << 16

    private func store(_ values: UnsafePointer<Float>, place: Int, channels: Int, _ kernels: Kernels) {
        let count = tiles.tiles[place % tiles.tiles.count].inputs.count
        var (low, high): (Float, Float) = (0, 0)
        kernels.widen_range(values, count * channels, &low, &high)
        let range = kernels_range(low: low, high: high)
        let index = place - places.lowerBound
        ranges[index] = range
        (padding.memory(of: UInt8.self) + index * stride).update(
            repeating: UInt8(clamping: range.zero), count: stride)
        let target = bytes(ofPlace: place)
        if stride == channels {
            kernels.quantize_u8(
                values, count * channels, count * channels, range.inverseScale, range.zero, target)
        } else {
            for row in 0..<count {
                kernels.quantize_u8(
                    values + row * channels, channels, stride, range.inverseScale, range.zero, target + row * stride)
            }
        }
    }

    private func bytes(ofPlace place: Int) -> UnsafeMutablePointer<UInt8> {
        let row = tiles.firstInput(ofPlace: place) - tiles.firstInput(ofPlace: places.lowerBound)
        return storage.memory(of: UInt8.self) + row * stride
    }

    func gather(
        _ rows: Range<Int>, into pointers: UnsafeMutablePointer<UnsafePointer<UInt8>?>,
        _ ranges: UnsafeMutablePointer<kernels_range>
    ) {
        var row = rows.lowerBound
        while row < rows.upperBound {
            let place = tiles.place(ofOutput: row)
            let (sample, tile) = place.quotientAndRemainder(dividingBy: tiles.tiles.count)
            let last = min(tiles.firstOutput(ofPlace: place + 1), rows.upperBound)
            let index = place - places.lowerBound
            let offset = row - rows.lowerBound
            // Where the tile's bytes would begin if they were the whole input.
            let firstRow = sample * plan.inputHeight * plan.inputWidth + tiles.tiles[tile].inputs.lowerBound
            plan.gather(
                row..<last, from: UnsafePointer(bytes(ofPlace: place)) - firstRow * stride, stride: stride,
                padding: UnsafePointer(padding.memory(of: UInt8.self)) + index * stride, into: pointers + offset,
                tapStride: rows.count)
            (ranges + offset).update(repeating: self.ranges[index], count: last - row)
            row = last
        }
    }
}

extension RowSource {
    /// Rows after an activation: in place if there is none, else computed into `scratch`.
    fileprivate func read(
        _ rows: Range<Int>, activated activation: Activation, scratch: UnsafeMutablePointer<Float>, _ kernels: Kernels
    ) -> UnsafePointer<Float> {
        var values = inPlace.map { $0 + rows.lowerBound * channels }
        if values == nil {
            for first in stride(from: rows.lowerBound, to: rows.upperBound, by: rowsAtOnce) {
                let piece = first..<min(first + rowsAtOnce, rows.upperBound)
                write(piece, into: scratch + (first - rows.lowerBound) * channels)
            }
        }
        if activation != .none {
            let (kind, slope) = activation.kernel
            kernels.activate(values ?? UnsafePointer(scratch), rows.count * channels, kind, slope, scratch)
            values = nil
        }
        return values ?? UnsafePointer(scratch)
    }
}
