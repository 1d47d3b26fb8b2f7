import CKernels
import ComputeSupport
import Tensors

/// The results of an int8 convolution, computed as they are read.
struct ConvolutionRows: RowSource, @unchecked Sendable {
    let rowCount: Int
    let channels: Int
    private let input: any Int8Rows
    private let packed: PackedInt8
    private let weight: HeldBytes
    private let bias: [Float]?
    private let cpu: CPUBackend

    /// - Throws: `TensorError.shapeMismatch` for an epilogue that is more than a bias.
    init(
        _ input: any Int8Rows, _ weight: CPUWeight, _ epilogue: Epilogue, on cpu: CPUBackend
    ) throws {
        let role = weight.description.role
        try cpu.require(
            epilogue.perSample == nil && epilogue.residual == nil && epilogue.activation == .none
                && epilogue.continued == nil, "convolution",
            "nothing but a bias after a deferred result", role.shape)
        self.input = input
        self.cpu = cpu
        rowCount = input.rows.count
        channels = role.outputs
        self.weight = try weight.data.hold()
        packed = try cpu.packedInt8(self.weight.bytes, role, stride: input.stride)
        bias = try epilogue.bias.map { try cpu.host($0, "convolution").vector() }
        try cpu.require(bias.map { $0.count == channels } ?? true, "convolution", "a bias of \(channels)", role.shape)
    }

    /// Several of the kernel's tiles.
    var rowsAtOnce: Int { 96 }

    func write(_ rows: Range<Int>, into target: UnsafeMutablePointer<Float>) {
        packed.withProduct(of: input, rows: rows) { product in
            (product.activation, product.slope) = Activation.none.kernel
            product.y = target
            product.y_stride = channels
            bias.withPointer { bias in
                product.bias = bias
                // A panel of weights stays in the second-level cache for all rows.
                for output in stride(from: 0, to: channels, by: 256) {
                    product.first_output = output
                    product.last_output = min(output + 256, channels)
                    cpu.kernels.product_u8s8(&product)
                }
            }
        }
    }
}

extension [Float]? {
    fileprivate func withPointer(_ body: (UnsafePointer<Float>?) -> Void) {
        guard let self else { return body(nil) }
        self.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
