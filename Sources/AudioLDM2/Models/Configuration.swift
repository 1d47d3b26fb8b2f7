import Foundation

/// A component's `config.json`, decoded and checked for values that the runtime does not know.
package protocol ModelConfig: Decodable, Sendable {
    /// - Throws: `ConfigError.unsupported` for a value that would change the computation in a way we do not implement.
    func validate(component: String) throws
}

extension ModelConfig {
    /// Decodes and validates.
    /// - Throws: `ConfigError`.
    package static func read(_ json: Data, component: String) throws -> Self {
        let config: Self
        do {
            config = try JSONDecoder().decode(Self.self, from: json)
        } catch {
            throw ConfigError.malformed(component: component, reason: describe(error))
        }
        try config.validate(component: component)
        return config
    }

    private static func describe(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        switch error {
        case .keyNotFound(let key, _): return "key '\(key.stringValue)' is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            return path.isEmpty ? "it is not valid JSON" : "the value of '\(path)' has the wrong type"
        @unknown default: return "\(error)"
        }
    }
}

/// A configuration that cannot be used.
public enum ConfigError: Error, CustomStringConvertible, Sendable, Equatable {
    case malformed(component: String, reason: String)
    case unsupported(component: String, key: String, value: String, supported: String)

    public var description: String {
        switch self {
        case .malformed(let component, let reason):
            "\(component)/config.json: \(reason)"
        case .unsupported(let component, let key, let value, let supported):
            "\(component)/config.json: '\(key)' is \(value), but this version supports only \(supported)"
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
    func require(_ key: String, _ value: Int, in range: ClosedRange<Int>) throws {
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
}

/// A JSON value that is either one number for all places or a list with one for each.
struct PerLevel: Decodable, Sendable, Equatable {
    private let values: [Int]
    private let isUniform: Bool

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
