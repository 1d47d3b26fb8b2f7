import FoundationEssentials

/// A configuration, of texts, numbers, truth values, lists and objects of them, as JSON.
struct ConfigText: Encodable {
    /// What is null in JSON.
    struct Null {}

    private let value: Any

    init(_ value: Any) { self.value = value }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch value {
        case let fields as [String: Any]: try container.encode(fields.mapValues(ConfigText.init))
        case let values as [Any]: try container.encode(values.map(ConfigText.init))
        case is Null: try container.encodeNil()
        case let value as any Encodable: try value.encode(to: encoder)
        default:
            throw EncodingError.invalidValue(
                value, .init(codingPath: encoder.codingPath, debugDescription: "\(type(of: value)) is not JSON"))
        }
    }

    func bytes() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        return Array(try encoder.encode(self))
    }
}
