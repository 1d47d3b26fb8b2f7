import AudioLDM2
import Tensors

/// What a conversion made of a checkpoint.
package struct ConversionSummary: Sendable, Equatable, Codable {
    package struct Weight: Sendable, Equatable, Codable {
        package let name: String
        package let format: String
        /// ‖W − Ŵ‖ / ‖W‖.
        package let relativeError: Double
    }

    package struct Component: Sendable, Equatable, Codable {
        package let name: String
        package let className: String
        package internal(set) var tensors = 0
        package internal(set) var parameters = 0
        /// Bytes in the pack, after compression.
        package internal(set) var storedBytes = 0
        /// How many times smaller than float32.
        package internal(set) var ratio = 1.0
        /// Parameters by the format that they are stored in.
        package internal(set) var parametersByFormat: [String: Int] = [:]
        /// The weights that lost most, worst first.
        package internal(set) var worst: [Weight] = []

        init(name: String, className: String) {
            self.name = name
            self.className = className
        }
    }

    /// Name of the checkpoint.
    package let source: String
    package let weights: String
    package let compression: String
    package let license: String?
    package internal(set) var components: [Component] = []
    /// What the pack lacks, what it cannot do without that, and how to add it.
    package internal(set) var missing: [String] = []
    /// Nil if weights were not fitted to what they read.
    package internal(set) var calibration: CalibrationReport?
    /// Size of the pack.
    package internal(set) var fileBytes = 0

    package var parameters: Int { components.reduce(0) { $0 + $1.parameters } }
}

extension ConversionSummary.Component {
    private static let worstCount = 3

    mutating func add(_ weight: EncodedWeight, name: String, parameters count: Int, storedBytes: Int) {
        tensors += 1
        parameters += count
        self.storedBytes += storedBytes
        ratio = Double(4 * parameters) / Double(max(self.storedBytes, 1))
        let format = "\(weight.format)"
        parametersByFormat[format, default: 0] += count
        guard weight.relativeError > 0 else { return }
        // Stable: of equal errors the earlier weight comes first.
        let place = worst.firstIndex { $0.relativeError < weight.relativeError } ?? worst.endIndex
        worst.insert(.init(name: name, format: format, relativeError: weight.relativeError), at: place)
        worst = Array(worst.prefix(Self.worstCount))
    }
}
