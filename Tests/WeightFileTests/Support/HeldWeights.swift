import TestSupport
import WeightFile

extension PackSource {
    /// The stored weight of a sample, as a backend would hold it.
    func held(_ sample: SampleWeight) throws -> HeldWeight? {
        let requirement = WeightRequirement(path: sample.name, role: sample.description.role, precision: .quantized)
        return try weight(requirement) as? HeldWeight
    }
}
