import CKernels
import ComputeSupport
import Tensors

extension CPUBackend {
    package func convolution(
        _ x: Tensor, _ weight: any Weight, _ geometry: ConvolutionGeometry, _ epilogue: Epilogue
    ) throws -> Tensor {
        let weight = try host(weight, "convolution")
        let role = weight.description.role
        let plan = try ConvolutionPlan.checked(x.shape, role: role, geometry)
        let span = meter.begin(
            "convolution", products: plan.outputRows * role.outputs * role.taps * role.inputs)
        defer { meter.end(span) }
        if epilogue.isDeferred, weight.description.quantizesInput,
            let tiles = ConvolutionTiles(plan, channels: role.inputs, activation: geometry.inputActivation)
        {
            let source = try rows(of: x, "convolution")
            let input = try weight.data.withBytes { bytes in
                try QuantizedTiles(
                    factored(source, for: weight, bytes), plan, tiles, 0..<tiles.count,
                    activation: geometry.inputActivation, on: self)
            }
            return deferred(
                plan.outputShape(role.outputs), try ConvolutionRows(input, weight, epilogue, on: self))
        }
        let shape = plan.outputShape(role.outputs)
        let whole = try result(shape, weight.description, epilogue)
        let y = Tensor(shape: shape, storage: whole.storage, offset: whole.offset + whole.shape.count - shape.count)
        if let before = epilogue.continued {
            try write(before, into: whole.reshaped([1, whole.shape[1], whole.shape.last]), at: 0)
        }
        try withFinish(epilogue, result: shape, "convolution") { finish in
            let target = try floats(y, "convolution")
            if weight.description.quantizesInput {
                let source = try rows(of: x, "convolution")
                try weight.data.withBytes {
                    try convolveInt8(
                        factored(source, for: weight, $0), plan, $0, role, geometry.inputActivation, finish,
                        into: target)
                }
            } else if geometry.allowsTiles, let tiles = WinogradTiles(plan, role: role, geometry) {
                let source = try floats(x, "convolution")
                try weight.data.withBytes {
                    try convolveTiles(source, tiles, $0, weight.description, finish, into: target)
                }
            } else {
                let source = try floats(x, "convolution")
                try weight.data.withBytes {
                    try convolveFloat(
                        source, plan, $0, weight.description, geometry.inputActivation, finish, into: target)
                }
            }
        }
        try observer?.product(
            ObservedProduct(
                weight: weight.data.name, input: x, geometry: geometry, residual: epilogue.residual, result: y))
        return whole
    }

    /// Int8 convolution: a range for each position where positions are multiplied on their own, else for each tile.
    private func convolveInt8(
        _ source: any RowSource, _ plan: ConvolutionPlan, _ bytes: UnsafeRawBufferPointer, _ role: WeightRole,
        _ inputActivation: Activation, _ finish: Finish, into y: UnsafeMutablePointer<Float>
    ) throws {
        guard let tiles = ConvolutionTiles(plan, channels: role.inputs, activation: inputActivation) else {
            return try multiplyInt8(QuantizedInput(source, on: self), bytes, role, finish, into: y)
        }
        for places in tiles.chunks(stride: role.inputs.roundedUp(to: Int8Layout.tileInputs)) {
            let input = try QuantizedTiles(source, plan, tiles, places, activation: inputActivation, on: self)
            try multiplyInt8(input, bytes, role, finish, into: y)
        }
    }

    /// Memory for a result: the residual's, if nobody needs that and the kernel reads it before it writes.
    private func result(_ shape: Shape, _ weight: WeightDescription, _ epilogue: Epilogue) throws -> Tensor {
        if epilogue.spendsResidual, epilogue.continued == nil, weight.quantizesInput, let residual = epilogue.residual,
            residual.storage is HostStorage
        {
            return try residual.reshaped(shape)
        }
        return try empty(epilogue.extended(shape))
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
