import Tensors
import WeightFile

/// How large a model will be, found without reading its numbers.
package struct ConversionForecast: Sendable, Equatable, Codable {
    package struct Component: Sendable, Equatable, Codable {
        package let name: String
        package let className: String
        package let parameters: Int
        /// In the checkpoint, without what is not needed.
        package let checkpointBytes: Int
        /// As it was asked for: a preset.
        package let preset: String
        /// With each preset, before compression.
        package let bytesByPreset: [String: Int]

        /// As it was asked for, before compression.
        package var bytes: Int { bytesByPreset[preset] ?? 0 }
    }

    package let source: String
    package let components: [Component]
    /// What the model will lack, what it cannot do without that, and how to add it.
    package let missing: [String]

    package var parameters: Int { components.reduce(0) { $0 + $1.parameters } }

    /// As it was asked for, before compression.
    package var bytes: Int { components.reduce(0) { $0 + $1.bytes } }

    /// With one preset for all, before compression.
    package func bytes(with preset: WeightPreset) -> Int {
        components.reduce(0) { $0 + ($1.bytesByPreset[preset.rawValue] ?? 0) }
    }
}

extension CheckpointConverter {
    /// What `convert` would write: the sizes of weights, but for compression, and for those of which 8 bits lose so much that they
    /// are stored in 16 after all.
    package func forecast() -> ConversionForecast {
        let listed = components.compactMap { component in
            component.weights.map { weights in
                let sizes = WeightPreset.allCases.map { preset in
                    (preset.rawValue, Self.bytes(of: component.requirements, with: PrecisionPolicy(preset)))
                }
                return ConversionForecast.Component(
                    name: component.name, className: component.className,
                    parameters: component.requirements.reduce(0) { $0 + $1.role.shape.count },
                    checkpointBytes: weights.byteCount,
                    preset: preset(of: component.name).rawValue,
                    bytesByPreset: Dictionary(uniqueKeysWithValues: sizes))
            }
        }
        return ConversionForecast(source: sourceName, components: listed, missing: missing)
    }

    private static func bytes(of requirements: [WeightRequirement], with policy: PrecisionPolicy) -> Int {
        requirements.reduce(0) { sum, requirement in
            let format = policy.candidates(for: requirement)[0]
            return sum + policy.description(of: requirement, as: format).byteCount
        }
    }
}
