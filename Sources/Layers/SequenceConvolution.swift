import Tensors
import WeightFile

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
        let y = try x.backend.convolution(
            x.asColumn(), weight, geometry, Epilogue(bias: bias, activation: activation, residual: residual))
        return try y.asSequence()
    }

    /// As much of a sequence's result as its rows so far settle.
    /// - Parameters:
    ///   - x: the input, of earlier rows the last `reach` ones.
    ///   - before: the last rows that were settled earlier, none at the start. The returned ones come after them, and they are
    ///     returned once more.
    ///   - residual: as in `Epilogue`, of at least the rows that are new.
    /// - Throws: `TensorError.shapeMismatch` where not a single new row is settled.
    package func callAsFunction(
        _ x: Stretch, after before: Stretch? = nil, activation: Activation = .none, residual: Stretch? = nil
    ) throws -> Stretch {
        let padding = geometry.padding
        let first = before?.rows.upperBound ?? 0
        let last = x.isLast ? x.rows.upperBound : x.rows.upperBound - padding.bottom
        try x.requireMore(than: first, upTo: last)
        var geometry = geometry
        geometry.padding.top = max(padding.top - first, 0)
        geometry.padding.bottom = x.isLast ? padding.bottom : 0
        var epilogue = Epilogue(
            bias: bias, activation: activation, residual: try residual.map { try $0(first..<last) })
        epilogue.continued = before?.tensor
        let read = try x(max(first - padding.top, 0)..<x.rows.upperBound)
        let y = try read.backend.convolution(read.asColumn(), weight, geometry, epilogue)
        return Stretch(try y.asSequence(), endingAt: last, isLast: x.isLast)
    }

    /// Rows of the input so far that are read again for what comes after them.
    package var reach: Int { geometry.padding.top + geometry.padding.bottom }
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
        let (batch, time) = (x.shape[0], x.shape[1])
        let y = try x.backend.convolution(x.asColumn(), weight, geometry, Epilogue(bias: bias))
        let frames = try y.reshaped([batch, y.shape[1] * stride, outputs])
        return try frames.slice(axis: 1, padding..<padding + length(time))
    }

    private func length(_ time: Int) -> Int { (time - 1) * stride - 2 * padding + kernel }

    /// As `Conv1d` does it. The first stretch begins with the padding, at rows below 0, and all are whole frames long.
    package func callAsFunction(_ x: Stretch, after before: Stretch? = nil) throws -> Stretch {
        let first = before.map { ($0.rows.upperBound + padding) / stride } ?? 0
        let last = x.rows.upperBound + (x.isLast ? geometry.padding.bottom : 0)
        try x.requireMore(than: first, upTo: last)
        var geometry = geometry
        geometry.padding.top = max(reach - first, 0)
        if !x.isLast { geometry.padding.bottom = 0 }
        var epilogue = Epilogue(bias: bias)
        epilogue.continued = try before.map { try $0.tensor.reshaped([1, $0.rows.count / stride, stride * outputs]) }
        let read = try x(max(first - reach, 0)..<x.rows.upperBound)
        let y = try read.backend.convolution(read.asColumn(), weight, geometry, epilogue)
        let whole = Stretch(
            try y.reshaped([1, y.shape[1] * stride, outputs]), endingAt: last * stride - padding, isLast: x.isLast)
        return x.isLast ? try whole.cut(at: length(x.rows.upperBound)) : whole
    }

    /// As in `Conv1d`.
    package var reach: Int { geometry.padding.top }

    /// A result's rows from `row` on, and so many before it that they are whole frames.
    package func kept(_ result: Stretch, from row: Int) throws -> Stretch {
        let frames = max((result.rows.upperBound - row + stride - 1) / stride, 1)
        return try result.kept(from: result.rows.upperBound - frames * stride)
    }
}

extension Tensor {
    /// `[batch, time, channels]` as a picture of width 1.
    fileprivate func asColumn() throws -> Tensor { try reshaped([shape[0], shape[1], 1, shape[2]]) }
    /// And back.
    fileprivate func asSequence() throws -> Tensor { try reshaped([shape[0], shape[1], shape.last]) }
}
