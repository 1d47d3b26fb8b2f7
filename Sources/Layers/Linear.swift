import Tensors
import WeightFile

/// `y = x · Wᵀ + b`, optionally followed by an activation and a residual in the same pass.
package struct Linear: Sendable {
    private let weight: any Weight
    private let bias: (any Weight)?

    /// Asks for `weight [outputs, inputs]` and, if `bias`, `bias [outputs]`.
    package init(_ inputs: Int, _ outputs: Int, bias: Bool = true, _ weights: WeightScope) throws {
        weight = try weights.matrix("weight", outputs: outputs, inputs: inputs)
        self.bias = bias ? try weights.vector("bias", outputs) : nil
    }

    /// How the weights want products to be computed.
    var arithmetic: ActivationMode {
        weight.description.quantizesInput ? .quantized : .float
    }

    /// `[..., inputs]` → `[..., outputs]`.
    package func callAsFunction(
        _ x: Tensor, activation: Activation = .none, residual: Tensor? = nil
    ) throws -> Tensor {
        try x.backend.linear(x, weight, Epilogue(bias: bias, activation: activation, residual: residual))
    }
}

/// A linear layer whose outputs come in two halves, value and gate: `value · activation(gate)`.
///
/// GEGLU (Shazeer 2020, arXiv 2002.05202) as UNet and T5 use it.
package struct GatedLinear: Sendable {
    private let weight: any Weight
    private let bias: (any Weight)?
    private let gate: Activation

    /// Asks for `weight [2 × outputs, inputs]`, values first, and `bias [2 × outputs]`.
    package init(_ inputs: Int, _ outputs: Int, gate: Activation, bias: Bool, _ weights: WeightScope) throws {
        weight = try weights.matrix("weight", outputs: 2 * outputs, inputs: inputs)
        self.bias = bias ? try weights.vector("bias", 2 * outputs) : nil
        self.gate = gate
    }

    /// `[..., inputs]` → `[..., outputs]`.
    package func callAsFunction(_ x: Tensor) throws -> Tensor {
        try x.backend.gatedLinear(x, weight, bias: bias, gate: gate)
    }
}

/// A table of vectors looked up by index.
package struct Embedding: Sendable {
    private let table: any Weight

    /// Asks for `weight [rows, width]`.
    /// - Parameter table: the weight's name.
    package init(_ rows: Int, _ width: Int, table: String = "weight", _ weights: WeightScope) throws {
        self.table = try weights.table(table, rows: rows, width: width)
    }

    /// `[1, ids.count, width]`.
    package func callAsFunction(_ ids: [Int], on backend: any Backend) throws -> Tensor {
        let rows = try backend.gather(table, ids)
        return try rows.reshaped([1, ids.count, rows.shape.last])
    }
}
