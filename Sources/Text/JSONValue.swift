import FoundationEssentials

/// JSON of any kind, for files of which not all is known.
package enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    /// Nil for a number that Swift cannot hold.
    case number(Double?)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// - Throws: `DecodingError` for what is no JSON.
    package init(reading json: Data) throws { self = try JSONDecoder().decode(JSONValue.self, from: json) }

    package var string: String? { if case .string(let text) = self { text } else { nil } }

    package var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }

    package var object: [String: JSONValue]? { if case .object(let fields) = self { fields } else { nil } }
}

extension JSONValue: Decodable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let text = try? container.decode(String.self) {
            self = .string(text)
        } else if let isTrue = try? container.decode(Bool.self) {
            self = .bool(isTrue)
        } else if let fields = try? container.decode([String: JSONValue].self) {
            self = .object(fields)
        } else if let values = try? container.decode([JSONValue].self) {
            self = .array(values)
        } else {
            self = .number(try? container.decode(Double.self))
        }
    }
}
