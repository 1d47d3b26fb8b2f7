import FoundationEssentials

extension SoundSettings {
    /// Settings in a JSON object: of a request's body, or of a line of a file.
    /// - Parameter others: names of fields that somebody else reads, such as "prompt".
    /// - Throws: `AudioLDM2Error` of kind `.invalidOption` that names the field: one that is unknown, of another type, or no
    ///   choice.
    public init(json: Data, besides others: [String] = []) throws {
        let decoder = JSONDecoder()
        if let key = Self.othersKey { decoder.userInfo[key] = others }
        do {
            self = try decoder.decode(SoundSettings.self, from: json)
        } catch let error as DecodingError {
            throw AudioLDM2Error(.invalidOption, error.sentence)
        }
    }

    /// Where a decoder finds the names of fields that somebody else reads.
    private static var othersKey: CodingUserInfoKey? { CodingUserInfoKey(rawValue: "AudioLDM2.SoundSettings.others") }

    /// - Throws: `DecodingError`; for an unknown field or choice its `underlyingError` is an `AudioLDM2Error` that says so.
    public init(from decoder: any Decoder) throws {
        let others = Self.othersKey.flatMap { decoder.userInfo[$0] as? [String] }
        try self.init(from: decoder, besides: others ?? [])
    }
}

extension DecodingError {
    /// What is wrong with a JSON object, in words.
    package var sentence: String {
        switch self {
        case .keyNotFound(let key, _): "field \"\(key.stringValue)\" is missing"
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            context.codingPath.last.map { "field \"\($0.stringValue)\" is not \(words(for: type))" }
                ?? "it is not a JSON object"
        case .dataCorrupted(let context):
            context.codingPath.last.map { "field \"\($0.stringValue)\" cannot be used" }
                ?? (context.underlyingError as? AudioLDM2Error)?.description ?? "it is not JSON"
        @unknown default: "it is not JSON"
        }
    }

    private func words(for type: Any.Type) -> String {
        switch type {
        case is String.Type: "a text"
        case is Bool.Type: "true or false"
        case is Int.Type: "a whole number"
        case is UInt64.Type: "a whole number from 0 to 2^64 - 1"
        default: "a number"
        }
    }
}
