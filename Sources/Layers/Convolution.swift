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
