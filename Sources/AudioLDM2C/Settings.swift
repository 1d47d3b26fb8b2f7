import AudioLDM2
import FoundationEssentials

/// How a model is to be opened.
struct OpeningSettings {
    private(set) var threads: Int?
    private(set) var device: String?
    private(set) var weightBudget: Int?

    /// - Throws: `AudioLDM2Error` of kind `.invalidOption` that names the field.
    init(json: String?) throws {
        guard let json else { return }
        let fields = try JSONFields(json, known: ["threads", "device", "weight_budget"])
        threads = try fields.number("threads", in: AudioLDM2Pipeline.threadsRange)
        device = try fields.value("device")
        weightBudget = try fields.number("weight_budget", in: 0...Int.max)
    }

    /// - Throws: `AudioLDM2Error` for what names no device.
    func computeDevice() throws -> ComputeDevice? {
        guard let device else { return nil }
        guard let known = ComputeDevice(device) else {
            throw AudioLDM2Error(.invalidOption, "\"device\" is \"\(device)\"; choose auto, cpu, cuda or cuda:N")
        }
        return known
    }
}

/// How a sound is to be made: the fields of `SoundSettings`, and those that are about the machine.
struct MakingSettings {
    private(set) var sound = SoundSettings()
    private(set) var memoryLimit: Int?

    /// - Throws: `AudioLDM2Error` of kind `.invalidOption` that names the field.
    init(json: String?) throws {
        guard let json else { return }
        sound = try SoundSettings(json: Data(json.utf8), besides: ["memory_limit"])
        memoryLimit = try JSONFields(json).number("memory_limit", in: 1...Int.max)
    }

    func options(of pipeline: AudioLDM2Pipeline) throws -> SoundOptions {
        var options = try sound.options(profile: pipeline.profile)
        options.memoryLimit = memoryLimit
        return options
    }
}

/// The fields of a JSON object.
private struct JSONFields {
    private let container: KeyedDecodingContainer<AnyField>

    /// - Parameter known: the fields that there may be; nil for any.
    /// - Throws: `AudioLDM2Error` for what is no JSON object, or has another field.
    init(_ json: String, known: [String]? = nil) throws {
        container = try Self.translating { try JSONDecoder().decode(Opened.self, from: Data(json.utf8)).container }
        if let known, let fault = container.unknownField(besides: known) {
            throw AudioLDM2Error(.invalidOption, fault)
        }
    }

    func value<Value: Decodable>(_ name: String) throws -> Value? {
        try Self.translating { try container.valueIfPresent(for: AnyField(stringValue: name)) }
    }

    func number(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let number: Int = try value(name) else { return nil }
        guard range.contains(number) else {
            let most = range.upperBound == .max ? " or more" : " to \(range.upperBound)"
            throw AudioLDM2Error(.invalidOption, "\"\(name)\" \(number): choose \(range.lowerBound)\(most)")
        }
        return number
    }

    private static func translating<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as DecodingError {
            throw AudioLDM2Error(.invalidOption, error.sentence)
        }
    }

    private struct Opened: Decodable {
        let container: KeyedDecodingContainer<AnyField>

        init(from decoder: any Decoder) throws { container = try decoder.container(keyedBy: AnyField.self) }
    }
}
