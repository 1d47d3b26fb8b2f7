import Synchronization
import Tensors

/// Notes what a model asks for as it is built, and hands out weights without contents.
///
/// So the converter learns what a model needs from the initialisers that will read the pack.
package final class RecordingSource: WeightSource {
    private let recorded = Mutex<(order: [WeightRequirement], byPath: [String: WeightRequirement])>(([], [:]))

    /// Weights that a component may ask for: ten times what the largest published one does. A few numbers of a configuration
    /// can ask for millions.
    private static let mostRequirements = 1 << 15

    package init() {}

    /// What was asked for, once each, in the order asked.
    package var requirements: [WeightRequirement] { recorded.withLock { $0.order } }

    /// - Throws: `PackError`: `conflictingRequirements` if the path was asked for in another way before,
    ///   `impossibleRequirement` if no weight has that shape.
    package func weight(_ requirement: WeightRequirement) throws -> any Weight {
        let placeholder = PlaceholderWeight(requirement.role)
        if let fault = placeholder.description.fault {
            throw PackError.impossibleRequirement(tensor: requirement.path, reason: fault)
        }
        try recorded.withLock { recorded in
            guard let earlier = recorded.byPath[requirement.path] else {
                guard recorded.order.count < Self.mostRequirements else {
                    throw PackError.impossibleRequirement(
                        tensor: requirement.path, reason: "more than \(Self.mostRequirements) others beside it")
                }
                recorded.byPath[requirement.path] = requirement
                recorded.order.append(requirement)
                return
            }
            guard earlier == requirement else {
                throw PackError.conflictingRequirements(
                    tensor: requirement.path, first: earlier.summary, second: requirement.summary)
            }
        }
        return placeholder
    }
}

extension WeightRequirement {
    fileprivate var summary: String { "\(role.summary), \(precision)" }
}

/// A weight that only knows its shape.
private final class PlaceholderWeight: Weight {
    let description: WeightDescription

    init(_ role: WeightRole) { description = WeightDescription(role: role, format: .float32) }
}
