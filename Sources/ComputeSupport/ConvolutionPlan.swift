import Tensors

/// A convolution's geometry, resolved for one input: which input position each output position reads at each tap.
///
/// Positions are rows of channels: `(sample · height + y) · width + x`.
package struct ConvolutionPlan: Sendable {
    package let batch: Int
    /// Of the input as stored, before any resizing.
    package let inputHeight: Int
    package let inputWidth: Int
    package let outputHeight: Int
    package let outputWidth: Int
    @usableFromInline let kernelHeight: Int
    @usableFromInline let kernelWidth: Int
    @usableFromInline let geometry: ConvolutionGeometry
    @usableFromInline let sourceRows: SourceAxis
    @usableFromInline let sourceColumns: SourceAxis
    /// Height and width of input and output are exchanged.
    private let isTurned: Bool

    /// - Parameter x: `[batch, height, width, channels]`.
    /// - Returns: nil if the kernel does not fit into the padded input.
    ///
    /// What runs along time alone is planned along the width, where positions follow one another.
    package init?(_ x: Shape, role: WeightRole, _ geometry: ConvolutionGeometry) {
        var (x, kernel, geometry) = (x, role.kernelSize, geometry)
        isTurned =
            x[2] == 1 && kernel.width == 1 && geometry.padding.left + geometry.padding.right == 0
            && geometry.resizedHeight == nil && geometry.resizedWidth == nil
        if isTurned {
            x = [x[0], 1, x[1], x[3]]
            kernel = (1, kernel.height)
            geometry = geometry.turned
        }
        let height = geometry.resizedHeight ?? x[1]
        let width = geometry.resizedWidth ?? x[2]
        let padding = geometry.padding
        let spanHeight = height + padding.top + padding.bottom - geometry.dilationHeight * (kernel.height - 1) - 1
        let spanWidth = width + padding.left + padding.right - geometry.dilationWidth * (kernel.width - 1) - 1
        guard spanHeight >= 0, spanWidth >= 0, x[1] > 0, x[2] > 0 else { return nil }
        batch = x[0]
        (inputHeight, inputWidth) = (x[1], x[2])
        (kernelHeight, kernelWidth) = (kernel.height, kernel.width)
        outputHeight = spanHeight / geometry.strideHeight + 1
        outputWidth = spanWidth / geometry.strideWidth + 1
        self.geometry = geometry
        sourceRows = SourceAxis(x[1], resizedTo: height)
        sourceColumns = SourceAxis(x[2], resizedTo: width)
    }

    package var outputRows: Int { batch * outputHeight * outputWidth }

    package func outputShape(_ outputs: Int) -> Shape {
        [batch, isTurned ? outputWidth : outputHeight, isTurned ? outputHeight : outputWidth, outputs]
    }

    /// The lines in which time runs.
    package var lines: ConvolutionLines {
        if outputHeight == 1 && inputHeight == 1 {
            return ConvolutionLines(
                count: outputWidth, outputs: 1, inputs: 1, stride: geometry.strideWidth, padding: geometry.padding.left,
                reach: geometry.dilationWidth * (kernelWidth - 1), axis: sourceColumns)
        }
        return ConvolutionLines(
            count: outputHeight, outputs: outputWidth, inputs: inputWidth, stride: geometry.strideHeight,
            padding: geometry.padding.top, reach: geometry.dilationHeight * (kernelHeight - 1), axis: sourceRows)
    }

    /// Whether every output position reads the input position of the same number, and only that.
    package var isPointwise: Bool {
        kernelHeight * kernelWidth == 1 && geometry.strideHeight * geometry.strideWidth == 1
            && geometry.padding == .init() && outputHeight == inputHeight && outputWidth == inputWidth
            && geometry.resizedHeight == nil && geometry.resizedWidth == nil
    }

    /// Pointers to the bytes that each of some output rows reads at each tap.
    /// - Parameters:
    ///   - bytes: where the first input row would be.
    ///   - stride: bytes per input row.
    ///   - padding: a row to read outside of the input.
    ///   - pointers: those of the first tap; the next tap's are `tapStride` further.
    package func gather(
        _ rows: Range<Int>, from bytes: UnsafePointer<UInt8>, stride: Int, padding: UnsafePointer<UInt8>,
        into pointers: UnsafeMutablePointer<UnsafePointer<UInt8>?>, tapStride: Int
    ) {
        for i in 0..<kernelHeight {
            for j in 0..<kernelWidth {
                var target = pointers + (i * kernelWidth + j) * tapStride
                var row = rows.lowerBound
                while row < rows.upperBound {
                    let (line, x) = row.quotientAndRemainder(dividingBy: outputWidth)
                    let count = min(outputWidth - x, rows.upperBound - row)
                    gatherLine(line, x..<x + count, tap: (i, j), from: bytes, stride, padding, into: target)
                    row += count
                    target += count
                }
            }
        }
    }

    /// One tap of some positions of one line of outputs.
    private func gatherLine(
        _ line: Int, _ columns: Range<Int>, tap: (Int, Int), from bytes: UnsafePointer<UInt8>, _ stride: Int,
        _ padding: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<UnsafePointer<UInt8>?>
    ) {
        let (sample, y) = line.quotientAndRemainder(dividingBy: outputHeight)
        let sourceY = y * geometry.strideHeight - geometry.padding.top + tap.0 * geometry.dilationHeight
        guard (0..<sourceRows.count).contains(sourceY) else {
            target.update(repeating: padding, count: columns.count)
            return
        }
        let source = bytes + (sample * inputHeight + sourceRows[sourceY]) * inputWidth * stride
        let step = geometry.strideWidth
        let left = tap.1 * geometry.dilationWidth - geometry.padding.left
        // The positions whose source is inside: 0 ≤ x · step + left < width.
        let first = min(max((-left + step - 1) / step, columns.lowerBound), columns.upperBound)
        let last = max(min((sourceColumns.count - 1 - left + step) / step, columns.upperBound), first)
        target.update(repeating: padding, count: first - columns.lowerBound)
        let inside = target + (first - columns.lowerBound)
        if sourceColumns.isResized {
            for x in first..<last { inside[x - first] = source + sourceColumns[x * step + left] * stride }
        } else {
            let start = source + (first * step + left) * stride
            for index in 0..<last - first { inside[index] = start + index * step * stride }
        }
        (target + (last - columns.lowerBound)).update(repeating: padding, count: columns.upperBound - last)
    }

    /// Calls `body(tap, input row)` for every tap of an output row; the input row is nil in the padding.
    @inlinable @inline(__always)
    package func forEachTap(ofRow row: Int, _ body: (_ tap: Int, _ source: Int?) -> Void) {
        let (line, x) = row.quotientAndRemainder(dividingBy: outputWidth)
        let (sample, y) = line.quotientAndRemainder(dividingBy: outputHeight)
        let top = y * geometry.strideHeight - geometry.padding.top
        let left = x * geometry.strideWidth - geometry.padding.left
        var tap = 0
        for i in 0..<kernelHeight {
            let sourceY = top + i * geometry.dilationHeight
            let inHeight = sourceY >= 0 && sourceY < sourceRows.count
            let base = inHeight ? (sample * inputHeight + sourceRows[sourceY]) * inputWidth : 0
            for j in 0..<kernelWidth {
                let sourceX = left + j * geometry.dilationWidth
                let inWidth = sourceX >= 0 && sourceX < sourceColumns.count
                body(tap, inHeight && inWidth ? base + sourceColumns[sourceX] : nil)
                tap += 1
            }
        }
    }
}

extension ConvolutionGeometry {
    /// Height and width exchanged.
    fileprivate var turned: ConvolutionGeometry {
        ConvolutionGeometry(
            strideHeight: strideWidth, strideWidth: strideHeight, dilationHeight: dilationWidth,
            dilationWidth: dilationHeight,
            padding: .init(top: padding.left, bottom: padding.right, left: padding.top, right: padding.bottom),
            inputActivation: inputActivation)
    }
}

extension WeightRole {
    /// Extent of a convolution's kernel; 1 × 1 for anything else.
    package var kernelSize: (height: Int, width: Int) {
        switch self {
        case .convolution(_, let height, let width, _): (height, width)
        case .transposedConvolution: (shape[1], 1)
        case .vector, .matrix, .table: (1, 1)
        }
    }
}

extension ConvolutionPlan {
    /// - Throws: `TensorError.shapeMismatch` for other channels, or an input that the kernel does not fit into.
    package static func checked(
        _ x: Shape, role: WeightRole, _ geometry: ConvolutionGeometry
    ) throws -> ConvolutionPlan {
        try TensorError.require(
            x.rank == 4 && x.last == role.inputs, "convolution", "[batch, height, width, \(role.inputs)]", x)
        guard let plan = ConvolutionPlan(x, role: role, geometry) else {
            throw TensorError.shapeMismatch(
                operation: "convolution", expected: "an input that the kernel fits into", found: x)
        }
        return plan
    }
}
