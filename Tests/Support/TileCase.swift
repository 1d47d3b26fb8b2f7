import Foundation
import Tensors

/// An int8 convolution of a long input whose loudness changes from line to line.
package struct TileCase: Sendable, CustomStringConvertible {
    package let description: String
    /// `[batch, height, width, channels]`
    package let shape: Shape
    package let role: WeightRole
    package let geometry: ConvolutionGeometry

    package init(description: String, shape: Shape, role: WeightRole, geometry: ConvolutionGeometry) {
        (self.description, self.shape, self.role, self.geometry) = (description, shape, role, geometry)
    }

    package static let all = [
        TileCase(
            description: "along time, dilated, after LeakyReLU", shape: [2, 300, 1, 24],
            role: .convolution(outputs: 10, kernelHeight: 7, kernelWidth: 1, inputs: 24),
            geometry: .init(
                dilationHeight: 3, padding: .init(top: 9, bottom: 9), inputActivation: .leakyRelu(slope: 0.1))),
        TileCase(
            description: "transposed", shape: [2, 230, 1, 24],
            role: .transposedConvolution(outputs: 3, kernel: 16, stride: 5, inputs: 24),
            geometry: .init(padding: .init(top: 3, bottom: 3))),
        TileCase(
            description: "channels that leave words partly filled", shape: [1, 501, 1, 13],
            role: .convolution(outputs: 5, kernelHeight: 3, kernelWidth: 1, inputs: 13),
            geometry: .init(padding: .init(top: 2))),
        TileCase(
            description: "positions on their own after ReLU", shape: [2, 210, 1, 24],
            role: .convolution(outputs: 18, kernelHeight: 1, kernelWidth: 1, inputs: 24),
            geometry: .init(inputActivation: .relu)),
        TileCase(
            description: "along the width of one line", shape: [2, 1, 500, 20],
            role: .convolution(outputs: 6, kernelHeight: 3, kernelWidth: 5, inputs: 20),
            geometry: .init(strideWidth: 2, padding: .init(top: 1, bottom: 1, left: 2, right: 2))),
        TileCase(
            description: "3×3 with stride 2", shape: [2, 240, 18, 32],
            role: .convolution(outputs: 7, kernelHeight: 3, kernelWidth: 3, inputs: 32),
            geometry: .init(strideHeight: 2, strideWidth: 2, padding: .init(1))),
        TileCase(
            description: "doubled", shape: [2, 32, 10, 40],
            role: .convolution(outputs: 6, kernelHeight: 3, kernelWidth: 3, inputs: 40),
            geometry: .init(padding: .init(1), resizedHeight: 64, resizedWidth: 20)),
        TileCase(
            description: "resized to odd extents", shape: [1, 99, 5, 28],
            role: .convolution(outputs: 8, kernelHeight: 3, kernelWidth: 3, inputs: 28),
            geometry: .init(padding: .init(1), resizedHeight: 150, resizedWidth: 9)),
        TileCase(
            description: "padding beyond the first tiles", shape: [1, 120, 1, 24],
            role: .convolution(outputs: 9, kernelHeight: 3, kernelWidth: 1, inputs: 24),
            geometry: .init(padding: .init(top: 200))),
    ]

    package var samples: Int { shape[0] }
    private var alongWidth: Bool { shape[1] == 1 }
    /// Input rows of a sample.
    package var rows: Int { shape[1] * shape[2] }

    package var weight: (weight: TestWeight, meaning: [Float]) {
        var numbers = TestNumbers(seed: 31)
        return TestWeight.storing(numbers.values(role.shape.count), role, .int8, .quantized)
    }

    /// Loud and quiet by turns, −70 to 0 dB.
    package var input: [Float] {
        var numbers = TestNumbers(seed: 32)
        let rowsPerLine = alongWidth ? 1 : shape[2]
        return numbers.values(shape.count).enumerated().map { index, value in
            value * expf(4 * sinf(Float(index / shape[3] / rowsPerLine) * 0.05) - 4)
        }
    }

    /// A quiet input, and the same with one row of the first sample that is loud.
    package func quiet(andLoudAt row: Int) -> (quiet: [Float], loud: [Float]) {
        var numbers = TestNumbers(seed: 33)
        let quiet = numbers.values(shape.count).map { $0 * 1e-3 }
        var loud = quiet
        for channel in 0..<shape[3] { loud[row * shape[3] + channel] = 1000 }
        return (quiet, loud)
    }
}
