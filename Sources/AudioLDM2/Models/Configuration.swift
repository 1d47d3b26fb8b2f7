import FoundationEssentials
import Glibc
import Text

/// A component's `config.json`, decoded and checked for values that the runtime does not know.
package protocol ModelConfig: Decodable, Sendable {
    /// - Throws: `ConfigError.unsupported` for a value that would change the computation in a way we do not implement.
    func validate(component: String) throws
}

extension ModelConfig {
    /// Decodes and validates.
    /// - Throws: `ConfigError`.
    package static func read(_ json: Data, component: String) throws -> Self {
        let config: Self = try decodeConfig(json, component: component)
        try config.validate(component: component)
        return config
    }
}

/// Decodes a configuration.
/// - Throws: `ConfigError.malformed`, which names the key.
package func decodeConfig<Config: Decodable>(_ json: Data, component: String) throws -> Config {
    do {
        return try JSONDecoder().decode(Config.self, from: json)
    } catch DecodingError.keyNotFound(let key, _) {
        throw ConfigError.malformed(component: component, reason: "key '\(key.stringValue)' is missing")
    } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
        throw ConfigError.malformed(component: component, reason: wrongType(context) ?? "it is not valid JSON")
    } catch DecodingError.dataCorrupted(let context) {
        // Foundation says the same of text that is no JSON and of numbers that no type holds.
        let isJSON = (try? JSONValue(reading: json)) != nil
        let reason =
            isJSON ? "a number in it is out of range, or not a whole one where it must be" : "it is not valid JSON"
        throw ConfigError.malformed(component: component, reason: wrongType(context) ?? reason)
    }
}

private func wrongType(_ context: DecodingError.Context) -> String? {
    let path = context.codingPath.map(\.stringValue).joined(separator: ".")
    return path.isEmpty ? nil : "the value of '\(path)' has the wrong type"
}

/// A configuration that cannot be used.
package enum ConfigError: Error, CustomStringConvertible, Sendable, Equatable {
    case malformed(component: String, reason: String)
    case unsupported(component: String, key: String, value: String, supported: String)
    /// Two components that do not go together.
    case disagreement(component: String, key: String, value: String, other: String, otherValue: String)

    /// One sentence that names the file and the key.
    public var description: String {
        switch self {
        case .malformed(let component, let reason):
            "\(Self.file(component)): \(reason)"
        case .unsupported(let component, let key, let value, let supported):
            "\(Self.file(component)): '\(key)' is \(value), but this version supports only \(supported)"
        case .disagreement(let component, let key, let value, let other, let otherValue):
            "\(Self.file(component)): '\(key)' is \(value), but the \(other) of this model has \(otherValue): the two are of "
                + "different models; use parts of one"
        }
    }
}

extension ConfigError {
    /// The file that says what a component is; a converter names it itself where it lies elsewhere.
    private static func file(_ component: String) -> String {
        guard !component.hasSuffix(".json") else { return component }
        return switch component {
        case ModelDefaults.blobName: ModelDefaults.fileName
        case PartName.scheduler: "\(component)/scheduler_config.json"
        case PartName.features: "\(component)/preprocessor_config.json"
        default: "\(component)/config.json"
        }
    }
}

/// Checks one config value after another and names the first that is not supported.
struct ConfigCheck {
    let component: String

    func require<Value: Equatable>(_ key: String, _ value: Value?, isOneOf supported: [Value]) throws {
        guard let value, !supported.contains(value) else { return }
        throw ConfigError.unsupported(
            component: component, key: key, value: "\(value)",
            supported: supported.map { "\($0)" }.joined(separator: ", "))
    }

    /// Every extent bounds memory: refuse nonsense before anything is sized by it.
    func require<Value: Comparable>(_ key: String, _ value: Value, in range: ClosedRange<Value>) throws {
        guard !range.contains(value) else { return }
        throw ConfigError.unsupported(
            component: component, key: key, value: "\(value)",
            supported: "\(range.lowerBound)…\(range.upperBound)")
    }

    func require(_ key: String, _ value: Int, dividesInto total: Int, named name: String) throws {
        guard value > 0, total % value != 0 else { return }
        throw ConfigError.unsupported(
            component: component, key: key, value: "\(value)", supported: "divisors of \(name) (\(total))")
    }

    /// Frequencies of a spectrogram, in Hz.
    func require(_ keys: String, from low: Double, to high: Double, atSamplingRate samplingRate: Int) throws {
        guard low >= 0, low < high, high <= Double(samplingRate) / 2 else {
            throw ConfigError.unsupported(
                component: component, key: keys, value: "\(low), \(high)",
                supported: "a range within 0…\(samplingRate / 2)")
        }
    }
}

/// A JSON value that is either one number for all places or a list with one for each.
struct PerLevel: Decodable, Sendable, Equatable {
    private let values: [Int]
    private let isUniform: Bool

    /// The same value for all places.
    init(_ value: Int) { (values, isUniform) = ([value], true) }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let single = try? container.decode(Int.self) {
            (values, isUniform) = ([single], true)
        } else {
            (values, isUniform) = (try container.decode([Int].self), false)
        }
    }

    /// One value for each of `count` levels, or nil if the list has another length.
    func expanded(to count: Int) -> [Int]? {
        if isUniform { return Array(repeating: values[0], count: count) }
        return values.count == count ? values : nil
    }
}
