import CKernels
import Tensors

extension CPUBackend {
    package func convolution(
        _ x: Tensor, _ weight: any Weight, _ geometry: ConvolutionGeometry, _ epilogue: Epilogue
    ) throws -> Tensor {
        let weight = try host(weight, "convolution")
        let role = weight.description.role
        try require(
            x.shape.rank == 4 && x.shape.last == role.inputs, "convolution",
            "[batch, height, width, \(role.inputs)]", x.shape)
        guard let plan = ConvolutionPlan(x.shape, role: role, geometry) else {
            throw TensorError.shapeMismatch(
                operation: "convolution", expected: "an input that the kernel fits into", found: x.shape)
        }
        let span = meter.begin(
            "convolution", products: plan.outputRows * role.outputs * role.taps * role.inputs)
        defer { meter.end(span) }
        let y = try empty(plan.outputShape(role.outputs))
        try withFinish(epilogue, result: y.shape, "convolution") { finish in
            let target = try floats(y, "convolution")
            try weight.data.withBytes { bytes in
                if weight.description.quantizesInput {
                    // Positions that are multiplied on their own have ranges of their own.
                    let perPosition = plan.isPointwise
                    let input = try QuantizedInput(
                        rows(of: x, "convolution"), rowsPerRange: perPosition ? 1 : plan.inputHeight * plan.inputWidth,
                        activation: geometry.inputActivation, on: self)
                    try multiplyInt8(input, plan: perPosition ? nil : plan, bytes, role, finish, into: target)
                } else {
                    try convolveFloat(
                        try floats(x, "convolution"), plan, bytes, weight.description, geometry.inputActivation, finish,
                        into: target)
                }
            }
        }
        return y
    }

    /// Float convolution: rows of the input are laid side by side (im2col), a block of output positions at a time.
    private func convolveFloat(
        _ x: UnsafePointer<Float>, _ plan: ConvolutionPlan, _ bytes: UnsafeRawBufferPointer,
        _ description: WeightDescription, _ inputActivation: Activation, _ finish: Finish,
        into y: UnsafeMutablePointer<Float>
    ) throws {
        let (channels, outputs) = (description.role.inputs, description.role.outputs)
        let weightRows = FloatRows(bytes, description)
        let width = weightRows.width
        let expanded = try HostStorage(
            weightRows.isCompact ? outputs * width * MemoryLayout<Float>.size : 0, on: self)
        guard let b = expand(weightRows, outputs: outputs, scratch: expanded.floats) else { return }

        let block = min(max(Self.columnBytes / (width * MemoryLayout<Float>.size), 16), Self.rowsPerProduct)
        let columns = try HostStorage(threadCount * block * width * MemoryLayout<Float>.size, on: self)
        let (kind, slope) = inputActivation.kernel
        forBlocks(of: plan.outputRows, size: block) { rows, worker in
            let gathered = columns.floats + worker * block * width
            for (index, row) in rows.enumerated() {
                let line = gathered + index * width
                plan.forEachTap(ofRow: row) { tap, source in
                    if let source {
                        (line + tap * channels).update(from: x + source * channels, count: channels)
                    } else {
                        (line + tap * channels).update(repeating: 0, count: channels)
                    }
                }
            }
            if inputActivation != .none { kernels.activate(gathered, rows.count * width, kind, slope, gathered) }
            let target = y + rows.lowerBound * outputs
            blas.multiplyTransposed(
                .init(pointer: gathered, stride: width), .init(pointer: b, stride: width), into: target,
                stride: outputs, m: rows.count, n: outputs, k: width)
            for row in rows { finish.apply(kernels, y + row * outputs, row: row, columns: 0..<outputs) }
        }
    }

    /// All rows of a weight as floats: in place, or expanded into `scratch` by all threads.
    private func expand(
        _ weightRows: FloatRows, outputs: Int, scratch: UnsafeMutablePointer<Float>
    ) -> UnsafePointer<Float>? {
        guard weightRows.isCompact else { return weightRows.rows(0..<outputs, scratch: scratch, kernels) }
        forBlocks(of: outputs, size: Self.outputsPerTask) { range, _ in
            _ = weightRows.rows(range, scratch: scratch + range.lowerBound * weightRows.width, kernels)
        }
        return UnsafePointer(scratch)
    }

    /// What a thread's gathered rows may take.
    private static let columnBytes = 1 << 20
}
