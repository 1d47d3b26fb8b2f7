import Checkpoints
import Tensors

/// Rows that the checkpoint stores one after the other as they are needed: linear layers, tables, vectors.
struct ConsecutiveRows: RowReader {
    let tensor: any SourceTensor
    let rowCount: Int
    let width: Int

    func read(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<Float>) throws {
        try tensor.read(range.lowerBound * width..<range.upperBound * width, into: buffer)
    }
}

/// A convolution `[outputs, inputs, taps…]` whose channels go last.
struct ChannelsLastRows: RowReader {
    let tensor: any SourceTensor
    let rowCount: Int
    let inputs: Int
    let taps: Int

    var width: Int { inputs * taps }

    func read(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<Float>) throws {
        try withUnsafeTemporaryAllocation(of: Float.self, capacity: buffer.count) { stored in
            try tensor.read(range.lowerBound * width..<range.upperBound * width, into: stored)
            for row in 0..<range.count {
                for tap in 0..<taps {
                    for input in 0..<inputs {
                        buffer[row * width + tap * inputs + input] = stored[row * width + input * taps + tap]
                    }
                }
            }
        }
    }
}

/// A matrix stored as `[inputs, outputs]`.
struct TransposedRows: RowReader {
    private let values: [Float]
    let rowCount: Int
    let width: Int

    /// Reads the whole matrix, because each row is scattered over all of it.
    init(_ tensor: any SourceTensor, rowCount: Int, width: Int) throws {
        values = try tensor.readAll()
        (self.rowCount, self.width) = (rowCount, width)
    }

    func read(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<Float>) {
        for input in 0..<width {
            for (index, row) in range.enumerated() {
                buffer[index * width + input] = values[input * rowCount + row]
            }
        }
    }
}

/// A 1-D transposed convolution `[inputs, outputs, kernel]` as the convolution that makes `stride` frames at once: see
/// `WeightRole.transposedConvolution`.
struct TransposedConvolutionRows: RowReader {
    private let values: [Float]
    private let inputs: Int
    private let outputs: Int
    private let kernel: Int
    private let stride: Int
    private let taps: Int

    var rowCount: Int { stride * outputs }
    var width: Int { taps * inputs }

    /// Reads the whole weight, because each row is scattered over all of it.
    init(_ tensor: any SourceTensor, stride: Int) throws {
        values = try tensor.readAll()
        (inputs, outputs, kernel) = (tensor.shape[0], tensor.shape[1], tensor.shape[2])
        self.stride = stride
        taps = (kernel + stride - 1) / stride
    }

    func read(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<Float>) {
        for (index, row) in range.enumerated() {
            let (phase, output) = row.quotientAndRemainder(dividingBy: outputs)
            for tap in 0..<taps {
                let position = phase + stride * (taps - 1 - tap)
                for input in 0..<inputs {
                    buffer[index * width + tap * inputs + input] =
                        position < kernel ? values[(input * outputs + output) * kernel + position] : 0
                }
            }
        }
    }
}

/// Several weights of one width, one after the other.
struct JoinedRows: RowReader {
    private let parts: [any RowReader]
    let rowCount: Int
    let width: Int

    /// - Parameter parts: at least one, all of one width.
    init(_ parts: [any RowReader]) {
        self.parts = parts
        rowCount = parts.reduce(0) { $0 + $1.rowCount }
        width = parts[0].width
    }

    func read(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<Float>) throws {
        var first = 0
        for part in parts {
            let rows = range.clamped(to: first..<first + part.rowCount)
            if !rows.isEmpty {
                let place = (rows.lowerBound - range.lowerBound) * width
                let target = UnsafeMutableBufferPointer(rebasing: buffer[place..<place + rows.count * width])
                try part.read(rows.lowerBound - first..<rows.upperBound - first, into: target)
            }
            first += part.rowCount
        }
    }
}
