import FoundationEssentials
import Text
import WeightFile

/// What the converter measured when it fitted a model's 8-bit weights to what they read: see `audioldm2-convert --help`.
public struct CalibrationReport: Sendable, Codable, Hashable {
    /// One component.
    public struct Component: Sendable, Codable, Hashable {
        /// Name in the model file.
        public let name: String
        /// What was compared with the float model: its results, given what the float model gave.
        public let compared: String
        /// ‖ours − float‖ / ‖float‖ as converted without calibration, the root of the mean square over all results.
        public let errorBefore: Double
        /// The same as it is stored.
        public let errorAfter: Double
        /// Error of the worst result as it is stored.
        public let largestAfter: Double
        /// What no result's error should pass.
        public let target: Double
        /// Places at which channels' ranges were moved from what products read into their weights.
        public let moves: Int
        /// Products that are stored in a dearer way than they would be otherwise.
        public let kept: [Kept]
        /// What keeping them adds to the weights' bytes, before compression.
        public let addedBytes: Int
        /// The widest ranges that products read.
        public let peaks: [Peak]

        /// Whether no result is over the target.
        public var isMet: Bool { largestAfter <= target }

        package init(
            name: String, compared: String, errorBefore: Double, errorAfter: Double, largestAfter: Double,
            target: Double, moves: Int, kept: [Kept], addedBytes: Int, peaks: [Peak]
        ) {
            (self.name, self.compared) = (name, compared)
            (self.errorBefore, self.errorAfter, self.largestAfter) = (errorBefore, errorAfter, largestAfter)
            (self.target, self.moves, self.kept) = (target, moves, kept)
            (self.addedBytes, self.peaks) = (addedBytes, peaks)
        }
    }

    /// A product that is stored in a dearer way than others.
    public struct Kept: Sendable, Codable, Hashable {
        /// Path in the component.
        public let weight: String
        /// How it is stored.
        public let storage: Storage
        /// Relative error of its results from 8-bit numbers.
        public let error: Double

        package init(weight: String, storage: Storage, error: Double) {
            (self.weight, self.storage, self.error) = (weight, storage, error)
        }
    }

    /// What a product is computed of, if not of 8-bit numbers alone.
    public enum Storage: String, Sendable, Codable, CaseIterable {
        /// Of 8-bit numbers, after the input's channels have got factors of their own.
        case scaled = "int8, inputs scaled"
        /// Of floats, with weights in int8.
        case weightOnly = "int8, float inputs"
        /// Of floats, with weights in float16.
        case float16
    }

    /// The range of what a product reads.
    public struct Peak: Sendable, Codable, Hashable {
        /// The product's weight, in the component.
        public let weight: String
        /// The largest magnitude of any channel.
        public let largest: Float
        /// The median of the channels' largest magnitudes.
        public let median: Float

        package init(weight: String, largest: Float, median: Float) {
            (self.weight, self.largest, self.median) = (weight, largest, median)
        }
    }

    /// What the model was asked.
    public let prompts: [String]
    /// Length of the sounds that were made.
    public let seconds: Double
    /// Evaluations of the denoiser for each.
    public let steps: Int
    /// What was found out, in the order of the work.
    public package(set) var components: [Component]

    package init(prompts: [String], seconds: Double, steps: Int, components: [Component]) {
        (self.prompts, self.seconds, self.steps, self.components) = (prompts, seconds, steps, components)
    }

    /// The name of the part of a model file that holds it.
    package static let blobName = "calibration"

    /// - Throws: `DecodingError`.
    package init(decoding json: Data) throws { self = try JSONDecoder().decode(Self.self, from: json) }

    package func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return try encoder.encode(self)
    }
}

extension Pack {
    /// What the converter measured, if it did.
    /// - Throws: `AudioLDM2Error` of kind `.modelFile` for a record that cannot be read.
    func calibration() throws -> CalibrationReport? {
        guard blobs.contains(where: { $0.name == CalibrationReport.blobName }) else { return nil }
        let json = try blob(CalibrationReport.blobName)
        do {
            return try CalibrationReport(decoding: json)
        } catch {
            throw AudioLDM2Error(.modelFile, "\(path): its record of calibration cannot be read: \(error)")
        }
    }
}

extension CalibrationReport: CustomStringConvertible {
    /// A line for each component, and more for those with products that stay float.
    public var description: String {
        func number(_ value: Double) -> String { String(printf: "%.1e", value) }
        var lines = [
            "calibrated on \(prompts.map { "\"\($0)\"" }.joined(separator: ", ")); \(seconds) s, \(steps) steps"
        ]
        for part in components {
            var line =
                "  \(part.name), \(part.compared): error \(number(part.errorBefore)) → \(number(part.errorAfter)), at worst \(number(part.largestAfter))"
            line += part.isMet ? "" : ", over its target of \(number(part.target))"
            if part.moves > 0 { line += "; \(part.moves) ranges moved" }
            if !part.kept.isEmpty {
                let counts = Storage.allCases.compactMap { storage in
                    let count = part.kept.count { $0.storage == storage }
                    return count > 0 ? "\(count) as \(storage.rawValue)" : nil
                }
                line += "; of its products \(counts.joined(separator: ", "))"
                line += String(printf: " (%+d KiB)", part.addedBytes / 1024)
            }
            if let peak = part.peaks.first {
                line += String(printf: "; widest range ±%.3g, median ±%.3g", peak.largest, peak.median)
                line += " (\(peak.weight))"
            }
            lines.append(line)
        }
        return lines.joined(separator: "\n")
    }
}
