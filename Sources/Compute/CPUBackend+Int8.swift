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
        let packed = try packedInt8(bytes, role, stride: input.stride)
        let taps = role.taps
        // Blocks stay inside a sample where it matters: one range, one set of per-sample values.
        let rows = plan?.outputRows ?? input.rowCount
        let sampleRows = plan != nil || finish.perSample != nil ? finish.rowsPerSample : max(rows, 1)
        let rowBlocks = Self.rowBlocks(sampleRows, width: taps * input.stride)
        let outputBlocks = Self.outputBlocks(role.outputs, rowTasks: rows / sampleRows * rowBlocks.count, threadCount)
        let padding = try plan.map { try paddingRows(input, samples: $0.batch) }
        threads.run(rows / sampleRows * rowBlocks.count * outputBlocks.count) { task, _ in
            let (rowTask, outputBlock) = task.quotientAndRemainder(dividingBy: outputBlocks.count)
            let (sample, block) = rowTask.quotientAndRemainder(dividingBy: rowBlocks.count)
            let first = sample * sampleRows + rowBlocks[block].lowerBound
            let range = first..<first + rowBlocks[block].count
            withUnsafeTemporaryAllocation(of: UnsafePointer<UInt8>?.self, capacity: taps * range.count) { pointers in
                if let plan, let padding {
                    plan.gather(
                        range, from: input.bytes, stride: input.stride,
                        padding: padding.memory(of: UInt8.self) + sample * input.stride, into: pointers)
                } else {
                    for (index, row) in range.enumerated() { pointers[index] = input.bytes + row * input.stride }
                }
                var product = packed.product(
                    rows: range.count, of: UnsafePointer(pointers.baseAddress), taps: taps,
                    outputs: outputBlocks[outputBlock])
                product.ranges = input.range(ofRow: plan?.firstInputRow(ofSample: sample) ?? first)
                product.range_stride = input.rowsPerRange == 1 ? 1 : 0
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

    /// A row of zero points for every sample: what a convolution reads outside of its input.
    func paddingRows(_ input: QuantizedInput, samples: Int) throws -> HostStorage {
        let storage = try HostStorage(samples * input.stride, on: self)
        for sample in 0..<samples {
            let zero = input.range(ofRow: sample * (input.rowCount / samples)).pointee.zero
            (storage.memory(of: UInt8.self) + sample * input.stride).update(
                repeating: UInt8(clamping: zero), count: input.stride)
        }
        return storage
    }

    /// - Throws: `TensorError.shapeMismatch` if the bytes are not such a weight, or its sums could overflow.
    func packedInt8(_ bytes: UnsafeRawBufferPointer, _ role: WeightRole, stride: Int) throws -> PackedInt8 {
        guard let packed = PackedInt8(bytes, role: role), role.taps * stride <= Int8Layout.maximumWidth else {
            throw TensorError.shapeMismatch(
                operation: "int8 product",
                expected: "a packed weight of at most \(Int8Layout.maximumWidth) values a row",
                found: role.shape)
        }
        return packed
    }

    /// A block's input rows and one panel of weights share the second-level cache; blocks are multiples of the 12-row
    /// tile, as equal as can be.
    static func rowBlocks(_ rows: Int, width: Int) -> [Range<Int>] {
        let most = min(max((384 << 10) / max(width, 1) / 12, 2), 32) * 12
        return rows.cut(into: (rows + most - 1) / most, unit: 12)
    }

    /// Blocks of outputs, so many that threads which are done early find more to do.
    private static func outputBlocks(_ outputs: Int, rowTasks: Int, _ threads: Int) -> [Range<Int>] {
        let wanted = (4 * threads + rowTasks - 1) / max(rowTasks, 1)
        return outputs.cut(into: max((outputs + 255) / 256, min(wanted, outputs / 64)), unit: 32)
    }
}

extension PackedInt8 {
    /// A product of rows with some of the outputs, but for the rows' ranges and what happens to the sums.
    func product(
        rows: Int, of pointers: UnsafePointer<UnsafePointer<UInt8>?>?, taps: Int, outputs: Range<Int>
    ) -> kernels_product {
        var product = kernels_product()
        product.rows = rows
        product.taps = taps
        product.inputs = layout.paddedInputs
        product.first_output = outputs.lowerBound
        product.last_output = outputs.upperBound
        product.a = pointers
        product.tiles = tiles
        product.scales = scales
        product.sums = sums
        return product
    }
}

extension Int {
    /// Cuts 0…count into pieces of about the same size, multiples of `unit` but for the last.
    func cut(into pieces: Int, unit: Int) -> [Range<Int>] {
        let units = (self + unit - 1) / unit
        let pieces = Swift.min(Swift.max(pieces, 1), Swift.max(units, 1))
        return (0..<pieces).map { piece in
            units * piece / pieces * unit..<Swift.min(units * (piece + 1) / pieces * unit, self)
        }
    }
}
