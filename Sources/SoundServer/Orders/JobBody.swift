import AudioLDM2
import FoundationEssentials

/// The body of a job: a JSON object with the settings of a sound, by the names that lines of `audioldm2 batch` have, and what
/// is to be done.
package struct JobBody: Decodable, Sendable {
    /// "generate" if it is not said.
    let operation: String?
    let model: String?
    let prompt: String?
    let format: String?
    let candidates: Int?
    /// Of `inpaint`: parts to make anew, each from and to, in seconds.
    let times: [[Double]]?
    /// Of `inpaint`: the band to make anew, from and to, in Hz.
    let frequencies: [Double]?
    /// Of `transform` and `inpaint`.
    let strength: Double?
    /// Of `upsample`: the frequency above which sound is made, in Hz.
    let above: Double?

    /// Names of fields that `SoundSettings` does not have.
    static let fields = [
        "operation", "model", "prompt", "format", "candidates", "times", "frequencies", "strength", "above",
    ]

    /// - Parameter sound: an uploaded file's contents, for what changes or judges one.
    /// - Throws: `OrderError`.
    package static func order(_ json: Data, sound: [UInt8]? = nil, limits: ServerLimits) throws -> SoundOrder {
        do {
            let settings = try SoundSettings(json: json, besides: fields)
            let body = try JSONDecoder().decode(JobBody.self, from: json)
            return try body.order(settings, sound: sound, limits: limits)
        } catch let error as AudioLDM2Error {
            throw OrderError(error)
        } catch let error as DecodingError {
            throw OrderError(400, error.sentence)
        }
    }

    private func order(_ settings: SoundSettings, sound: [UInt8]?, limits: ServerLimits) throws -> SoundOrder {
        let operation = operation ?? "generate"
        var settings = settings
        func clip() throws -> AudioClip {
            guard let sound else {
                throw OrderError(
                    400,
                    "\(operation) needs a sound: send a multipart form with the file in \"sound\" and this in \"request\""
                )
            }
            return try AudioClip(data: Data(sound), memoryLimit: limits.memoryLimit)
        }
        let work: SoundOrder.Work
        switch operation {
        case "generate":
            work = .generate
        case "transform":
            work = .edit(.transform(strength: strength ?? 0.5), try clip())
        case "inpaint":
            guard times != nil || frequencies != nil else {
                throw OrderError(400, "inpaint needs \"times\" or \"frequencies\": what is to be made anew")
            }
            let band = try frequencies.map { try Self.range($0, "frequencies", .infinity) }
            let parts = try times?.map { try Self.range($0, "times", nil) }
            work = .edit(.inpaint(parts, frequencies: band, strength: strength ?? 1), try clip())
        case "extend":
            guard let seconds = settings.seconds else {
                throw OrderError(400, "extend needs \"seconds\": how many are to be added")
            }
            settings.seconds = nil
            work = .edit(.extend(by: seconds), try clip())
        case "upsample":
            work = .edit(.upsample(above: above), try clip())
        case "score":
            work = .score(try clip())
        default:
            throw OrderError(
                400,
                "\"operation\" is \(operation.debugDescription); choose generate, transform, inpaint, extend, upsample or score"
            )
        }
        return SoundOrder(
            operation, work, model: model, prompt: prompt ?? "", settings: settings,
            format: try SoundFormat(named: format ?? "wav"), candidates: candidates ?? 1)
    }

    /// Two numbers as a range.
    /// - Parameter end: what an absent second number stands for; nil if there must be one.
    private static func range(_ numbers: [Double], _ field: String, _ end: Double?) throws -> ClosedRange<Double> {
        let last = numbers.count == 2 ? numbers[1] : numbers.count == 1 ? end : nil
        guard let first = numbers.first, let last, first >= 0, first < last else {
            throw OrderError(400, "\"\(field)\": give pairs of numbers, the lower one first")
        }
        return first...last
    }
}

extension SoundFormat {
    /// - Throws: `OrderError` that lists the choices.
    init(named name: String) throws {
        guard let format = SoundFormat(rawValue: name) else {
            let choices = SoundFormat.allCases.map(\.rawValue).joined(separator: ", ")
            throw OrderError(400, "format \(name.debugDescription) is not made here; choose one of \(choices)")
        }
        self = format
    }

    /// As HTTP calls it.
    package var mediaType: String {
        switch rawValue {
        case "wav": "audio/wav"
        case "flac": "audio/flac"
        case "ogg": "audio/ogg"
        case "opus": "audio/ogg; codecs=opus"
        case "mp3": "audio/mpeg"
        case "aiff": "audio/aiff"
        default: "application/octet-stream"
        }
    }
}
