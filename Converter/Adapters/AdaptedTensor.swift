import Checkpoints
import Tensors

/// A weight and the products that are added to it, as PEFT's `merge_and_unload` does in float32: one after the other, each summed
/// up, rounded, multiplied by its scale and rounded again.
struct AdaptedTensor: SourceTensor {
    struct Product: Sendable {
        /// `[rows, rank]`, and `[rank, columns]`, of the weight as it lies in the file.
        let (left, right): ([Float], [Float])
        let rank: Int
        let scale: Float

        /// - Parameters:
        ///   - up: `B`, `[outputs, rank]`.
        ///   - down: `A`, `[rank, inputs]`.
        ///   - isTransposed: whether the weight lies as `[inputs, outputs]`.
        init(up: [Float], down: [Float], rank: Int, scale: Float, isTransposed: Bool) {
            self.rank = rank
            self.scale = scale
            guard isTransposed else {
                (left, right) = (up, down)
                return
            }
            (left, right) = (Self.transposed(down, rows: rank), Self.transposed(up, rows: up.count / rank))
        }

        private static func transposed(_ values: [Float], rows: Int) -> [Float] {
            let columns = values.count / rows
            return (0..<values.count).map { values[$0 % rows * columns + $0 / rows] }
        }

        var columns: Int { right.count / rank }

        /// Adds a part of a row, from a column on.
        func add(row: Int, from column: Int, to target: UnsafeMutableBufferPointer<Float>) {
            withUnsafeTemporaryAllocation(of: Double.self, capacity: target.count) { sums in
                sums.initialize(repeating: 0)
                for place in 0..<rank {
                    let factor = Double(left[row * rank + place])
                    let start = place * columns + column
                    for index in 0..<target.count { sums[index] += factor * Double(right[start + index]) }
                }
                for index in 0..<target.count { target[index] += Float(sums[index]) * scale }
            }
        }
    }

    let base: any SourceTensor
    let products: [Product]

    var key: String { base.key }
    var location: String { base.location }
    var shape: Shape { base.shape }

    func read(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<Float>) throws {
        try base.read(range, into: buffer)
        for product in products {
            var place = range.lowerBound
            while place < range.upperBound {
                let (row, column) = place.quotientAndRemainder(dividingBy: product.columns)
                let end = min(place + product.columns - column, range.upperBound)
                let part = UnsafeMutableBufferPointer(
                    rebasing: buffer[place - range.lowerBound..<end - range.lowerBound])
                product.add(row: row, from: column, to: part)
                place = end
            }
        }
    }
}
