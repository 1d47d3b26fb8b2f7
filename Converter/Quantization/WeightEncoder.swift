import CKernels
import Tensors

/// A weight as the pack stores it.
package struct EncodedWeight: Sendable {
    package let format: WeightFormat
    /// `WeightDescription.byteCount` bytes.
    package let bytes: [UInt8]
    /// ‖W − Ŵ‖ / ‖W‖ of the stored numbers Ŵ; 0 for a weight of zeros.
    package let relativeError: Double
    /// Whether every number fits in the format; false if float16 makes an infinity of one.
    package let inRange: Bool
}

/// Turns float32 rows into stored bytes, on all threads. The result does not depend on how many there are.
package struct WeightEncoder: Sendable {
    private let workers: Workers
    /// Rows per piece of work: whole tiles, small enough for the cache.
    private static let slabRows = 2 * Int8Layout.tileOutputs

    package init(workers: Workers) { self.workers = workers }

    /// - Parameters:
    ///   - rows: of the shape that `role` says.
    ///   - name: for messages.
    ///   - importance: of the numbers of a row, for the choice of int8 scales; nil if all count the same.
    /// - Throws: `QuantizationError.notFinite`, or what reading throws.
    package func encode(
        _ rows: any RowReader, role: WeightRole, as format: WeightFormat, name: String, importance: [Float]? = nil
    ) throws -> EncodedWeight {
        let description = WeightDescription(role: role, format: format)
        var bytes = [UInt8](repeating: 0, count: description.byteCount)
        let statistics = try bytes.withUnsafeMutableBytes { bytes in
            // Pieces write to disjoint places.
            nonisolated(unsafe) let bytes = bytes
            return try workers.map((rows.rowCount + Self.slabRows - 1) / Self.slabRows) { piece in
                let first = piece * Self.slabRows
                let range = first..<min(first + Self.slabRows, rows.rowCount)
                return try withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count * rows.width) { values in
                    try rows.read(range, into: values)
                    let slab = Slab(
                        rows: range, width: rows.width, values: UnsafeBufferPointer(values), name: name,
                        importance: importance)
                    return try slab.write(as: description, into: bytes)
                }
            }
        }
        let total = statistics.reduce(Statistics(), +)
        return EncodedWeight(
            format: format, bytes: bytes, relativeError: total.relativeError,
            inRange: format != .float16 || total.largest <= Slab.largestHalf)
    }
}

/// What was lost in some rows.
private struct Statistics {
    var squaredError = 0.0
    var squaredNorm = 0.0
    var largest: Float = 0

    var relativeError: Double { squaredNorm > 0 ? (squaredError / squaredNorm).squareRoot() : 0 }

    static func + (a: Self, b: Self) -> Self {
        Self(
            squaredError: a.squaredError + b.squaredError, squaredNorm: a.squaredNorm + b.squaredNorm,
            largest: max(a.largest, b.largest))
    }
}

/// Some consecutive rows of a weight, in float32.
private struct Slab {
    /// The largest finite float16.
    static let largestHalf: Float = 65504

    let rows: Range<Int>
    let width: Int
    let values: UnsafeBufferPointer<Float>
    let name: String
    let importance: [Float]?

    /// Writes the rows where they go in the weight's `bytes`.
    func write(as description: WeightDescription, into bytes: UnsafeMutableRawBufferPointer) throws -> Statistics {
        var statistics = try measure()
        switch description.format {
        case .float32:
            bytes[(rows.lowerBound * width * 4)...].copyBytes(from: UnsafeRawBufferPointer(values))
        case .float16:
            statistics.squaredError = writeHalves(into: bytes)
        case .int8:
            statistics.squaredError = writeIntegers(Int8Writer(role: description.role, bytes: bytes))
        }
        return statistics
    }

    private func row(_ index: Int) -> UnsafeBufferPointer<Float> {
        let start = (index - rows.lowerBound) * width
        return UnsafeBufferPointer(rebasing: values[start..<start + width])
    }

    private func measure() throws -> Statistics {
        var statistics = Statistics()
        for index in rows {
            let norm = row(index).reduce(0.0) { $0 + Double($1) * Double($1) }
            guard norm.isFinite else { throw QuantizationError.notFinite(name: name, row: index) }
            statistics.squaredNorm += norm
            statistics.largest = max(statistics.largest, RowQuantizer(row(index)).largestMagnitude)
        }
        return statistics
    }

    private func writeIntegers(_ writer: Int8Writer) -> Double {
        withUnsafeTemporaryAllocation(of: Int8.self, capacity: width) { integers in
            var error = 0.0
            for index in rows {
                let scale = quantized(row(index), into: integers)
                writer.write(UnsafeBufferPointer(integers), scale: scale, row: index)
                error += RowQuantizer(row(index)).squaredError(scale)
            }
            return error
        }
    }

    private func quantized(
        _ row: UnsafeBufferPointer<Float>, into integers: UnsafeMutableBufferPointer<Int8>
    ) -> Float {
        guard let importance else { return RowQuantizer(row).quantize(into: integers) }
        return importance.withUnsafeBufferPointer { RowQuantizer(row, importance: $0).quantize(into: integers) }
    }

    private func writeHalves(into bytes: UnsafeMutableRawBufferPointer) -> Double {
        let kernels = kernels_current().pointee
        let halves = bytes.assumingMemoryBound(to: UInt16.self)
        return withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { widened in
            var error = 0.0
            for index in rows {
                let stored = UnsafeMutableBufferPointer(rebasing: halves[index * width..<(index + 1) * width])
                kernels.narrow_f16(row(index).baseAddress, width, stored.baseAddress)
                kernels.expand_f16(stored.baseAddress, width, widened.baseAddress)
                for (value, kept) in zip(row(index), widened) { error += Double(value - kept) * Double(value - kept) }
            }
            return error
        }
    }
}

/// A weight that cannot be stored.
package enum QuantizationError: Error, CustomStringConvertible, Sendable, Equatable {
    case notFinite(name: String, row: Int)

    package var description: String {
        switch self {
        case .notFinite(let name, let row):
            "\(name): row \(row) has a number that is infinite or not a number; the checkpoint is damaged or its training diverged"
        }
    }
}
