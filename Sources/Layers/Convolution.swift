import Tensors
import WeightFile

/// A 2-D convolution over `[batch, height, width, channels]`.
package struct Conv2d: Sendable {
    private let weight: any Weight
    private let bias: (any Weight)?
    private let geometry: ConvolutionGeometry

    /// Asks for `weight [outputs, kernel, kernel, inputs]` and `bias [outputs]`.
    /// - Parameters:
    ///   - padding: on all four sides; give `geometry` for anything else.
    ///   - allowsTiles: as in `ConvolutionGeometry`.
    package init(
        _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: ConvolutionGeometry.Padding? = nil,
        bias: Bool = true, allowsTiles: Bool = false, _ weights: WeightScope
    ) throws {
        try self.init(
            inputs, outputs, kernelHeight: kernel, kernelWidth: kernel, stride: stride,
            padding: padding ?? .init((kernel - 1) / 2), bias: bias, allowsTiles: allowsTiles, weights)
    }

    /// The same with a kernel of any shape.
    package init(
        _ inputs: Int, _ outputs: Int, kernelHeight: Int, kernelWidth: Int, stride: Int = 1,
        padding: ConvolutionGeometry.Padding, bias: Bool = true, allowsTiles: Bool = false, _ weights: WeightScope
    ) throws {
        weight = try weights.convolution(
            "weight", outputs: outputs, kernelHeight: kernelHeight, kernelWidth: kernelWidth, inputs: inputs)
        self.bias = bias ? try weights.vector("bias", outputs) : nil
        geometry = ConvolutionGeometry(
            strideHeight: stride, strideWidth: stride, padding: padding, allowsTiles: allowsTiles)
    }

    /// - Parameters:
    ///   - activation: of the sum, before the residual is added.
    ///   - perSample: `[batch, outputs]`, added at every position.
    ///   - spendsResidual: whether the residual's memory may become the result's.
    ///   - resizedTo: height and width that the input is resized to (nearest neighbour) as it is read.
    ///   - isDeferred: whether the result may be computed as it is read, to save its memory.
    package func callAsFunction(
        _ x: Tensor, activation: Activation = .none, perSample: Tensor? = nil, residual: Tensor? = nil,
        spendsResidual: Bool = false,
        resizedTo size: (height: Int, width: Int)? = nil, isDeferred: Bool = false
    ) throws -> Tensor {
        var geometry = geometry
        geometry.resizedHeight = size?.height
        geometry.resizedWidth = size?.width
        var epilogue = Epilogue(bias: bias, perSample: perSample, activation: activation, residual: residual)
        (epilogue.spendsResidual, epilogue.isDeferred) = (spendsResidual, isDeferred)
        return try x.backend.convolution(x, weight, geometry, epilogue)
    }
}

/// A 1-D convolution over `[batch, time, channels]`, "same" length.
package struct Conv1d: Sendable {
    private let weight: any Weight
    private let bias: any Weight
    private let geometry: ConvolutionGeometry

    /// Asks for `weight [outputs, kernel, 1, inputs]` and `bias [outputs]`.
    /// - Parameter inputActivation: applied to the input as it is read.
    package init(
        _ inputs: Int, _ outputs: Int, kernel: Int, dilation: Int = 1, inputActivation: Activation = .none,
        _ weights: WeightScope
    ) throws {
        weight = try weights.convolution(
            "weight", outputs: outputs, kernelHeight: kernel, kernelWidth: 1, inputs: inputs)
        bias = try weights.vector("bias", outputs)
        let reach = dilation * (kernel - 1)
        geometry = ConvolutionGeometry(
            dilationHeight: dilation, padding: .init(top: reach / 2, bottom: reach - reach / 2),
            inputActivation: inputActivation)
    }

    package func callAsFunction(
        _ x: Tensor, activation: Activation = .none, residual: Tensor? = nil
    ) throws -> Tensor {
        let (batch, time, channels) = (x.shape[0], x.shape[1], x.shape[2])
        let y = try x.backend.convolution(
            x.reshaped([batch, time, 1, channels]), weight, geometry,
            Epilogue(bias: bias, activation: activation, residual: residual))
        return try y.reshaped([batch, y.shape[1], y.shape.last])
    }
}

/// A 1-D transposed convolution over `[batch, time, channels]`.
///
/// Stored as an ordinary convolution that makes `stride` output frames per input frame
/// (see `WeightRole.transposedConvolution`): the frames are already in order in memory, so what remains is to cut the
/// padding off both ends.
package struct ConvTranspose1d: Sendable {
    private let weight: any Weight
    private let bias: any Weight
    private let outputs: Int
    private let kernel: Int
    private let stride: Int
    private let padding: Int
    private let geometry: ConvolutionGeometry

    /// Asks for the rewritten `weight` and for `bias [outputs]` repeated `stride` times.
    package init(
        _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int, padding: Int, inputActivation: Activation = .none,
        _ weights: WeightScope
    ) throws {
        weight = try weights.transposedConvolution(
            "weight", outputs: outputs, kernel: kernel, stride: stride, inputs: inputs)
        bias = try weights.vector("bias", stride * outputs)
        (self.outputs, self.kernel, self.stride, self.padding) = (outputs, kernel, stride, padding)
        let reach = (kernel + stride - 1) / stride - 1
        geometry = ConvolutionGeometry(padding: .init(top: reach, bottom: reach), inputActivation: inputActivation)
    }

    /// `[batch, time, inputs]` → `[batch, (time − 1) · stride − 2 · padding + kernel, outputs]`.
    package func callAsFunction(_ x: Tensor) throws -> Tensor {
        let (batch, time, channels) = (x.shape[0], x.shape[1], x.shape[2])
        let y = try x.backend.convolution(
            x.reshaped([batch, time, 1, channels]), weight, geometry, Epilogue(bias: bias))
        let frames = try y.reshaped([batch, y.shape[1] * stride, outputs])
        let length = (time - 1) * stride - 2 * padding + kernel
        return try frames.slice(axis: 1, padding..<padding + length)
    }
}
