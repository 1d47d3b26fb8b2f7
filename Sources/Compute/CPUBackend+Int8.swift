import CKernels
import ComputeSupport
import Tensors

extension CPUBackend {
    /// Int8 product of quantized rows with a packed weight, finished in registers.
    /// - Parameter y: `[rows, outputs]`, of which the rows of `input` are written.
    func multiplyInt8(
        _ input: any Int8Rows, _ bytes: UnsafeRawBufferPointer, _ role: WeightRole, _ finish: Finish,
        into y: UnsafeMutablePointer<Float>
    ) throws {
        let packed = try packedInt8(bytes, role, stride: input.stride)
        // Blocks stay inside a sample where it has values of its own.
        let parts = finish.perSample != nil ? input.rows.cut(atMultiplesOf: finish.rowsPerSample) : [input.rows]
        let rowBlocks = parts.flatMap { part in
            Self.rowBlocks(part.count, width: role.taps * input.stride).map {
                $0.lowerBound + part.lowerBound..<$0.upperBound + part.lowerBound
            }
        }
        let outputBlocks = Self.outputBlocks(role.outputs, rowTasks: rowBlocks.count, threadCount)
        threads.run(rowBlocks.count * outputBlocks.count) { task, _ in
            let (block, outputBlock) = task.quotientAndRemainder(dividingBy: outputBlocks.count)
            let first = rowBlocks[block].lowerBound
            packed.withProduct(of: input, rows: rowBlocks[block]) { product in
                product.first_output = outputBlocks[outputBlock].lowerBound
                product.last_output = outputBlocks[outputBlock].upperBound
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
    /// Calls `body` with a product of some rows, but for the outputs and what happens to the sums.
    func withProduct(of input: some Int8Rows, rows: Range<Int>, _ body: (inout kernels_product) -> Void) {
        withUnsafeTemporaryAllocation(of: UnsafePointer<UInt8>?.self, capacity: taps * rows.count) { pointers in
            withUnsafeTemporaryAllocation(of: kernels_range.self, capacity: rows.count) { ranges in
                guard let a = pointers.baseAddress, let first = ranges.baseAddress else { return }
                input.gather(rows, into: a, first)
                var product = kernels_product()
                product.rows = rows.count
                product.taps = taps
                product.inputs = layout.paddedInputs
                product.a = UnsafePointer(a)
                product.ranges = UnsafePointer(first)
                product.range_stride = 1
                product.tiles = tiles
                product.scales = scales
                product.sums = sums
                body(&product)
            }
        }
    }
}

extension Range<Int> {
    fileprivate func cut(atMultiplesOf unit: Int) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var first = lowerBound
        while first < upperBound {
            let last = Swift.min((first / unit + 1) * unit, upperBound)
            pieces.append(first..<last)
            first = last
        }
        return pieces
    }
}
