/// What a weight is used for, which fixes how its elements are ordered in the pack.
///
/// All orders are those in which the kernels read; the converter transposes and fuses.
package enum WeightRole: Hashable, Sendable {
    /// Bias, norm scale and the like: always float32, `[count]`.
    case vector(count: Int)
    /// A linear layer: `[outputs, inputs]`.
    case matrix(outputs: Int, inputs: Int)
    /// A convolution over height × width (1-D: width 1): `[outputs, kernelHeight, kernelWidth, inputs]`.
    case convolution(outputs: Int, kernelHeight: Int, kernelWidth: Int, inputs: Int)
    /// A 1-D transposed convolution rewritten as an ordinary one that makes `stride` output frames at once:
    /// `[stride × outputs, taps, inputs]` with `taps = ⌈kernel / stride⌉`. Row `p · outputs + o`, tap `m` holds
    /// `w[inputs, outputs, kernel][:, o, p + stride · (taps − 1 − m)]`, zero where that is past the kernel.
    case transposedConvolution(outputs: Int, kernel: Int, stride: Int, inputs: Int)
    /// An embedding table: `[rows, width]`, read a row at a time.
    case table(rows: Int, width: Int)

    /// The shape as stored.
    package var shape: Shape {
        switch self {
        case .vector(let count): [count]
        case .matrix(let outputs, let inputs): [outputs, inputs]
        case .convolution(let outputs, let height, let width, let inputs): [outputs, height, width, inputs]
        case .transposedConvolution(let outputs, let kernel, let stride, let inputs):
            [stride * outputs, (kernel + stride - 1) / stride, inputs]
        case .table(let rows, let width): [rows, width]
        }
    }

    /// Rows of the product's matrix form: one scale each in int8.
    package var outputs: Int { shape[0] }
    /// Kernel positions: the product's inner dimension is `taps × inputs`.
    package var taps: Int { shape.extents.dropFirst().dropLast().reduce(1, *) }
    /// Channels read at each tap.
    package var inputs: Int { shape.rank > 1 ? shape.last : 1 }
}

/// How a weight's numbers are stored.
package enum WeightFormat: UInt8, Hashable, Sendable, Codable, CaseIterable {
    /// Row-major float32.
    case float32 = 0
    /// Row-major float16.
    case float16 = 1
    /// Symmetric int8 with one float32 scale per output. Products are stored in 16 × 4 tiles, tables row-major:
    /// see `Int8Layout`.
    case int8 = 2

    /// Bytes of a number.
    package var elementSize: Int {
        switch self {
        case .float32: 4
        case .float16: 2
        case .int8: 1
        }
    }
}

/// What a product with an int8 weight does with its input.
package enum ActivationMode: UInt8, Hashable, Sendable, Codable {
    /// Input stays float; the weight is expanded block by block. For layers whose inputs have outliers (text encoders).
    case float = 0
    /// Input is quantized on the fly to 8 bits, over the range that it has: per row for matrices and 1×1 convolutions, per
    /// piece of time for other convolutions.
    case quantized = 1
    /// The same, after every channel of the input has been multiplied by a factor of its own, which the weights undo: for
    /// inputs whose channels differ in range where nothing before them can take the factors.
    case scaled = 2
}

/// Everything a backend must know about a stored weight, beside its bytes.
package struct WeightDescription: Hashable, Sendable {
    package let role: WeightRole
    package let format: WeightFormat
    package let activation: ActivationMode

    package init(role: WeightRole, format: WeightFormat, activation: ActivationMode = .float) {
        self.role = role
        self.format = format
        self.activation = activation
    }
}

/// The int8 storage of a product: tiles, then scales, then column sums, each 64-byte aligned.
///
/// With `N = outputs` rounded up to 16 and `I = inputs` rounded up to 4, tiles are
/// `[N / 16][taps][I / 4][16 outputs][4 inputs]` int8 (zero padded), which serves AVX-512 VNNI, AVX-VNNI, AVX2 and NEON
/// dot products alike. Then `N` float32 scales and `N` int32 sums over a row's int8 values: the kernels take unsigned
/// inputs and subtract `zero point × sum`.
///
/// A table is `[rows][width]` int8 followed, at the next multiple of 64, by `rows` float32 scales.
package struct Int8Layout: Hashable, Sendable {
    package static let tileOutputs = 16
    package static let tileInputs = 4
    /// The most values (taps × padded inputs) that a row may have so that 32-bit sums of 8-bit products cannot overflow.
    package static let maximumWidth = 1 << 16

    package let paddedOutputs: Int
    package let paddedInputs: Int
    package let scalesOffset: Int
    package let sumsOffset: Int
    package let byteCount: Int

    package init(role: WeightRole) {
        if case .table(let rows, let width) = role {
            paddedOutputs = rows
            paddedInputs = width
            scalesOffset = Self.aligned(rows * width)
            sumsOffset = scalesOffset + rows * 4
            byteCount = sumsOffset
        } else {
            paddedOutputs = (role.outputs + 15) / 16 * 16
            paddedInputs = (role.inputs + 3) / 4 * 4
            scalesOffset = paddedOutputs * role.taps * paddedInputs
            sumsOffset = scalesOffset + paddedOutputs * 4
            byteCount = sumsOffset + paddedOutputs * 4
        }
    }

    private static func aligned(_ offset: Int) -> Int { (offset + 63) / 64 * 64 }
}

extension WeightDescription {
    /// Bytes of the stored weight. The role's shape must have been checked to be of sane size.
    package var byteCount: Int {
        switch format {
        case .float32: role.shape.count * 4
        case .float16: role.shape.count * 2
        case .int8: Int8Layout(role: role).byteCount + (hasInputFactors ? 4 * role.inputs : 0)
        }
    }

    /// Whether products with the weight are of integers.
    package var quantizesInput: Bool { format == .int8 && activation != .float }

    /// Whether a factor for each input channel, float32, follows the weight's other parts.
    package var hasInputFactors: Bool { format == .int8 && activation == .scaled }
}

/// The bytes of one stored weight: resident, or in place in a mapped file.
package protocol WeightData: AnyObject, Sendable {
    var description: WeightDescription { get }
    /// Full path in its file, for messages.
    var name: String { get }
    /// Calls `body` with the weight's bytes, 64-byte aligned and `description.byteCount` long.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result
    /// The same bytes, for as long as the result lives.
    func hold() throws -> HeldBytes
    /// Calls `body` with some of the bytes, which need not be aligned: for tables, of which few rows are read.
    func withBytes<Result>(in range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result
}

/// Bytes that stay where they are while this object lives.
package final class HeldBytes: @unchecked Sendable {
    // Unchecked: a weight's bytes do not change.
    package let bytes: UnsafeRawBufferPointer
    private let owner: AnyObject
    private let onEnd: @Sendable () -> Void

    package init(
        _ bytes: UnsafeRawBufferPointer, of owner: AnyObject, onEnd: @escaping @Sendable () -> Void = {}
    ) {
        (self.bytes, self.owner, self.onEnd) = (bytes, owner, onEnd)
    }

    deinit { onEnd() }
}

extension WeightData {
    /// For weights whose bytes stay where they are as long as the weight lives.
    package func hold() throws -> HeldBytes { try withBytes { HeldBytes($0, of: self) } }

    package func withBytes<Result>(
        in range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        try withBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
}

/// A weight as a backend holds it.
package protocol Weight: AnyObject, Sendable {
    var description: WeightDescription { get }
}
