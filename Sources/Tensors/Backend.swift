/// The operations that AudioLDM 2 is made of, over tensors that stay where the backend computes.
///
/// Models and layers know only this protocol, so a second backend (a GPU) adds no second copy of a model. All tensors
/// are dense, channels last. Every operation throws `TensorError` for shapes that do not fit, memory that cannot be had,
/// or a tensor of another backend.
package protocol Backend: AnyObject, Sendable {
    // MARK: Memory

    /// Takes a stored weight into use: keeps it where it is, or copies it to the device.
    func prepare(_ data: any WeightData) throws -> any Weight
    /// A tensor with unspecified contents.
    func empty(_ shape: Shape) throws -> Tensor
    func upload(_ values: [Float], _ shape: Shape) throws -> Tensor
    func download(_ tensor: Tensor) throws -> [Float]
    /// A vector weight as a tensor, `[count]`.
    func tensor(_ vector: any Weight) throws -> Tensor

    // MARK: Products

    /// `x [..., inputs]` → `[..., outputs]`: `x · wᵀ`, then the epilogue.
    func linear(_ x: Tensor, _ weight: any Weight, _ epilogue: Epilogue) throws -> Tensor
    /// `x [..., inputs]` → `[..., outputs / 2]`: of `x · wᵀ + bias`, first half × activation(second half). With a weight
    /// that quantizes its input, the result may be rounded to the 8 bits per row that the next such product reads.
    func gatedLinear(_ x: Tensor, _ weight: any Weight, bias: (any Weight)?, gate: Activation) throws -> Tensor
    /// `x [batch, height, width, inputs]` → `[batch, height′, width′, outputs]`.
    func convolution(_ x: Tensor, _ weight: any Weight, _ geometry: ConvolutionGeometry, _ epilogue: Epilogue) throws
        -> Tensor
    /// Brings keys and values into the form that `attention` reads fastest; for those that are read more than once.
    func prepare(_ context: AttentionContext) throws -> any PreparedContext
    /// Softmax attention, head by head: see `AttentionInput`.
    func attention(_ input: AttentionInput) throws -> Tensor

    // MARK: Norms

    /// `x [batch, ..., channels]`: mean and variance over each sample's groups of channels, then scale and shift, then
    /// the activation.
    func groupNorm(
        _ x: Tensor, groups: Int, epsilon: Float, scale: any Weight, shift: any Weight, activation: Activation
    ) throws -> Tensor
    /// Mean and variance over the channels of each row; scale and shift.
    func layerNorm(_ x: Tensor, epsilon: Float, scale: any Weight, shift: any Weight) throws -> Tensor
    /// `x / √(mean(x²) + ε) · scale` over the channels of each row.
    func rmsNorm(_ x: Tensor, epsilon: Float, scale: any Weight) throws -> Tensor
    /// `x / max(‖x‖₂, 1e-12)` over the channels of each row.
    func l2Normalize(_ x: Tensor) throws -> Tensor

    // MARK: Elements and places

    /// Rows of a table: `[ids.count, width]`.
    func gather(_ table: any Weight, _ ids: [Int]) throws -> Tensor
    func apply(_ activation: Activation, _ x: Tensor) throws -> Tensor
    /// `Σ factorᵢ · xᵢ` of tensors of one shape.
    func combine(_ terms: [(factor: Float, tensor: Tensor)]) throws -> Tensor
    /// `x · (share · σ(reference) / σ(x) + 1 − share)` with the standard deviations of each sample `[samples, ...]`; what
    /// does not deviate stays as it is.
    func rescale(_ x: Tensor, like reference: Tensor, share: Float) throws -> Tensor
    /// `(x − mean) / deviation` by channel of `x [..., channels]`.
    func normalizeChannels(_ x: Tensor, mean: any Weight, deviation: any Weight) throws -> Tensor
    /// `known` where `kept` is 1, `x` where it is 0, and their mixture between: of `[batch, ..., channels]` both, with `kept
    /// [positions]` for all samples and channels.
    func blend(_ x: Tensor, _ known: Tensor, kept: Tensor) throws -> Tensor
    /// One value for each rectangle of `x [batch, rows, columns, channels]`, which rectangles fill:
    /// `[batch, rows / height, columns / width, channels]`.
    func pool(_ x: Tensor, _ kind: Pooling, height: Int, width: Int) throws -> Tensor
    /// Joins tensors along an axis; all other extents equal.
    func concatenate(_ tensors: [Tensor], axis: Int) throws -> Tensor
    /// Rows `order` of axis 1 of `[batch, rows, channels]`, in that order: windows cut out of a picture, patches merged.
    func rows(_ x: Tensor, _ order: [Int]) throws -> Tensor
    /// A range along an axis, copied.
    func slice(_ x: Tensor, axis: Int, _ range: Range<Int>) throws -> Tensor
    /// Copies `x` into rows `start...` of axis 1 of `destination` (both `[batch, rows, channels]`): a cache's update.
    func write(_ x: Tensor, into destination: Tensor, at start: Int) throws
    /// Adds rows of `x`, each times its factor of `factors [rows]`, to rows `start...` of axis 1 of `sums` (both `[batch, rows,
    /// channels]`), whose first row follows its last: windows that overlap.
    func accumulate(_ x: Tensor, factors: Tensor, into sums: Tensor, at start: Int) throws
    /// Rows of `x [batch, rows, channels]`, each divided by its number of `divisors [rows]`.
    func divideRows(_ x: Tensor, by divisors: Tensor) throws -> Tensor

    // MARK: Repetition

    /// The same work, in the form that takes least to do it many times on tensors of the same shapes: a device may record
    /// what it is told at the first time, and be told no more than "again" later.
    ///
    /// - Parameter work: the same operations at every time. All that differs is in its inputs; what else it reads must
    ///   stay what it was. Work that moves numbers between host and device is done as it is.
    /// - Returns: what makes of tensors what `work` makes of them, and throws what it throws. It keeps memory for that
    ///   as long as it is kept itself.
    func repeatable(_ work: @escaping TensorWork) -> TensorWork
}

/// What becomes of the values of a rectangle.
package enum Pooling: Sendable, Hashable {
    case mean
    case maximum
}

/// Makes a tensor of some others.
package typealias TensorWork = ([Tensor]) throws -> Tensor

extension Backend {
    package func repeatable(_ work: @escaping TensorWork) -> TensorWork { work }

    /// On the host, which sees the numbers.
    package func rescale(_ x: Tensor, like reference: Tensor, share: Float) throws -> Tensor {
        guard x.shape == reference.shape, x.shape.rank > 0 else {
            throw TensorError.shapeMismatch(operation: "rescale", expected: "shape \(x.shape)", found: reference.shape)
        }
        let (numbers, references) = (try x.values(), try reference.values())
        let count = numbers.count / max(x.shape[0], 1)
        var rescaled = numbers
        for first in stride(from: 0, to: numbers.count, by: max(count, 1)) {
            let range = first..<first + count
            let deviation = numbers[range].deviation
            guard deviation > 0 else { continue }
            let factor = share * Float(references[range].deviation / deviation) + 1 - share
            for index in range { rescaled[index] *= factor }
        }
        return try upload(rescaled, x.shape)
    }
}

extension ArraySlice<Float> {
    /// Root of the mean square distance from the mean.
    fileprivate var deviation: Double {
        let mean = reduce(0) { $0 + Double($1) } / Double(Swift.max(count, 1))
        let square = reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        return (square / Double(Swift.max(count, 1))).squareRoot()
    }
}

/// Elementwise functions of the published models.
package enum Activation: Hashable, Sendable {
    case none
    case silu
    /// `x · Φ(x)`, the exact form.
    case gelu
    /// The tanh approximation (`gelu_new`, `gelu_pytorch_tanh`).
    case geluTanh
    case relu
    case leakyRelu(slope: Float)
    case tanh
}

/// What happens to a product's sums before they are written: `activation(sum + bias + perSample) + residual`.
package struct Epilogue: Sendable {
    /// `[outputs]`.
    package var bias: (any Weight)?
    /// `[batch, outputs]`, added to all positions of a sample: the time embedding.
    package var perSample: Tensor?
    package var activation: Activation
    /// Same shape as the result.
    package var residual: Tensor?
    /// Nobody reads the residual any more, nor is the input computed from it as it is read: its memory may become the
    /// result's.
    package var spendsResidual = false
    /// The result may be computed as it is read, more than once if need be, so that it takes no memory.
    package var isDeferred = false
    /// Rows of a sequence that the result of a convolution continues, `[1, rows, outputs]`: they come before it in what is
    /// returned. The residual is as long as the result alone.
    package var continued: Tensor?

    package init(
        bias: (any Weight)? = nil, perSample: Tensor? = nil, activation: Activation = .none, residual: Tensor? = nil
    ) {
        self.bias = bias
        self.perSample = perSample
        self.activation = activation
        self.residual = residual
    }
}

extension Epilogue {
    /// The shape of a convolution's result with the rows that it continues.
    /// - Parameter shape: of the result alone, `[batch, height, width, outputs]`.
    /// - Throws: `TensorError.shapeMismatch` where those rows cannot come before it: for a batch, and for other channels.
    package func extended(_ shape: Shape) throws -> Shape {
        guard let before = continued?.shape else { return shape }
        guard shape[0] == 1, shape[2] == 1, before.rank == 3, before[0] == 1, before.last == shape.last else {
            throw TensorError.shapeMismatch(
                operation: "convolution", expected: "rows of one sequence before a result of \(shape)", found: before)
        }
        return [1, before[1] + shape[1], 1, shape.last]
    }
}

/// Where a convolution reads. Heights are time, widths frequency; a 1-D convolution has width 1.
package struct ConvolutionGeometry: Hashable, Sendable {
    package struct Padding: Hashable, Sendable {
        package var top, bottom, left, right: Int
        package init(top: Int = 0, bottom: Int = 0, left: Int = 0, right: Int = 0) {
            (self.top, self.bottom, self.left, self.right) = (top, bottom, left, right)
        }
        package init(_ all: Int) { self.init(top: all, bottom: all, left: all, right: all) }
    }

    package var strideHeight: Int
    package var strideWidth: Int
    package var dilationHeight: Int
    package var dilationWidth: Int
    package var padding: Padding
    /// If set, the input is read as if it had been resized (nearest neighbour) to this height and width first.
    package var resizedHeight: Int?
    package var resizedWidth: Int?
    /// Applied to the input as it is read.
    package var inputActivation: Activation
    /// Whether fewer products than the definition's will do, at errors of some 1e-6 of the result: Winograd's algorithm, which
    /// a backend need not have.
    package var allowsTiles: Bool

    package init(
        strideHeight: Int = 1, strideWidth: Int = 1, dilationHeight: Int = 1, dilationWidth: Int = 1,
        padding: Padding = Padding(), resizedHeight: Int? = nil, resizedWidth: Int? = nil,
        inputActivation: Activation = .none, allowsTiles: Bool = false
    ) {
        self.strideHeight = strideHeight
        self.strideWidth = strideWidth
        self.dilationHeight = dilationHeight
        self.dilationWidth = dilationWidth
        self.padding = padding
        self.resizedHeight = resizedHeight
        self.resizedWidth = resizedWidth
        self.inputActivation = inputActivation
        self.allowsTiles = allowsTiles
    }
}
