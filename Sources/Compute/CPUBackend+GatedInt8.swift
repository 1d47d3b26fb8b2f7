import CKernels
import ComputeSupport
import Tensors

extension CPUBackend {
    /// A gated int8 product whose result goes to the next product as bytes: values and gates meet in the cache, and no
    /// float of them reaches memory.
    /// - Returns: nil if the weight is not one for integers, or values and gates share a tile of it.
    func gatedInt8(_ x: Tensor, _ weight: CPUWeight, bias: (any Weight)?, gate: Activation) throws -> Tensor? {
        let role = weight.description.role
        let half = role.outputs / 2
        guard weight.description.quantizesInput, !weight.description.hasInputFactors, role.taps == 1,
            half % Int8Layout.tileOutputs == 0
        else { return nil }
        try require(x.shape.last == role.inputs, "gatedLinear", "\(role.inputs) channels", x.shape)
        let span = meter.begin("linear", products: x.shape.count * role.outputs)
        defer { meter.end(span) }
        let shape = x.shape.withLast(half)
        let input = try quantizedRows(x, "gatedLinear")
        let output = try QuantizedInput(rowCount: input.rowCount, channels: half, on: self)
        let blocks = Self.gatedBlocks(input.rowCount, half: half, threadCount)
        let scratch = try HostStorage(
            threadCount * (blocks.map(\.count).max() ?? 0) * (half + 2 * Self.gatedOutputs) * MemoryLayout<Float>.size,
            on: self)
        try withFinish(Epilogue(bias: bias), result: x.shape.withLast(role.outputs), "gatedLinear") { finish in
            try weight.data.withBytes { bytes in
                let packed = try packedInt8(bytes, role, stride: input.stride)
                let job = GatedJob(
                    input: input, output: output, packed: packed, bias: finish.bias, half: half,
                    gate: gate.kernel.kind, kernels: kernels)
                threads.run(blocks.count) { task, worker in
                    let floats = scratch.floats + worker * scratch.byteCount / threadCount / MemoryLayout<Float>.size
                    job.run(blocks[task], scratch: floats)
                }
            }
        }
        return Tensor(shape: shape, storage: QuantizedStorage(output, channels: half, on: self))
    }

    /// Outputs whose values and gates are made at once.
    fileprivate static let gatedOutputs = 64

    /// Blocks of rows of which all outputs stay in the second-level cache, as many for every thread.
    private static func gatedBlocks(_ rows: Int, half: Int, _ threads: Int) -> [Range<Int>] {
        let most = max((384 << 10) / (half * MemoryLayout<Float>.size), 12)
        let blocks = (rows + most - 1) / most
        return rows.cut(into: (blocks + threads - 1) / threads * threads, unit: 4)
    }
}

/// A gated product with its operands resolved to memory.
private struct GatedJob {
    let input: QuantizedInput
    let output: QuantizedInput
    let packed: PackedInt8
    let bias: UnsafePointer<Float>?
    /// Values, and gates after them.
    let half: Int
    let gate: kernels_activation
    let kernels: Kernels

    /// - Parameter scratch: room for all outputs of the rows, and twice a few of them.
    func run(_ rows: Range<Int>, scratch results: UnsafeMutablePointer<Float>) {
        let width = CPUBackend.gatedOutputs
        let values = results + rows.count * half
        let gates = values + rows.count * width
        packed.withProduct(of: input, rows: rows) { product in
            product.bias = bias
            product.y_stride = width
            for first in stride(from: 0, to: half, by: width) {
                let outputs = first..<min(first + width, half)
                multiply(&product, outputs, into: values)
                multiply(&product, half + outputs.lowerBound..<half + outputs.upperBound, into: gates)
                for row in 0..<rows.count {
                    kernels.gate(
                        values + row * width, gates + row * width, outputs.count, gate, results + row * half + first)
                }
            }
        }
        output.store(results, rows: rows, channels: half, kernels)
    }

    private func multiply(
        _ product: inout kernels_product, _ outputs: Range<Int>, into target: UnsafeMutablePointer<Float>
    ) {
        product.first_output = outputs.lowerBound
        product.last_output = outputs.upperBound
        // The kernel counts outputs from the first of all.
        product.y = target - outputs.lowerBound
        kernels.product_u8s8(&product)
    }
}
