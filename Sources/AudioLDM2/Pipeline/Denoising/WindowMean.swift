import Glibc
import Tensors

/// The weighted mean of overlapping windows, as they come; sums stay where they are computed.
package struct WindowMean {
    private let windows: LatentWindows
    /// Whether all of it will be there at the end, so that there is room from the start.
    private let isWhole: Bool
    /// `[batch, rows, …]` of the whole, once the first window has come.
    private var shape: Shape?
    /// Weighted sums of all rows that have not been taken, `[batch, rows, numbers of a row]`.
    private var sums: Tensor?
    /// Of each row, the sum of the weights.
    private var shares: [Float] = []
    /// Rows of a window.
    private var weights: [Float] = []
    /// Rows that have been taken.
    private var taken = 0

    /// - Parameter isWhole: whether `result` is asked for, and nothing taken before.
    package init(of windows: LatentWindows, isWhole: Bool = false) {
        self.windows = windows
        self.isWhole = isWhole
    }

    /// - Parameters:
    ///   - window: `[batch, rows, …]`, the same number of rows for each frame.
    ///   - first: frame of the whole where it begins.
    package mutating func add(_ window: Tensor, from first: Int) throws {
        let backend = window.backend
        let (batch, count) = (window.shape[0], window.shape[1])
        let rows = count / windows.length
        let total = windows.frames * rows
        if shape == nil {
            var shape = window.shape
            shape[1] = total
            self.shape = shape
            weights = Self.weights(count)
        }
        let window = try window.reshaped([batch, count, window.shape.count / max(batch * count, 1)])
        // Others than a batch of one, and what goes around, are there whole from the start.
        let isGrowing = !isWhole && batch == 1 && !windows.isCircular
        let sums = try room(for: isGrowing ? min(first * rows + count, total) - taken : total, like: window)
        for (place, weight) in weights.enumerated() { shares[(first * rows + place) % total - taken] += weight }
        try backend.accumulate(
            window, factors: backend.upload(weights, [count]), into: sums, at: first * rows % total - taken)
    }

    /// The whole, when all windows have come.
    package func result(on backend: any Backend) throws -> Tensor {
        guard let shape, let sums else { return try backend.upload([], [0]) }
        return try backend.divideRows(sums, by: backend.upload(shares, [shares.count])).reshaped(shape)
    }

    /// Rows that no later window changes, of a batch of one: what has not been taken, up to a frame.
    package mutating func take(to frame: Int) throws -> [Float] {
        guard let shape, let sums, shape[0] == 1, !isWhole else { return [] }
        let count = frame * (shape[1] / windows.frames) - taken
        let known = try sums.slice(axis: 1, 0..<count)
        let mean = try sums.backend.divideRows(known, by: sums.backend.upload(Array(shares.prefix(count)), [count]))
        self.sums = count < shares.count ? try sums.slice(axis: 1, count..<shares.count) : nil
        shares.removeFirst(count)
        taken += count
        return try mean.values()
    }

    /// Sums of at least so many rows: those that there are, and zeros behind them.
    private mutating func room(for rows: Int, like window: Tensor) throws -> Tensor {
        if let sums, sums.shape[1] >= rows { return sums }
        let shape: Shape = [window.shape[0], rows, window.shape[2]]
        let wider = try window.backend.upload([Float](repeating: 0, count: shape.count), shape)
        if let sums { try window.backend.write(sums, into: wider, at: 0) }
        shares += [Float](repeating: 0, count: rows - shares.count)
        sums = wider
        return wider
    }

    /// Bell-shaped and nowhere 0.
    private static func weights(_ count: Int) -> [Float] {
        (0..<count).map { place in
            let sine = sin(Double.pi * (Double(place) + 0.5) / Double(count))
            return Float(sine * sine)
        }
    }
}
