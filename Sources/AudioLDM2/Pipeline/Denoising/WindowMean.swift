import Foundation
import Tensors

/// The weighted mean of overlapping windows, as they come.
package struct WindowMean {
    private let windows: LatentWindows
    /// `[batch, rows, …]` of the whole, once the first window has come.
    private var shape: Shape?
    /// Weighted sums of all rows that have not been taken.
    private var sums: [Float] = []
    /// Of each row, the sum of the weights.
    private var shares: [Float] = []
    /// Rows of a window.
    private var weights: [Float] = []
    /// Rows that have been taken.
    private var taken = 0

    package init(of windows: LatentWindows) { self.windows = windows }

    /// - Parameters:
    ///   - window: `[batch, rows, …]`, the same number of rows for each frame.
    ///   - first: frame of the whole where it begins.
    package mutating func add(_ window: Tensor, from first: Int) throws {
        let rows = window.shape[1] / windows.length
        if shape == nil {
            var shape = window.shape
            shape[1] = windows.frames * rows
            self.shape = shape
            weights = Self.weights(window.shape[1])
        }
        let (batch, total) = (window.shape[0], windows.frames * rows)
        let row = window.shape.count / max(batch * weights.count, 1)
        grow(to: min(first * rows + weights.count, total) - taken, batch: batch, row: row)
        for (place, weight) in weights.enumerated() { shares[(first * rows + place) % total - taken] += weight }
        let values = try window.values()
        for source in 0..<batch * weights.count {
            let (sound, place) = source.quotientAndRemainder(dividingBy: weights.count)
            let target = sound * shares.count + (first * rows + place) % total - taken
            for index in 0..<row { sums[target * row + index] += weights[place] * values[source * row + index] }
        }
    }

    /// The whole, when all windows have come.
    package mutating func result(on backend: any Backend) throws -> Tensor {
        guard let shape else { return try backend.upload([], [0]) }
        grow(to: shape[1], batch: shape[0], row: shape.count / max(shape[0] * shape[1], 1))
        let row = sums.count / max(shape[0] * shares.count, 1)
        let mean = sums.indices.map { sums[$0] / shares[$0 / row % shares.count] }
        return try backend.upload(mean, shape)
    }

    /// Rows that no later window changes, of a batch of one: what has not been taken, up to a frame.
    package mutating func take(to frame: Int) -> [Float] {
        guard let shape, shape[0] == 1 else { return [] }
        let count = frame * (shape[1] / windows.frames) - taken
        let row = sums.count / max(shares.count, 1)
        let mean = (0..<count * row).map { sums[$0] / shares[$0 / row] }
        sums.removeFirst(count * row)
        shares.removeFirst(count)
        taken += count
        return mean
    }

    /// Only a batch of one can grow; others, and what goes around, are there whole from the start.
    private mutating func grow(to count: Int, batch: Int, row: Int) {
        let wanted = batch == 1 && !windows.isCircular ? count : (shape?[1] ?? 0)
        guard wanted > shares.count else { return }
        sums += [Float](repeating: 0, count: batch * (wanted - shares.count) * row)
        shares += [Float](repeating: 0, count: wanted - shares.count)
    }

    /// Bell-shaped and nowhere 0.
    private static func weights(_ count: Int) -> [Float] {
        (0..<count).map { place in
            let sine = sin(Double.pi * (Double(place) + 0.5) / Double(count))
            return Float(sine * sine)
        }
    }
}
