import CKernels
import ComputeSupport
import Tensors

extension CPUBackend {
    package func linear(_ x: Tensor, _ weight: any Weight, _ epilogue: Epilogue) throws -> Tensor {
        let weight = try host(weight, "linear")
        let role = weight.description.role
        try require(x.shape.last == role.inputs && role.taps == 1, "linear", "\(role.inputs) channels", x.shape)
        let span = meter.begin("linear", products: x.shape.count * role.outputs)
        defer { meter.end(span) }
        let y = try empty(x.shape.withLast(role.outputs))
        try withFinish(epilogue, result: y.shape, "linear") { finish in
            let target = try floats(y, "linear")
            if weight.description.quantizesInput {
                try weight.data.withBytes { bytes in
                    let input = try quantizedRows(x, for: weight, bytes, "linear")
                    try multiplyInt8(input, bytes, role, finish, into: target)
                }
            } else {
                let source = try floats(x, "linear")
                try weight.data.withBytes {
                    // A sequence is multiplied as if it were alone: nothing else of its batch may change it.
                    let rows = x.shape.rank > 2 ? finish.rowsPerSample : x.shape.rows
                    if rows <= Self.rowsOfDirectProduct, weight.description.format == .int8 {
                        multiplyTiles(source, rows: x.shape.rows, $0, role, finish, into: target)
                        return
                    }
                    try multiplyFloat(
                        source, rows: x.shape.rows, atOnce: rows, $0, weight.description, finish, into: target)
                }
            }
        }
        try observer?.product(
            ObservedProduct(weight: weight.data.name, input: x, residual: epilogue.residual, result: y))
        return y
    }

    package func gatedLinear(
        _ x: Tensor, _ weight: any Weight, bias: (any Weight)?, gate: Activation
    ) throws -> Tensor {
        if let gated = try gatedInt8(x, host(weight, "gatedLinear"), bias: bias, gate: gate) { return gated }
        let both = try linear(x, weight, Epilogue(bias: bias))
        let half = both.shape.last / 2
        let span = meter.begin("gate")
        defer { meter.end(span) }
        let y = try empty(both.shape.withLast(half))
        let source = try floats(both, "gatedLinear")
        let target = try floats(y, "gatedLinear")
        let kind = gate.kernel.kind
        forBlocks(of: both.shape.rows, size: rowsPerTask(2 * half)) { rows, _ in
            for row in rows {
                let values = source + row * 2 * half
                kernels.gate(values, values + half, half, kind, target + row * half)
            }
        }
        return y
    }

    /// Float product: a block of outputs at a time, expanded to float32 where it is stored smaller.
    /// - Parameter atOnce: the rows of a sequence, which are multiplied by themselves where others would change them.
    private func multiplyFloat(
        _ x: UnsafePointer<Float>, rows: Int, atOnce: Int, _ bytes: UnsafeRawBufferPointer,
        _ description: WeightDescription,
        _ finish: Finish, into y: UnsafeMutablePointer<Float>
    ) throws {
        let weightRows = FloatRows(bytes, description)
        let (outputs, width) = (description.role.outputs, weightRows.width)
        let block = Self.outputsPerTask
        let scratch = try HostStorage(
            weightRows.isCompact ? threadCount * block * width * MemoryLayout<Float>.size : 0, on: self)
        let rowsAtOnce = min(blas.mixesRows ? atOnce : rows, Self.rowsPerProduct)
        forBlocks(of: outputs, size: block) { range, worker in
            guard let b = weightRows.rows(range, scratch: scratch.floats + worker * block * width, kernels) else {
                return
            }
            for first in stride(from: 0, to: rows, by: rowsAtOnce) {
                let count = min(rowsAtOnce, rows - first)
                let target = y + first * outputs + range.lowerBound
                blas.multiplyTransposed(
                    .init(pointer: x + first * width, stride: width), .init(pointer: b, stride: width),
                    into: target, stride: outputs, m: count, n: range.count, k: width)
                for row in first..<first + count {
                    finish.apply(kernels, y + row * outputs, row: row, columns: range)
                }
            }
        }
    }

    /// Float product of few rows with int8 weights, which would otherwise be expanded for little: a token of a
    /// generating model, a step's time.
    private func multiplyTiles(
        _ x: UnsafePointer<Float>, rows: Int, _ bytes: UnsafeRawBufferPointer, _ role: WeightRole, _ finish: Finish,
        into y: UnsafeMutablePointer<Float>
    ) {
        guard let packed = PackedInt8(bytes, role: role) else { return }
        let (outputs, inputs, paddedInputs) = (role.outputs, role.inputs, packed.layout.paddedInputs)
        forBlocks(of: outputs, size: Self.outputsPerTask) { range, _ in
            var product = kernels_tile_product()
            (product.rows, product.outputs) = (rows, range.count)
            (product.inputs, product.padded_inputs) = (inputs, paddedInputs)
            (product.x, product.x_stride) = (x, inputs)
            product.tiles = packed.tiles + range.lowerBound * paddedInputs
            product.scales = packed.scales + range.lowerBound
            (product.y, product.y_stride) = (y + range.lowerBound, outputs)
            kernels.product_tiles(&product)
            for row in 0..<rows { finish.apply(kernels, y + row * outputs, row: row, columns: range) }
        }
    }

    static let outputsPerTask = 64
    static let rowsOfDirectProduct = 8
    static let rowsPerProduct = 512
}

/// An epilogue with its tensors and vectors resolved to memory, for products that write plain sums first.
struct Finish {
    let bias: UnsafePointer<Float>?
    /// `[batch, outputs]`.
    let perSample: UnsafePointer<Float>?
    let residual: UnsafePointer<Float>?
    let activation: Activation
    let outputs: Int
    let rowsPerSample: Int

    var isEmpty: Bool { bias == nil && perSample == nil && residual == nil && activation == .none }

    func perSample(of row: Int) -> UnsafePointer<Float>? {
        perSample.map { $0 + row / rowsPerSample * outputs }
    }

    /// Finishes `columns` of one row of the result, in place.
    func apply(_ kernels: Kernels, _ y: UnsafeMutablePointer<Float>, row: Int, columns: Range<Int>) {
        if isEmpty { return }
        let first = columns.lowerBound
        let (kind, slope) = activation.kernel
        kernels.finish(
            y + first, bias.map { $0 + first }, perSample(of: row).map { $0 + first },
            residual.map { $0 + row * outputs + first }, columns.count, kind, slope, y + first)
    }
}

extension CPUBackend {
    /// Checks an epilogue against the shape of the result and calls `body` with its memory.
    func withFinish(
        _ epilogue: Epilogue, result: Shape, _ operation: String, _ body: (Finish) throws -> Void
    ) throws {
        let outputs = result.last
        let bias = try epilogue.bias.map { try host($0, operation) }
        if let bias {
            let count = bias.description.role.shape.count
            try require(count == outputs, operation, "a bias of \(outputs)", [count])
        }
        let batch = max(result[0], 1)
        if let perSample = epilogue.perSample {
            try require(
                perSample.shape == [batch, outputs], operation, "values per sample of shape [\(batch), \(outputs)]",
                perSample.shape)
        }
        if let residual = epilogue.residual {
            try require(
                residual.shape.count == result.count, operation, "a residual of shape \(result)", residual.shape)
        }
        let perSample = try epilogue.perSample.map { UnsafePointer(try floats($0, operation)) }
        let residual = try epilogue.residual.map { UnsafePointer(try floats($0, operation)) }
        try CPUWeight.withVector(bias) { bias in
            try body(
                Finish(
                    bias: bias, perSample: perSample, residual: residual, activation: epilogue.activation,
                    outputs: outputs, rowsPerSample: max(result.rows / batch, 1)))
        }
    }
}
