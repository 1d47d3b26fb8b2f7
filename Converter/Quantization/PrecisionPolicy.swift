import Tensors
import WeightFile

/// What the user wants weights stored as.
package enum WeightPreset: String, CaseIterable, Sendable {
    case int8
    case float16
    case float32
}

/// Which format a weight gets: the first of its candidates that keeps its numbers.
package struct PrecisionPolicy: Sendable {
    /// ‖W − Ŵ‖ / ‖W‖ above which a weight does not stay in int8.
    ///
    /// Rows of normal to Laplacian weights lose 0.5–1.7 % at any width that occurs. More means that a few outliers set the
    /// scale of their rows; past 2.5 % the weight would add more error than 8-bit inputs do (1–2 %).
    package static let int8ErrorLimit = 0.025

    private let preset: WeightPreset

    package init(_ preset: WeightPreset) { self.preset = preset }

    /// Formats to be tried in this order; the last one keeps every number.
    package func candidates(for requirement: WeightRequirement) -> [WeightFormat] {
        if case .vector = requirement.role { return [.float32] }
        let fits = requirement.role.taps * requirement.role.inputs <= Int8Layout.maximumWidth
        return switch (requirement.precision, preset) {
        case (.full, _), (_, .float32): [.float32]
        case (.quantized, .int8) where fits, (.weightOnly, .int8): [.int8, .float16, .float32]
        default: [.float16, .float32]
        }
    }

    /// Whether the stored numbers are good enough.
    package func accepts(_ weight: EncodedWeight) -> Bool {
        switch weight.format {
        case .float32: true
        case .float16: weight.inRange
        case .int8: weight.relativeError <= Self.int8ErrorLimit
        }
    }

    /// What the pack says about the weight.
    package func description(of requirement: WeightRequirement, as format: WeightFormat) -> WeightDescription {
        let isTable = if case .table = requirement.role { true } else { false }
        let quantizesInput = format == .int8 && requirement.precision == .quantized && !isTable
        return WeightDescription(
            role: requirement.role, format: format, activation: quantizesInput ? .quantized : .float)
    }
}
