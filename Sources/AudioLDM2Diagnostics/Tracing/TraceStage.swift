import AudioLDM2
import Tensors

/// One component as `ComponentTrace` runs it: what it reads by name and shape, what it makes, and how.
///
/// A component joins by an entry in `table(_:)`.
struct TraceStage: Sendable {
    let inputs: [TraceInput]
    let outputs: [String]
    /// Makes the outputs, in order.
    let compute: @Sendable (TraceValues, GenerationContext) throws -> [TraceArray]

    /// The components of a model, in the order in which they work.
    static func table(_ model: Model) -> [TraceStage] {
        [clapText(model), states(model), languageModel(model)].compactMap(\.self)
            + [unet(model), vaeDecoder(model), vocoder(model)] + [magnitudes(model)].compactMap(\.self)
            + listening(model)
    }
}

/// What a component is to be given.
struct TraceInput: Sendable {
    enum Kind: Sendable, Hashable {
        case numbers
        /// Whole numbers from 0 to below the bound.
        case ids(below: Int)
        /// 1 for tokens, 0 for padding.
        case mask
    }

    let name: String
    let axes: TraceAxes
    let kind: Kind
    let isRequired: Bool

    init(_ name: String, _ axes: TraceAxes, _ kind: Kind = .numbers, isRequired: Bool = true) {
        (self.name, self.axes, self.kind, self.isRequired) = (name, axes, kind, isRequired)
    }
}

/// The extents of an input, in PyTorch's order.
struct TraceAxes: Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
    enum Axis: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, CustomStringConvertible {
        case fixed(Int)
        /// Any extent from 1, the same wherever the name appears in a component's inputs.
        case named(String)

        init(stringLiteral name: String) { self = .named(name) }
        init(integerLiteral extent: Int) { self = .fixed(extent) }

        var description: String {
            switch self {
            case .fixed(let extent): "\(extent)"
            case .named(let name): name
            }
        }
    }

    let axes: [Axis]

    init(arrayLiteral axes: Axis...) { self.axes = axes }

    var description: String { "[" + axes.map(\.description).joined(separator: ", ") + "]" }

    /// Whether `shape` fits, noting the extents of names that are new to `bound`.
    func match(_ shape: [Int], bound: inout [String: Int]) -> Bool {
        guard shape.count == axes.count else { return false }
        for (axis, extent) in zip(axes, shape) {
            switch axis {
            case .fixed(let expected) where extent == expected: continue
            case .named(let name) where extent >= 1 && extent == bound[name, default: extent]: bound[name] = extent
            default: return false
            }
        }
        return true
    }
}
