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
            field(context).map { "field \"\($0)\" is not \(words(for: type))" } ?? "it is not a JSON object"
        case .dataCorrupted(let context):
            field(context).map {
                "field \"\($0)\" cannot be used"
                    + (context.debugDescription.isEmpty ? "" : ": \(context.debugDescription)")
            }
                ?? (context.underlyingError as? AudioLDM2Error)?.description
                ?? "it is not JSON, or has a number that is out of range"
        @unknown default: "it is not JSON"
        }
    }

    /// The last name on the way to a value, which may be an element of a list.
    private func field(_ context: Context) -> String? { context.codingPath.last { $0.intValue == nil }?.stringValue }

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

extension SoundSettings {
    /// - Parameter others: names of fields that somebody else reads.
    package init(from decoder: any Decoder, besides others: [String]) throws {
        let known = Field.allCases.map(\.rawValue) + others
        if let fault = try decoder.container(keyedBy: AnyField.self).unknownField(besides: known.sorted()) {
            throw Self.refusal(fault)
        }
        let container = try decoder.container(keyedBy: Field.self)
        func value<Value: Decodable>(_ field: Field) throws -> Value? { try container.valueIfPresent(for: field) }
        func choice<Value: CaseIterable & RawRepresentable<String>>(_ field: Field) throws -> Value? {
            guard let name: String = try value(field) else { return nil }
            guard let choice = Value(rawValue: name) else {
                let names = Value.allCases.map(\.rawValue).joined(separator: ", ")
                throw Self.refusal("\"\(field.rawValue)\" is \"\(name)\"; choose one of \(names)")
            }
            return choice
        }
        negativePrompt = try value(.negativePrompt)
        profile = try choice(.profile)
        seconds = try value(.seconds)
        seed = try value(.seed)
        numInferenceSteps = try value(.numInferenceSteps)
        guidanceScale = try value(.guidanceScale)
        guidanceRescale = try value(.guidanceRescale)
        guidanceInterval = try value(.guidanceInterval)
        scheduler = try choice(.scheduler)
        quality = try choice(.quality)
        eta = try value(.eta)
        vocoder = try choice(.vocoder)
        windowSeconds = try value(.windowSeconds)
        loops = try value(.loops)
        fadeSeconds = try value(.fadeSeconds)
        fadeInSeconds = try value(.fadeInSeconds)
        fadeOutSeconds = try value(.fadeOutSeconds)
        trimsSilence = try value(.trimsSilence)
        if let text: String = try value(.normalization) {
            guard let level = SoundOptions.Normalization(rawValue: text) else {
                throw Self.refusal(
                    "\"\(Field.normalization.rawValue)\" is \"\(text)\"; choose peak:-60 to peak:0 or lufs:-60 to lufs:0"
                )
            }
            normalization = level
        }
        sampleRate = try value(.sampleRate)
        // A number, or a word.
        if let number = try? container.decodeIfPresent(Int.self, forKey: .encoding) {
            encoding = try Self.encoding("\(number)")
        } else if let text: String = try value(.encoding) {
            encoding = try Self.encoding(text)
        }
        silenceRetries = try value(.silenceRetries)
        transcription = try value(.transcription)
        phonemes = try value(.phonemes)
        audioWeight = try value(.audioWeight)
    }

    private static func encoding(_ bits: String) throws -> SoundFormat.Encoding {
        guard let encoding = SoundFormat.Encoding(bits: bits) ?? SoundFormat.Encoding(rawValue: bits) else {
            throw refusal("\"\(Field.encoding.rawValue)\" is \"\(bits)\"; choose 16, 24 or float")
        }
        return encoding
    }

    private static func refusal(_ text: String) -> DecodingError {
        .dataCorrupted(
            .init(codingPath: [], debugDescription: text, underlyingError: AudioLDM2Error(.invalidOption, text)))
    }
}

extension KeyedDecodingContainer {
    /// A field's value, nil where there is none.
    /// - Throws: `DecodingError` with the field in its path.
    package func valueIfPresent<Value: Decodable>(for field: Key) throws -> Value? {
        do {
            return try decodeIfPresent(Value.self, forKey: field)
        } catch let error where !(error is DecodingError) {
            // Foundation's own, for a number that the type cannot hold; it would become "not valid JSON".
            throw DecodingError.typeMismatch(Value.self, .init(codingPath: [field], debugDescription: ""))
        }
    }
}

/// The name of a field, whatever it is.
package struct AnyField: CodingKey {
    package let stringValue: String
    package let intValue: Int? = nil

    package init(stringValue: String) { self.stringValue = stringValue }

    package init?(intValue: Int) { nil }
}

extension KeyedDecodingContainer<AnyField> {
    /// What is wrong with the names of the fields, in words: one that is none of those that there may be.
    package func unknownField(besides known: [String]) -> String? {
        allKeys.first { !known.contains($0.stringValue) }.map { field in
            "unknown field \"\(field.stringValue)\"; there are " + known.joined(separator: ", ")
        }
    }
}
