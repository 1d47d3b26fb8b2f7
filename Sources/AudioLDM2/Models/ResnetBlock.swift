import Layers
import Tensors
import WeightFile

/// The residual block of UNet and VAE: norm, SiLU, convolution, twice, around a shortcut.
///
/// diffusers `ResnetBlock2D` with `time_embedding_norm = "default"`.
package struct ResnetBlock: Sendable {
    private let norm1: GroupNorm
    private let conv1: Conv2d
    private let norm2: GroupNorm
    private let conv2: Conv2d
    private let shortcut: Conv2d?

    package struct Norm: Sendable {
        let groups: Int
        let epsilon: Float

        package init(groups: Int, epsilon: Float) {
            self.groups = groups
            self.epsilon = epsilon
        }
    }

    package init(_ inputs: Int, _ outputs: Int, norm: Norm, _ weights: WeightScope) throws {
        norm1 = try GroupNorm(
            inputs, groups: norm.groups, epsilon: norm.epsilon, activation: .silu, weights["norm1"])
        conv1 = try Conv2d(inputs, outputs, kernel: 3, weights["conv1"])
        norm2 = try GroupNorm(
            outputs, groups: norm.groups, epsilon: norm.epsilon, activation: .silu, weights["norm2"])
        conv2 = try Conv2d(outputs, outputs, kernel: 3, weights["conv2"])
        shortcut = inputs == outputs ? nil : try Conv2d(inputs, outputs, kernel: 1, weights["conv_shortcut"])
    }

    /// - Parameters:
    ///   - x: `[batch, time, frequency, inputs]`.
    ///   - shift: `[batch, outputs]`, added to all positions between the convolutions.
    ///   - spendsInput: whether the input's memory may become the result's.
    /// - Returns: `[batch, time, frequency, outputs]`.
    package func callAsFunction(_ x: Tensor, shift: Tensor? = nil, spendsInput: Bool = false) throws -> Tensor {
        let h = try conv1(norm1(x), perSample: shift)
        return try conv2(
            norm2(h), residual: shortcut.map { try $0(x) } ?? x, spendsResidual: shortcut != nil || spendsInput)
    }
}
