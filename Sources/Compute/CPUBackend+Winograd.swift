import CKernels
import ComputeSupport
import Tensors

extension CPUBackend {
    /// A 3 × 3 convolution in floats by Winograd's algorithm: a product of matrices for each place of a tile, 2¼ to 4 times fewer
    /// in all than by definition.
    func convolveTiles(
        _ x: UnsafePointer<Float>, _ tiles: WinogradTiles, _ bytes: UnsafeRawBufferPointer,
        _ description: WeightDescription, _ finish: Finish, into y: UnsafeMutablePointer<Float>
    ) throws {
        let job = try WinogradJob(x, tiles, FloatRows(bytes, description), description.role, on: self)
        let outputs = description.role.outputs
        var read: Range<Int>?
        for first in stride(from: 0, to: outputs, by: tiles.outputsAtOnce) {
            let columns = first..<min(first + tiles.outputsAtOnce, outputs)
            job.transformWeights(columns)
            for first in stride(from: 0, to: tiles.count, by: tiles.tilesAtOnce) {
                let range = first..<min(first + tiles.tilesAtOnce, tiles.count)
                if read != range { job.transformInputs(range) }
                read = range
                job.multiply(tiles: range.count, outputs: columns.count)
                job.transformOutputs(range, columns, finish, into: y)
            }
        }
    }
}

/// What a convolution by tiles has in memory.
private struct WinogradJob {
    private let cpu: CPUBackend
    private let x: UnsafePointer<Float>
    private let tiles: WinogradTiles
    private let weightRows: FloatRows
    private let inputs: Int
    private let outputs: Int
    /// `[places][tilesAtOnce, inputs]`, `[places][outputsAtOnce, inputs]` and `[places][tilesAtOnce, outputsAtOnce]`.
    private let read: HostStorage
    private let weights: HostStorage
    private let sums: HostStorage
    /// Weights as they are stored, expanded: a few outputs for each thread.
    private let expanded: HostStorage
    /// A row of the padding.
    private let zeros: HostStorage

    private static let outputsPerTask = 16
    private static let tilesPerTask = 8
    /// Floats between places, so that they do not fall on the same lines of a cache.
    private static let gap = 16

    init(
        _ x: UnsafePointer<Float>, _ tiles: WinogradTiles, _ weightRows: FloatRows, _ role: WeightRole,
        on cpu: CPUBackend
    ) throws {
        (self.cpu, self.x, self.tiles, self.weightRows) = (cpu, x, tiles, weightRows)
        (inputs, outputs) = (role.inputs, role.outputs)
        func storage(_ floats: Int) throws -> HostStorage {
            try HostStorage(floats * MemoryLayout<Float>.size, on: cpu)
        }
        read = try storage(tiles.places * (tiles.tilesAtOnce * role.inputs + Self.gap))
        weights = try storage(tiles.places * (tiles.outputsAtOnce * role.inputs + Self.gap))
        sums = try storage(tiles.places * (tiles.tilesAtOnce * tiles.outputsAtOnce + Self.gap))
        expanded = try storage(weightRows.isCompact ? cpu.threadCount * Self.outputsPerTask * weightRows.width : 0)
        zeros = try storage(role.inputs)
        if !cpu.isCounting { zeros.floats.update(repeating: 0, count: role.inputs) }
    }

    private var readStride: Int { tiles.tilesAtOnce * inputs + Self.gap }
    private var weightStride: Int { tiles.outputsAtOnce * inputs + Self.gap }
    private var sumStride: Int { tiles.tilesAtOnce * tiles.outputsAtOnce + Self.gap }

    private func tile(channels: Int, stride: Int) -> kernels_winograd_tile {
        kernels_winograd_tile(height: tiles.height, width: tiles.width, channels: channels, stride: stride)
    }

    func transformWeights(_ columns: Range<Int>) {
        var tile = tile(channels: inputs, stride: weightStride)
        let (width, block) = (weightRows.width, Self.outputsPerTask)
        cpu.forBlocks(of: columns.count, size: block) { range, worker in
            let stored = columns.lowerBound + range.lowerBound..<columns.lowerBound + range.upperBound
            let scratch = expanded.floats + (weightRows.isCompact ? worker * block * width : 0)
            guard let rows = weightRows.rows(stored, scratch: scratch, cpu.kernels) else { return }
            for (index, output) in range.enumerated() {
                cpu.kernels.winograd_weight(&tile, rows + index * width, weights.floats + output * inputs)
            }
        }
    }

    func transformInputs(_ range: Range<Int>) {
        var tile = tile(channels: inputs, stride: readStride)
        cpu.forBlocks(of: range.count, size: Self.tilesPerTask) { some, _ in
            withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: tiles.places) { rows in
                for index in some {
                    tiles.forEachInput(of: range.lowerBound + index) { place, row in
                        rows[place] = row.map { x + $0 * inputs } ?? UnsafePointer(zeros.floats)
                    }
                    cpu.kernels.winograd_input(&tile, rows.baseAddress, read.floats + index * inputs)
                }
            }
        }
    }

    /// A product for each place.
    func multiply(tiles count: Int, outputs: Int) {
        cpu.threads.run(tiles.places) { place, _ in
            cpu.blas.multiplyTransposed(
                .init(pointer: read.floats + place * readStride, stride: inputs),
                .init(pointer: weights.floats + place * weightStride, stride: inputs),
                into: sums.floats + place * sumStride, stride: tiles.outputsAtOnce, m: count, n: outputs, k: inputs)
        }
    }

    func transformOutputs(
        _ range: Range<Int>, _ columns: Range<Int>, _ finish: Finish, into y: UnsafeMutablePointer<Float>
    ) {
        var tile = tile(channels: columns.count, stride: sumStride)
        cpu.forBlocks(of: range.count, size: Self.tilesPerTask) { some, _ in
            let capacity = tiles.height * tiles.width
            withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<Float>?.self, capacity: capacity) { rows in
                for index in some {
                    tiles.forEachOutput(of: range.lowerBound + index) { place, row in
                        rows[place] = row.map { y + $0 * outputs + columns.lowerBound }
                    }
                    cpu.kernels.winograd_output(&tile, sums.floats + index * tiles.outputsAtOnce, rows.baseAddress)
                    tiles.forEachOutput(of: range.lowerBound + index) { _, row in
                        if let row { finish.apply(cpu.kernels, y + row * outputs, row: row, columns: columns) }
                    }
                }
            }
        }
    }
}
