/// A JSON value, for configs whose keys are not all known.
package enum ConfigValue: Decodable, Hashable, Sendable, CustomStringConvertible {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case list([ConfigValue])
    case object([String: ConfigValue])

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([ConfigValue].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: ConfigValue].self))
        }
    }

    package var description: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let value): Int(exactly: value).map(String.init) ?? "\(value)"
        case .string(let value): "\"\(value)\""
        case .list(let values): "[" + values.map(\.description).joined(separator: ", ") + "]"
        case .object: "an object"
        }
    }
}

/// The fields of a JSON object, read by name with a check of type and range. Absent and null fields count as not given.
struct ConfigFields: Hashable, Sendable {
    let values: [String: ConfigValue]

    subscript(key: String) -> ConfigValue? {
        switch values[key] {
        case nil, .null: nil
        case let value: value
        }
    }

    func bool(_ key: String) throws -> Bool? {
        switch self[key] {
        case nil: nil
        case .bool(let value): value
        case let value: throw Self.invalid(key, value, expected: "true or false")
        }
    }

    func number(_ key: String, in range: ClosedRange<Double>) throws -> Double? {
        switch self[key] {
        case nil: return nil
        case .number(let value) where range.contains(value): return value
        case let value:
            throw Self.invalid(key, value, expected: "a number from \(range.lowerBound) to \(range.upperBound)")
        }
    }

    func integer(_ key: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let value = self[key] else { return nil }
        guard case .number(let number) = value, let integer = Int(exactly: number), range.contains(integer) else {
            throw Self.invalid(
                key, value, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }

    func choice<Choice>(_ key: String) throws -> Choice?
    where Choice: RawRepresentable<String> & CaseIterable {
        guard let value = self[key] else { return nil }
        guard case .string(let name) = value, let choice = Choice(rawValue: name) else {
            let names = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            throw Self.invalid(key, value, expected: "one of \(names)")
        }
        return choice
    }

    func numbers(_ key: String, in range: ClosedRange<Double>) throws -> [Double]? {
        guard let value = self[key] else { return nil }
        guard case .list(let items) = value else { throw Self.invalid(key, value, expected: "a list of numbers") }
        return try items.enumerated().map { index, item in
            guard case .number(let number) = item, range.contains(number) else {
                throw Self.invalid(
                    "\(key)[\(index)]", item, expected: "a number from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }
    }

    private static func invalid(_ key: String, _ value: ConfigValue?, expected: String) -> SchedulerError {
        .invalidField(key: key, found: value?.description ?? "missing", expected: expected)
    }
}
