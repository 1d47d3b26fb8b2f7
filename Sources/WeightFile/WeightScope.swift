import Tensors

/// What the converter may do to a weight, from most to least.
package enum WeightPrecision: Sendable, Hashable {
    /// Int8 weights and int8 activations.
    case quantized
    /// Int8 weights, float activations.
    case weightOnly
    /// Float16 or better.
    case float
    /// Always float32.
    case full
}

/// What a model wants at a path of its component.
package struct WeightRequirement: Hashable, Sendable {
    /// Names from the component's root, joined by dots: `down_blocks.0.conv.weight`.
    package let path: String
    package let role: WeightRole
    /// For the converter; a source gives what the pack has.
    package let precision: WeightPrecision

    package init(path: String, role: WeightRole, precision: WeightPrecision) {
        self.path = path
        self.role = role
        self.precision = precision
    }

    /// The same, of a weight that int8 does not do for.
    package var atLeastFloat: WeightRequirement {
        WeightRequirement(path: path, role: role, precision: precision == .full ? .full : .float)
    }
}

/// Where weights come from: a pack, or, for the converter, a recorder.
package protocol WeightSource: Sendable {
    /// The weight at a path, of exactly the role asked for.
    /// - Throws: an error that names the file, the full path, what was expected and what was found.
    func weight(_ requirement: WeightRequirement) throws -> any Weight
}

/// A place in a component's tree of names, at which a layer asks for its weights as it is built.
///
///     convolution = try scope["conv_in"].convolution("weight", outputs: 128, kernelHeight: 3, kernelWidth: 3, inputs: 8)
///
/// All methods throw what the source throws: names the tensor if it is missing or of another shape.
package struct WeightScope: Sendable {
    /// Empty at the root.
    package let path: String
    private let source: any WeightSource
    private let precision: WeightPrecision

    package init(_ source: any WeightSource, path: String = "", precision: WeightPrecision = .quantized) {
        self.source = source
        self.path = path
        self.precision = precision
    }

    package subscript(_ name: String) -> WeightScope { WeightScope(source, path: child(name), precision: precision) }

    package subscript(_ index: Int) -> WeightScope { self[String(index)] }

    /// The same place, with another limit on what the converter may do to weights asked for through it.
    package func preferring(_ precision: WeightPrecision) -> WeightScope {
        WeightScope(source, path: path, precision: precision)
    }

    /// A bias, a norm's scale and the like: float32 `[count]`.
    package func vector(_ name: String, _ count: Int) throws -> any Weight {
        try weight(name, .vector(count: count), .full)
    }

    /// A linear layer's `[outputs, inputs]`.
    package func matrix(_ name: String, outputs: Int, inputs: Int) throws -> any Weight {
        try weight(name, .matrix(outputs: outputs, inputs: inputs), precision)
    }

    /// `[outputs, kernelHeight, kernelWidth, inputs]`; heights are time, a 1-D convolution has width 1.
    package func convolution(
        _ name: String, outputs: Int, kernelHeight: Int, kernelWidth: Int, inputs: Int
    ) throws -> any Weight {
        let role = WeightRole.convolution(
            outputs: outputs, kernelHeight: kernelHeight, kernelWidth: kernelWidth, inputs: inputs)
        return try weight(name, role, precision)
    }

    /// A 1-D transposed convolution, in the form that `WeightRole.transposedConvolution` describes.
    package func transposedConvolution(
        _ name: String, outputs: Int, kernel: Int, stride: Int, inputs: Int
    ) throws -> any Weight {
        let role = WeightRole.transposedConvolution(outputs: outputs, kernel: kernel, stride: stride, inputs: inputs)
        return try weight(name, role, precision)
    }

    /// An embedding's `[rows, width]`.
    package func table(_ name: String, rows: Int, width: Int) throws -> any Weight {
        try weight(name, .table(rows: rows, width: width), precision)
    }

    private func weight(_ name: String, _ role: WeightRole, _ precision: WeightPrecision) throws -> any Weight {
        try source.weight(WeightRequirement(path: child(name), role: role, precision: precision))
    }

    private func child(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}
