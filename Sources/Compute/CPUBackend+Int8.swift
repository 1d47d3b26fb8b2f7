import CKernels
import Tensors

extension CPUBackend {
    /// Int8 product of quantized rows with a packed weight, finished in registers.
    /// - Parameters:
    ///   - plan: which rows each output row reads; nil for a matrix product, where row `i` reads row `i`.
    ///   - y: `[rows, outputs]`.
    func multiplyInt8(
        _ input: QuantizedInput, plan: ConvolutionPlan?, _ bytes: UnsafeRawBufferPointer, _ role: WeightRole,
        _ finish: Finish, into y: UnsafeMutablePointer<Float>
    ) throws {
        guard let packed = PackedInt8(bytes, role: role), role.taps * input.stride <= Int8Layout.maximumWidth else {
            throw TensorError.shapeMismatch(
                operation: "int8 product",
                expected: "a packed weight of at most \(Int8Layout.maximumWidth) values a row",
                found: role.shape)
        }
        let rows = plan?.outputRows ?? input.rowCount
        let taps = role.taps
        let padding = [UInt8](repeating: 128, count: input.stride)
        // Blocks stay inside a sample, so that a block has one scale and one set of per-sample values.
        let rowBlock = Self.rowsPerInt8Task(width: taps * input.stride)
        let perSample = finish.rowsPerSample
        let rowBlocks = (perSample + rowBlock - 1) / rowBlock
        let outputBlocks = (role.outputs + Self.outputsPerInt8Task - 1) / Self.outputsPerInt8Task
        padding.withUnsafeBufferPointer { padding in
            guard let padding = padding.baseAddress else { return }
            threads.run(rows / perSample * rowBlocks * outputBlocks) { task, _ in
                let (rowTask, outputBlock) = task.quotientAndRemainder(dividingBy: outputBlocks)
                let (sample, block) = rowTask.quotientAndRemainder(dividingBy: rowBlocks)
                let first = sample * perSample + block * rowBlock
                let count = min(rowBlock, (sample + 1) * perSample - first)
                withUnsafeTemporaryAllocation(of: UnsafePointer<UInt8>?.self, capacity: taps * count) { pointers in
                    gather(first..<first + count, input, plan, padding, into: pointers)
                    var product = kernels_product()
                    product.rows = count
                    product.taps = taps
                    product.inputs = input.stride
                    product.first_output = outputBlock * Self.outputsPerInt8Task
                    product.last_output = min(role.outputs, product.first_output + Self.outputsPerInt8Task)
                    product.a = UnsafePointer(pointers.baseAddress)
                    product.tiles = packed.tiles
                    product.scales = packed.scales
                    product.sums = packed.sums
                    product.row_scales = input.scale(ofRow: plan?.sampleScaleRow(sample) ?? first)
                    product.row_scale_stride = input.rowsPerScale == 1 ? 1 : 0
                    product.bias = finish.bias
                    product.sample_bias = finish.perSample(of: first)
                    product.residual = finish.residual.map { $0 + first * role.outputs }
                    product.residual_stride = role.outputs
                    (product.activation, product.slope) = finish.activation.kernel
                    product.y = y + first * role.outputs
                    product.y_stride = role.outputs
                    kernels.product_u8s8(&product)
                }
            }
        }
    }

    /// Pointers `[taps][rows]` to the bytes that each output row reads.
    private func gather(
        _ rows: Range<Int>, _ input: QuantizedInput, _ plan: ConvolutionPlan?, _ padding: UnsafePointer<UInt8>,
        into pointers: UnsafeMutableBufferPointer<UnsafePointer<UInt8>?>
    ) {
        let bytes = input.bytes
        for (index, row) in rows.enumerated() {
            guard let plan else {
                pointers[index] = bytes + row * input.stride
                continue
            }
            plan.forEachTap(ofRow: row) { tap, source in
                pointers[tap * rows.count + index] = source.map { bytes + $0 * input.stride } ?? padding
            }
        }
    }

    private static let outputsPerInt8Task = 256

    /// A block's input rows and one panel of weights share the second-level cache; multiples of the 12-row tile.
    private static func rowsPerInt8Task(width: Int) -> Int {
        min(max((384 << 10) / max(width, 1) / 12, 2), 32) * 12
    }
}
