import Compute
import ComputeSupport
import Foundation
import Tensors
import TestSupport
import Testing

/// Ranges of an int8 convolution's input: one for each piece of time.
@Suite struct TileTests {
    private let backend: CPUBackend

    init() throws { backend = try CPUBackend(threadCount: 2) }

    private func convolve(
        _ item: TileCase, _ x: [Float], samples: Int? = nil, deferred: Bool = false, on other: CPUBackend? = nil
    ) throws -> Tensor {
        let backend = other ?? backend
        var (shape, epilogue) = (item.shape, Epilogue())
        shape[0] = samples ?? item.samples
        epilogue.isDeferred = deferred
        return try backend.convolution(
            backend.upload(x, shape), backend.prepare(item.weight.weight), item.geometry, epilogue)
    }

    private func tiles(of item: TileCase) throws -> [ConvolutionTiles.Tile] {
        let plan = try ConvolutionPlan.checked(item.shape, role: item.role, item.geometry)
        let tiles = ConvolutionTiles(
            plan, channels: item.shape[3], activation: item.geometry.inputActivation)
        return try #require(tiles).tiles
    }

    /// Every output is in one tile, and a tile has all lines that its outputs read and no more.
    @Test(arguments: TileCase.all)
    func tilesHoldWhatTheirOutputsRead(_ item: TileCase) throws {
        let tiles = try tiles(of: item)
        let definition = Definition(item, try convolve(item, item.input).shape)
        #expect(tiles.count > 2)
        #expect(tiles.flatMap { Array($0.outputs) } == Array(0..<definition.outputRows))
        for tile in tiles { #expect(tile.inputs == definition.lines(of: tile.outputs), "\(tile)") }
    }

    /// The definition, of an input that was rounded to each tile's bytes; in quiet tiles as near as in loud ones.
    @Test(arguments: TileCase.all)
    func eachTileHasARangeOfItsOwn(_ item: TileCase) throws {
        let (x, tiles) = (item.input, try tiles(of: item))
        let y = try convolve(item, x)
        let (values, definition) = (try y.values(), Definition(item, y.shape))
        for sample in 0..<item.samples {
            for tile in tiles {
                let expected = definition.results(x, sample: sample, tile)
                let first = (sample * definition.outputRows + tile.outputs.lowerBound) * item.role.outputs
                let ours = Array(values[first..<first + expected.count])
                #expect(relativeError(ours, expected) < 1e-5, "sample \(sample), \(tile)")
            }
        }
    }

    /// What does not read a loud place's tile is the same as if it were quiet.
    @Test(arguments: TileCase.all)
    func loudPlacesReachNoFurtherThanTheirTiles(_ item: TileCase) throws {
        let row = item.rows / 2
        let inputs = item.quiet(andLoudAt: row)
        let (quiet, loud) = (try convolve(item, inputs.quiet).values(), try convolve(item, inputs.loud).values())
        let (tiles, outputs) = (try tiles(of: item), item.role.outputs)
        for tile in tiles {
            let places = tile.outputs.lowerBound * outputs..<tile.outputs.upperBound * outputs
            #expect((quiet[places] == loud[places]) == !tile.inputs.contains(row), "\(tile)")
        }
        let second = tiles.reduce(0) { $0 + $1.outputs.count } * outputs
        #expect(quiet[second...] == loud[second...])
    }

    @Test(arguments: TileCase.all)
    func neitherThreadsNorOtherSamplesMatter(_ item: TileCase) throws {
        let x = item.input
        let together = try convolve(item, x)
        for threads in [1, 3, 5] {
            let other = try convolve(item, x, on: CPUBackend(threadCount: threads))
            #expect(try other.values() == together.values())
        }
        for sample in 0..<item.samples {
            let count = x.count / item.samples
            let alone = try convolve(item, Array(x[sample * count..<(sample + 1) * count]), samples: 1)
            #expect(try alone.values() == together.outermost(sample..<sample + 1).values())
        }
    }

    /// All tiles at once, or a few megabytes of them after another.
    @Test func chunksMakeNoDifference() throws {
        let item = TileCase(
            description: "long", shape: [1, 70_000, 1, 16],
            role: .convolution(outputs: 4, kernelHeight: 11, kernelWidth: 1, inputs: 16),
            geometry: .init(dilationHeight: 5, padding: .init(top: 25, bottom: 25)))
        let x = item.input
        #expect(try convolve(item, x).values() == convolve(item, x, deferred: true).values())
    }
}

/// What a convolution reads and makes, position by position.
private struct Definition {
    private let item: TileCase
    private let height, width, outputWidth, outputs: Int
    private let kernel: (height: Int, width: Int)
    private let meaning: [Float]
    /// Of a sample.
    let outputRows: Int

    init(_ item: TileCase, _ result: Shape) {
        self.item = item
        (height, width) = (item.shape[1], item.shape[2])
        (outputRows, outputWidth, outputs) = (result[1] * result[2], result[2], result[3])
        (kernel, meaning) = (item.role.kernelSize, item.weight.meaning)
    }

    /// The input row, of a sample, that an output reads at each tap; nil in the padding.
    private func sources(of row: Int) -> [Int?] {
        let geometry = item.geometry
        let (y, x) = row.quotientAndRemainder(dividingBy: outputWidth)
        let (tall, wide) = (geometry.resizedHeight ?? height, geometry.resizedWidth ?? width)
        return (0..<kernel.height * kernel.width).map { tap in
            let (i, j) = tap.quotientAndRemainder(dividingBy: kernel.width)
            let sourceY = y * geometry.strideHeight - geometry.padding.top + i * geometry.dilationHeight
            let sourceX = x * geometry.strideWidth - geometry.padding.left + j * geometry.dilationWidth
            guard (0..<tall).contains(sourceY), (0..<wide).contains(sourceX) else { return nil }
            return sourceY * height / tall * width + sourceX * width / wide
        }
    }

    /// The whole lines that outputs read, and all between them.
    func lines(of rows: Range<Int>) -> Range<Int> {
        let read = rows.flatMap(sources).compactMap(\.self)
        guard let first = read.min(), let last = read.max() else { return 0..<0 }
        let line = height == 1 ? 1 : width
        return first / line * line..<(last / line + 1) * line
    }

    /// `[outputs of the tile, outputs]`
    func results(_ x: [Float], sample: Int, _ tile: ConvolutionTiles.Tile) -> [Float] {
        let channels = item.shape[3]
        let start = (sample * height * width + tile.inputs.lowerBound) * channels
        let rounded = rounded(x[start..<start + tile.inputs.count * channels].map(activated))
        return tile.outputs.flatMap { row in
            let sources = sources(of: row)
            return (0..<outputs).map { output in
                var sum = 0.0
                for (tap, source) in sources.enumerated() {
                    guard let source else { continue }
                    let first = (source - tile.inputs.lowerBound) * channels
                    let weights = (output * sources.count + tap) * channels
                    for channel in 0..<channels {
                        sum += Double(rounded[first + channel]) * Double(meaning[weights + channel])
                    }
                }
                return Float(sum)
            }
        }
    }

    private func activated(_ value: Float) -> Float {
        switch item.geometry.inputActivation {
        case .leakyRelu(let slope): value < 0 ? value * slope : value
        case .relu: max(value, 0)
        default: value
        }
    }

    /// What the bytes over the range of these values, zero included, stand for.
    private func rounded(_ values: [Float]) -> [Float] {
        let (low, high) = (min(values.min() ?? 0, 0), max(values.max() ?? 0, 0))
        let scale = (high - low) / 255
        guard scale > 0 else { return values.map { _ in 0 } }
        let zero = Float(Int(min(-low / scale + 0.5, 255)))
        let inverse = 1 / scale
        return values.map { scale * min(max(($0 * inverse).rounded(.toNearestOrEven), -zero), 255 - zero) }
    }
}
