import Platform
import Tensors

/// What memory a generation will take, and how it stays within a limit: made before the work begins, from the model's
/// configuration, the length and the texts.
///
/// What counts is the process's own memory. Pages of the model file that are used in place are not: the system takes them
/// back when it needs them.
public struct MemoryPlan: Sendable, Hashable, Codable {
    /// Where a stage's weights are.
    #if hasAttribute(nonexhaustive)
        @nonexhaustive
    #endif
    public enum Weights: String, Sendable, Hashable, Codable {
        /// In memory, decompressed once, or in place in the file.
        case resident
        /// Some are decompressed each time, ahead of their use.
        case streamed
    }

    /// One part of the model at work.
    public struct Stage: Sendable, Hashable, Codable {
        /// The part's name in the model file.
        public let name: String
        /// Where its weights are.
        public let weights: Weights
        /// Of weights in memory; where they are streamed, at any one time.
        public let weightBytes: Int
        /// Of weights that are used in place in the file.
        public let mappedBytes: Int
        /// Of the weights, what stays in memory after the stage, for other sounds.
        public let keptBytes: Int
        /// Of activations, with what earlier stages left.
        public let activationBytes: Int

        /// What counts.
        public var bytes: Int { weightBytes + activationBytes }
    }

    /// How the two predictions of a guided step are computed.
    #if hasAttribute(nonexhaustive)
        @nonexhaustive
    #endif
    public enum Guidance: String, Sendable, Hashable, Codable {
        /// In one batch of two.
        case together
        /// One after the other, in half of the memory.
        case apart
    }

    /// The limit that the plan stays within, in bytes; nil if there is none.
    public let limitBytes: Int?
    /// How the two predictions of a guided step are computed.
    public let guidance: Guidance
    /// How many sounds the denoiser works on at once, where several are made.
    public let sounds: Int
    /// Of the program itself: code's data, threads' stacks, texts, the finished sound, and weights kept for other work.
    public let baseBytes: Int
    /// In the order of the work.
    public let stages: [Stage]

    /// Of weights that stay in memory between sounds: see `AudioLDM2Pipeline.weightBudget`.
    public var keptBytes: Int { stages.reduce(0) { $0 + $1.keptBytes } }

    /// The most at any time.
    public var peakBytes: Int { baseBytes + keptBytes + (stages.map { $0.bytes - $0.keptBytes }.max() ?? 0) }

    /// What the system allows this process at the most, in bytes; nil if that is not limited: see `SystemLimits.memory`. Plans
    /// keep within it.
    public static var processLimit: Int? { MemoryLimit.current?.bytes }

    /// Below this, not even the threads can be started.
    public static let leastForAnyWork = 48 << 20

    /// A number of bytes as it is written for people: "400M", "1.5G"; K, M and G are powers of 1024.
    /// - Returns: nil for anything else, and for nothing and less.
    public static func bytes(_ text: String) -> Int? {
        let units: [Character: Double] = ["K": 0x1p10, "M": 0x1p20, "G": 0x1p30]
        let unit = text.last.flatMap { units[Character($0.uppercased())] }
        guard let number = Double(unit == nil ? text[...] : text.dropLast()), number.isFinite, number > 0 else {
            return nil
        }
        return Int(exactly: (number * (unit ?? 1)).rounded(.up))
    }
}

extension MemoryPlan: CustomStringConvertible {
    /// One line.
    public var description: String {
        let streamed = stages.filter { $0.weights == .streamed }.map(\.name)
        var choices = guidance == .apart ? ["guidance one after the other"] : []
        if sounds > 1 { choices.append("\(sounds) sounds at once") }
        if !streamed.isEmpty {
            choices.append("weights decompressed ahead of use: " + streamed.joined(separator: ", "))
        }
        let kept = stages.filter { $0.keptBytes > 0 }.map(\.name)
        if !kept.isEmpty { choices.append("weights kept: " + kept.joined(separator: ", ")) }
        let limit = limitBytes.map { " of \(Self.mebibytes($0)) allowed" } ?? ""
        return "memory: \(Self.mebibytes(peakBytes))\(limit)" + (choices.isEmpty ? "" : "; ")
            + choices.joined(separator: "; ")
    }

    /// Bytes in the unit of limits, rounded up: "123M".
    public static func mebibytes(_ bytes: Int) -> String { "\((bytes + (1 << 20) - 1) >> 20)M" }
}
