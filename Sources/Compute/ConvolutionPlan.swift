import Tensors

/// A convolution's geometry, resolved for one input: which input position each output position reads at each tap.
///
/// Positions are rows of channels: `(sample · height + y) · width + x`.
struct ConvolutionPlan: Sendable {
    let batch: Int
    /// Of the input as stored, before any resizing.
    let inputHeight: Int
    let inputWidth: Int
    let outputHeight: Int
    let outputWidth: Int
    private let kernelHeight: Int
    private let kernelWidth: Int
    private let geometry: ConvolutionGeometry
    /// The stored row or column behind each (resized) one.
    private let sourceRows: [Int]
    private let sourceColumns: [Int]

    /// - Parameter x: `[batch, height, width, channels]`.
    /// - Returns: nil if the kernel does not fit into the padded input.
    init?(_ x: Shape, role: WeightRole, _ geometry: ConvolutionGeometry) {
        let kernel = role.kernelSize
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
        sourceRows = Self.nearest(x[1], resizedTo: height)
        sourceColumns = Self.nearest(x[2], resizedTo: width)
    }

    var outputRows: Int { batch * outputHeight * outputWidth }

    /// The first input row of a sample: where its scale is found.
    func sampleScaleRow(_ sample: Int) -> Int { sample * inputHeight * inputWidth }

    /// Calls `body(tap, input row)` for every tap of an output row; the input row is nil in the padding.
    @inline(__always)
    func forEachTap(ofRow row: Int, _ body: (_ tap: Int, _ source: Int?) -> Void) {
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

    /// PyTorch's "nearest": the source of `i` is `⌊i · size / resized⌋`, computed in float32.
    private static func nearest(_ size: Int, resizedTo resized: Int) -> [Int] {
        if size == resized { return Array(0..<size) }
        let scale = Float(size) / Float(resized)
        return (0..<resized).map { min(Int(Float($0) * scale), size - 1) }
    }
}

extension WeightRole {
    /// Extent of a convolution's kernel; 1 × 1 for anything else.
    var kernelSize: (height: Int, width: Int) {
        switch self {
        case .convolution(_, let height, let width, _): (height, width)
        case .transposedConvolution: (shape[1], 1)
        case .vector, .matrix, .table: (1, 1)
        }
    }
}
