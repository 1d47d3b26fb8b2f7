import Compute
import Synchronization
import Tensors

/// What a product was seen to read: ranges of everything, and a small part to try things on.
struct ProductRecord: Sendable {
    /// Largest magnitude of each input channel.
    fileprivate(set) var maxima: [Float] = []
    /// Sum of squares of each input channel, of `rowCount` rows.
    fileprivate(set) var squares: [Float] = []
    fileprivate(set) var rowCount = 0
    /// Of products that read every position by itself: some rows of channels.
    fileprivate(set) var rows: [Float] = []
    /// Of other convolutions: some pieces of time, `[1, height, width, channels]`.
    fileprivate(set) var pieces: [(shape: Shape, values: [Float])] = []
    fileprivate(set) var geometry: ConvolutionGeometry?
    fileprivate(set) var calls = 0
    /// Positions that were computed, over all calls.
    fileprivate(set) var positions = 0
    /// ‖product‖² and ‖product + residual‖², where a residual was added.
    fileprivate(set) var branchSquares = 0.0
    fileprivate(set) var streamSquares = 0.0
    /// Of the attention that reads the product, if it can be one of 8-bit numbers.
    fileprivate(set) var attention: (heads: Int, scale: Float)?

    var channels: Int { maxima.count }
    /// Whether all that was read was numbers.
    fileprivate var isFinite: Bool { maxima.allSatisfy(\.isFinite) && !squares.contains(where: \.isNaN) }

    /// Share of what the product adds in what it is added to: 1 where nothing is added.
    var share: Double {
        streamSquares > 0 ? min((branchSquares / streamSquares).squareRoot(), 1) : 1
    }

    /// Mean square of each channel, as a multiple of the mean of all, and never zero: other inputs may differ.
    /// - Parameter columns: what channels are divided by, or none.
    func importance(changed columns: [Float]) -> [Float]? {
        let squares = columns.isEmpty ? squares : zip(squares, columns).map { $0 / ($1 * $1) }
        let mean = squares.reduce(0, +) / Float(max(squares.count, 1))
        guard mean.isNormal else { return nil }
        return squares.map { $0 / mean + 0.05 }
    }
}

/// Records what products read while a model runs.
final class ProductRecords: OperationObserver {
    private struct State {
        var records: [String: ProductRecord] = [:]
        var last = ""
    }

    private let state = Mutex(State())
    /// Rows that are kept of a product, in all and of one call.
    private static let mostRows = 128
    private static let rowsPerCall = 24
    /// Rows of a call that ranges are taken of.
    private static let rowsForRanges = 512
    /// Calls of a convolution of which a piece is kept.
    private static let callsWithPieces: Set<Int> = [0, 2, 5]

    /// By the weights' names.
    var records: [String: ProductRecord] { state.withLock { $0.records } }

    func clear() { state.withLock { $0 = State() } }

    func product(_ product: ObservedProduct) throws {
        let input = try product.input.values()
        let squares = try product.residual.map { residual in
            try Self.squares(product.result.values(), residual.values())
        }
        let isFinite = state.withLock { state in
            state.last = product.weight
            state.records[product.weight, default: ProductRecord()].add(input, product, squares: squares)
            return state.records[product.weight]?.isFinite == true
        }
        guard isFinite else { throw CalibrationError.notFinite(product: product.weight) }
    }

    func attention(heads: Int, scale: Float, isPlain: Bool) throws {
        guard isPlain else { return }
        state.withLock { $0.records[$0.last]?.attention = (heads, scale) }
    }

    private static func squares(_ result: [Float], _ residual: [Float]) -> (branch: Double, stream: Double) {
        var (branch, stream) = (0.0, 0.0)
        // A part is enough.
        for index in stride(from: 0, to: min(result.count, residual.count), by: 7) {
            let (sum, added) = (Double(result[index]), Double(result[index]) - Double(residual[index]))
            branch += added * added
            stream += sum * sum
        }
        return (branch, stream)
    }

    fileprivate static func rowsToKeep(of count: Int, kept: Int) -> [Int] {
        let wanted = min(rowsPerCall, mostRows - kept, count)
        return wanted > 0 ? (0..<wanted).map { $0 * count / wanted } : []
    }

    fileprivate static func keepsPiece(of call: Int) -> Bool { callsWithPieces.contains(call) }
    fileprivate static func rangeStep(_ rows: Int) -> Int { max(rows / rowsForRanges, 1) }
}

extension ProductRecord {
    fileprivate mutating func add(
        _ input: [Float], _ product: ObservedProduct, squares: (branch: Double, stream: Double)?
    ) {
        let channels = product.input.shape.last
        let count = product.input.shape.rows
        geometry = product.geometry
        widen(input, channels: channels, count: count)
        positions += product.result.shape.rows
        if let squares {
            branchSquares += squares.branch
            streamSquares += squares.stream
        }
        if product.readsPositions {
            let kept = rows.count / max(channels, 1)
            for row in ProductRecords.rowsToKeep(of: count, kept: kept) {
                rows += input[row * channels..<(row + 1) * channels]
            }
        } else if ProductRecords.keepsPiece(of: calls) {
            keepPiece(input, product.input.shape)
        }
        calls += 1
    }

    private mutating func widen(_ input: [Float], channels: Int, count: Int) {
        if maxima.isEmpty {
            maxima = Array(repeating: 0, count: channels)
            squares = maxima
        }
        let step = ProductRecords.rangeStep(count)
        input.withUnsafeBufferPointer { input in
            maxima.withUnsafeMutableBufferPointer { maxima in
                squares.withUnsafeMutableBufferPointer { squares in
                    for row in stride(from: 0, to: count, by: step) {
                        let first = row * channels
                        for channel in 0..<channels {
                            let value = input[first + channel]
                            maxima[channel] = max(maxima[channel], abs(value))
                            squares[channel] += value * value
                        }
                    }
                }
            }
        }
        rowCount += (count + step - 1) / step
    }

    /// Keeps as much time as a few of the pieces that a convolution quantizes by themselves.
    private mutating func keepPiece(_ input: [Float], _ shape: Shape) {
        let (batch, height, line) = (shape[0], shape[1], shape[2] * shape[3])
        let reach = (geometry?.dilationHeight ?? 1) * 8
        let wanted = shape[2] > 1 ? (1 << 15) / max(line, 1) + reach : 96 + 2 * reach
        let lines = min(max(wanted, 8), height)
        let sample = calls % batch
        let start = (height - lines) * (calls % 3) / 2
        let first = (sample * height + start) * line
        pieces.append(([1, lines, shape[2], shape[3]], Array(input[first..<first + lines * line])))
    }
}

extension ObservedProduct {
    /// Whether every position is multiplied by itself.
    fileprivate var readsPositions: Bool {
        guard let geometry else { return true }
        let resized = geometry.resizedHeight != nil || geometry.resizedWidth != nil
        return result.shape.rows == input.shape.rows && geometry.padding == .init() && !resized
            && geometry.strideHeight * geometry.strideWidth == 1 && geometry.inputActivation == .none
    }
}
