import CCUDA
import ComputeSupport
import Tensors

extension CUDABackend {
    package func linear(_ x: Tensor, _ weight: any Weight, _ epilogue: Epilogue) throws -> Tensor {
        let weight = try own(weight, "linear")
        let role = weight.description.role
        try require(x.shape.last == role.inputs && role.taps == 1, "linear", "\(role.inputs) channels", x.shape)
        return try measured("linear", products: x.shape.count * role.outputs) {
            let y = try empty(x.shape.withLast(role.outputs))
            try multiply(x, weight, rows: x.shape.rows, nil, nil, .none, epilogue, into: y, "linear")
            return y
        }
    }

    package func gatedLinear(
        _ x: Tensor, _ weight: any Weight, bias: (any Weight)?, gate: Activation
    ) throws -> Tensor {
        let both = try linear(x, weight, Epilogue(bias: bias))
        let half = both.shape.last / 2
        return try measured("gate") {
            let y = try empty(both.shape.withLast(half))
            let arguments = cuda_gate(
                x: try address(both, "gate"), y: try address(y, "gate"), rows: Int64(both.shape.rows),
                channels: try int(half, "gate"), activation: gate.arguments)
            try launch(.gate, arguments, elements: y.shape.count)
            return y
        }
    }

    package func convolution(
        _ x: Tensor, _ weight: any Weight, _ geometry: ConvolutionGeometry, _ epilogue: Epilogue
    ) throws -> Tensor {
        let weight = try own(weight, "convolution")
        let role = weight.description.role
        let plan = try ConvolutionPlan.checked(x.shape, role: role, geometry)
        return try measured(
            "convolution", products: plan.outputRows * role.outputs * role.taps * role.inputs
        ) {
            let shape = plan.outputShape(role.outputs)
            let whole = try result(shape, weight.description, epilogue)
            let y = Tensor(
                shape: shape, storage: whole.storage, offset: whole.offset + whole.shape.count - shape.count)
            if let before = epilogue.continued {
                try write(before, into: whole.reshaped([1, whole.shape[1], whole.shape.last]), at: 0)
            }
            let tiles =
                weight.description.quantizesInput
                ? ConvolutionTiles(plan, channels: role.inputs, activation: geometry.inputActivation) : nil
            let places =
                plan.isPointwise && tiles == nil
                ? nil : try arguments(geometry, input: x.shape, output: shape, kernel: role.kernelSize)
            try multiply(
                x, weight, rows: plan.outputRows, places, tiles, geometry.inputActivation, epilogue, into: y,
                "convolution")
            return whole
        }
    }

    /// Memory for a result: the residual's, if nobody needs that, and the input has become bytes before.
    private func result(_ shape: Shape, _ weight: WeightDescription, _ epilogue: Epilogue) throws -> Tensor {
        guard epilogue.spendsResidual, epilogue.continued == nil, weight.quantizesInput,
            let residual = epilogue.residual
        else {
            return try empty(epilogue.extended(shape))
        }
        return try residual.reshaped(shape)
    }

    /// `y [rows, outputs]` of rows that are gathered by `geometry`, or follow one another.
    private func multiply(
        _ x: Tensor, _ weight: CUDAWeight, rows: Int, _ geometry: cuda_geometry?, _ tiles: ConvolutionTiles?,
        _ activation: Activation, _ epilogue: Epilogue, into y: Tensor, _ operation: String
    ) throws {
        let role = weight.description.role
        let finish = try arguments(epilogue, result: y.shape, operation)
        if weight.description.quantizesInput {
            let input = try QuantizedRows(x, tiles, activation, on: self)
            return try multiplyInt8(input, weight, rows: rows, geometry, finish, into: y, operation)
        }
        let source = try address(x, operation)
        let isInt8 = weight.description.format == .int8
        let scales = isInt8 ? UInt64(Int8Layout(role: role).scalesOffset) : 0
        let address = try weight.address(operation)
        // Floats of 24 bits on both sides would be more products of halves than is worth the while.
        let onTensorCores = usesMMA && weight.description.format != .float32
        let blocks = try ProductBlocks(
            rows: rows, fewestRows: Int(finish.rows_per_sample), outputs: role.outputs, taps: role.taps,
            words: onTensorCores ? (role.inputs + 1) / 2 : nil, on: self)
        let arguments = cuda_product(
            x: source, weight: address, scales: address + scales, y: try self.address(y, operation),
            parts: blocks.parts, rows: try int(rows, operation), outputs: try int(role.outputs, operation),
            taps: try int(role.taps, operation), inputs: try int(role.inputs, operation),
            part_count: try int(blocks.grid.z, operation),
            is_aligned: source % 16 == 0 && role.inputs % 4 == 0 ? 1 : 0,
            input_activation: activation.arguments, geometry: geometry ?? cuda_geometry(), epilogue: finish)
        let (kernel, adding): (Kernel, Kernel?) =
            switch weight.description.format {
            case .float32: (.productFloat32, nil)
            case .float16: onTensorCores ? (.productFloat16MMA, .productFloat16MMASum) : (.productFloat16, nil)
            case .int8: onTensorCores ? (.productExpandedMMA, .productExpandedMMASum) : (.productExpanded, nil)
            }
        try launch(kernel, arguments, blocks, adding: adding, elements: rows * role.outputs)
    }

    private func multiplyInt8(
        _ input: QuantizedRows, _ weight: CUDAWeight, rows: Int, _ geometry: cuda_geometry?, _ finish: cuda_epilogue,
        into y: Tensor, _ operation: String
    ) throws {
        let role = weight.description.role
        let layout = Int8Layout(role: role)
        guard role.taps * layout.paddedInputs <= Int8Layout.maximumWidth else {
            throw TensorError.shapeMismatch(
                operation: "int8 product",
                expected: "a packed weight of at most \(Int8Layout.maximumWidth) values a row", found: role.shape)
        }
        let address = try weight.address(operation)
        let (words, onTensorCores) = (layout.paddedInputs / 4, usesMMA && device.target.capability.hasByteMMA)
        let blocks = try ProductBlocks(
            rows: rows, fewestRows: rows, outputs: role.outputs, taps: role.taps,
            words: onTensorCores ? words : nil, on: self)
        let arguments = cuda_int8_product(
            x: input.bytes.address, ranges: input.ranges.address, tiles: address,
            scales: address + UInt64(layout.scalesOffset), sums: address + UInt64(layout.sumsOffset),
            y: try self.address(y, operation), parts: blocks.parts, rows: try int(rows, operation),
            outputs: try int(role.outputs, operation), taps: try int(role.taps, operation),
            words: try int(words, operation), part_count: try int(blocks.grid.z, operation),
            geometry: geometry ?? cuda_geometry(), tiling: input.tiling, epilogue: finish)
        let (kernel, adding): (Kernel, Kernel?) =
            onTensorCores ? (.productMMA, .productMMASum) : (.productInt8, nil)
        try launch(kernel, arguments, blocks, adding: adding, elements: rows * role.outputs)
    }

    private func launch<Arguments>(
        _ kernel: Kernel, _ arguments: Arguments, _ blocks: ProductBlocks, adding: Kernel?, elements: Int
    ) throws {
        try launch(kernel, arguments, grid: blocks.grid)
        if blocks.isInParts, let adding { try launch(adding, arguments, elements: elements) }
    }

    /// Checks an epilogue against the shape of the result.
    private func arguments(_ epilogue: Epilogue, result: Shape, _ operation: String) throws -> cuda_epilogue {
        let (outputs, batch) = (result.last, max(result[0], 1))
        if let count = epilogue.bias?.description.role.shape.count {
            try require(count == outputs, operation, "a bias of \(outputs)", [count])
        }
        if let shape = epilogue.perSample?.shape {
            try require(
                shape == [batch, outputs], operation, "values per sample of shape [\(batch), \(outputs)]", shape)
        }
        if let shape = epilogue.residual?.shape {
            try require(shape.count == result.count, operation, "a residual of shape \(result)", shape)
        }
        return cuda_epilogue(
            bias: try epilogue.bias.map { try address($0, operation) } ?? 0,
            sample_bias: try epilogue.perSample.map { try address($0, operation) } ?? 0,
            residual: try epilogue.residual.map { try address($0, operation) } ?? 0,
            rows_per_sample: try int(max(result.rows / batch, 1), operation),
            activation: epilogue.activation.arguments)
    }

    private func arguments(
        _ geometry: ConvolutionGeometry, input: Shape, output: Shape, kernel: (height: Int, width: Int)
    ) throws -> cuda_geometry {
        let height = geometry.resizedHeight ?? input[1]
        let width = geometry.resizedWidth ?? input[2]
        let int = { try self.int($0, "convolution") }
        return cuda_geometry(
            is_gathered: 1, input_height: try int(input[1]), input_width: try int(input[2]),
            resized_height: try int(height), resized_width: try int(width), output_height: try int(output[1]),
            output_width: try int(output[2]), kernel_width: try int(kernel.width),
            stride_height: try int(geometry.strideHeight), stride_width: try int(geometry.strideWidth),
            dilation_height: try int(geometry.dilationHeight), dilation_width: try int(geometry.dilationWidth),
            padding_top: try int(geometry.padding.top), padding_left: try int(geometry.padding.left),
            height_scale: Float(input[1]) / Float(height), width_scale: Float(input[2]) / Float(width))
    }
}
