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

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case operation, model, prompt, format, candidates, times, frequencies, strength, above
    }

    /// - Parameter sound: an uploaded file's contents, for what changes or judges one.
    /// - Throws: `OrderError`.
    package static func order(_ json: Data, sound: [UInt8]? = nil, limits: ServerLimits) throws -> SoundOrder {
        do {
            let settings = try SoundSettings(json: json, besides: CodingKeys.allCases.map(\.rawValue))
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
        guard let used = Self.used[operation] else {
            let known = "generate, transform, inpaint, extend, upsample or score"
            throw OrderError(400, "\"operation\" is \(operation.prefix(100).debugDescription); choose \(known)")
        }
        if let field = fields(settings, sound).first(where: { !used.contains($0) }) {
            throw OrderError(400, "\"\(field)\" is not for \(operation)")
        }
        var settings = settings
        func clip() throws -> AudioClip {
            guard let sound else {
                throw OrderError(
                    400,
                    "\(operation) needs a sound: send a multipart form with the file in \"sound\" and this in \"request\""
                )
            }
            // Three times as much is room for it, as `AudioClip` counts.
            let room = min(limits.memoryLimit ?? .max, 3 * limits.uploadedBytes)
            return try AudioClip(data: Data(sound), memoryLimit: room, maximumSeconds: limits.seconds)
        }
        let work: SoundOrder.Work
        switch operation {
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
            work = .generate
        }
        return SoundOrder(
            operation, work, model: model, prompt: prompt ?? "", settings: settings,
            format: try SoundFormat(named: format ?? "wav"), candidates: candidates ?? 1)
    }

    /// What each operation makes use of, of what not all do.
    private static let used: [String: Set<String>] = [
        "generate": ["seconds", "loop", "format", "candidates"],
        "transform": ["strength", "sound", "format", "candidates"],
        "inpaint": ["times", "frequencies", "strength", "sound", "format", "candidates"],
        "extend": ["seconds", "sound", "format", "candidates"],
        "upsample": ["above", "sound", "format", "candidates"],
        "score": ["sound"],
    ]

    /// Names of what was sent, of what not all operations make use of.
    private func fields(_ settings: SoundSettings, _ sound: [UInt8]?) -> [String] {
        let all: [(String, Bool)] = [
            ("times", times != nil), ("frequencies", frequencies != nil), ("strength", strength != nil),
            ("above", above != nil), ("seconds", settings.seconds != nil), ("loop", settings.loops != nil),
            ("sound", sound != nil), ("format", format != nil), ("candidates", candidates != nil),
        ]
        return all.filter(\.1).map(\.0)
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
            throw OrderError(
                400, "format \(name.prefix(100).debugDescription) is not made here; choose one of \(choices)")
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
