import CKernels
import Tensors

extension CPUBackend {
    /// A gated int8 product whose result goes to the next product as bytes: values and gates meet in the cache, and no
    /// float of them reaches memory.
    /// - Returns: nil if the weight is not one for integers, or values and gates share a tile of it.
    func gatedInt8(_ x: Tensor, _ weight: CPUWeight, bias: (any Weight)?, gate: Activation) throws -> Tensor? {
        let role = weight.description.role
        let half = role.outputs / 2
        guard weight.description.quantizesInput, role.taps == 1, half % Int8Layout.tileOutputs == 0 else { return nil }
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
        withUnsafeTemporaryAllocation(of: UnsafePointer<UInt8>?.self, capacity: rows.count) { pointers in
            for (index, row) in rows.enumerated() { pointers[index] = input.bytes + row * input.stride }
            for first in stride(from: 0, to: half, by: width) {
                let count = min(width, half - first)
                multiply(rows, UnsafePointer(pointers.baseAddress), first..<first + count, into: values)
                multiply(rows, UnsafePointer(pointers.baseAddress), half + first..<half + first + count, into: gates)
                for row in 0..<rows.count {
                    kernels.gate(
                        values + row * width, gates + row * width, count, gate, results + row * half + first)
                }
            }
        }
        output.store(results, rows: rows, channels: half, kernels)
    }

    private func multiply(
        _ rows: Range<Int>, _ pointers: UnsafePointer<UnsafePointer<UInt8>?>?, _ outputs: Range<Int>,
        into target: UnsafeMutablePointer<Float>
    ) {
        var product = packed.product(rows: rows.count, of: pointers, taps: 1, outputs: outputs)
        product.ranges = input.range(ofRow: rows.lowerBound)
        product.range_stride = 1
        product.bias = bias
        // The kernel counts outputs from the first of all.
        product.y = target - outputs.lowerBound
        product.y_stride = CPUBackend.gatedOutputs
        kernels.product_u8s8(&product)
    }
}
