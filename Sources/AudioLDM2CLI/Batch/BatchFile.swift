import AudioLDM2
import Files
import Foundation

/// The lines of a file of prompts.
enum BatchFile {
    struct Line: Sendable {
        /// From 1, empty lines counted.
        let number: Int
        let text: String
    }

    /// - Throws: `AudioLDM2Error` for a file that cannot be read or is not UTF-8.
    static func lines(of path: String) throws -> [Line] {
        let bytes: [UInt8]
        do {
            bytes = try ReadOnce.contents(of: path)
        } catch {
            throw AudioLDM2Error(.file, "\(path): cannot be read; give a file with a JSON object per line")
        }
        return try BatchLines.split(bytes).enumerated().compactMap { index, bytes in
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw AudioLDM2Error(.file, "\(path): is not UTF-8 text; give a file with a JSON object per line")
            }
            guard text.contains(where: { !$0.isWhitespace }) else { return nil }
            return Line(number: index + 1, text: text)
        }
    }
}

/// What a line asks for.
struct BatchLine {
    let prompt: String
    /// With a seed.
    let options: GenerationOptions
    /// Sounds to make, of which the best is kept.
    let candidates: Int
    /// A file's name.
    let output: String

    /// - Parameter conditions: finds what lines refer to.
    /// - Throws: `AudioLDM2Error` that says which field is wrong.
    init(
        _ line: BatchFile.Line, defaults: GenerationOptions, seed: UInt64, format: String, conditions: BatchConditions
    ) throws {
        let fields: BatchFields
        do {
            fields = try JSONDecoder().decode(BatchFields.self, from: Data(line.text.utf8))
        } catch let error as DecodingError {
            throw AudioLDM2Error(.invalidOption, error.sentence)
        }
        prompt = fields.prompt ?? ""
        candidates = fields.candidates ?? 1
        var options = defaults
        options.condition = try conditions.condition(
            audioPrompt: fields.audioPrompt, saved: fields.condition, prompt: prompt)
        options.audioWeight = fields.audioWeight ?? options.audioWeight
        guard options.condition != nil || prompt.contains(where: { !$0.isWhitespace }) else {
            throw AudioLDM2Error(.invalidOption, "\"prompt\" is missing or empty: say what the sound should be")
        }
        guard (1...64).contains(candidates), candidates == 1 || !prompt.isEmpty else {
            throw AudioLDM2Error(
                .invalidOption, "\"candidates\" is \(candidates): choose 1 to 64, and say by a prompt which is best")
        }
        if let name = fields.profile {
            guard let profile = GenerationProfile(rawValue: name) else {
                let names = GenerationProfile.allCases.map(\.rawValue).joined(separator: ", ")
                throw AudioLDM2Error(.invalidOption, "\"profile\" is \"\(name)\"; choose one of \(names)")
            }
            let own = GenerationOptions.defaults(of: profile)
            (options.profile, options.scheduler, options.eta) = (profile, own.scheduler, own.eta)
            (options.numInferenceSteps, options.guidanceScale) = (own.numInferenceSteps, own.guidanceScale)
            (options.guidanceRescale, options.vocoder) = (own.guidanceRescale, own.vocoder)
            (options.fadeSeconds, options.silenceRetries) = (own.fadeSeconds, own.silenceRetries)
        }
        options.negativePrompt = fields.negative ?? fields.negativePrompt ?? options.negativePrompt
        options.seconds = fields.seconds ?? options.seconds
        options.seed = fields.seed ?? seed
        options.speech =
            fields.transcription.map(GenerationOptions.Speech.text)
            ?? fields.phonemes.map(GenerationOptions.Speech.phonemes) ?? options.speech
        options.windowSeconds = fields.window ?? options.windowSeconds
        options.loops = fields.loop ?? options.loops
        if let name = fields.scheduler {
            guard let scheduler = GenerationOptions.Scheduler(rawValue: name) else {
                let names = GenerationOptions.Scheduler.allCases.map(\.rawValue).joined(separator: ", ")
                throw AudioLDM2Error(.invalidOption, "\"scheduler\" is \"\(name)\"; choose one of \(names)")
            }
            options.scheduler = scheduler
            if scheduler != .ddim { options.eta = 0 }
        }
        options.numInferenceSteps = fields.steps ?? options.numInferenceSteps
        options.guidanceScale = fields.guidanceScale ?? options.guidanceScale
        options.eta = fields.eta ?? options.eta
        if let name = fields.vocoder {
            guard let vocoder = GenerationOptions.Vocoder(rawValue: name) else {
                let names = GenerationOptions.Vocoder.allCases.map(\.rawValue).joined(separator: ", ")
                throw AudioLDM2Error(.invalidOption, "\"vocoder\" is \"\(name)\"; choose one of \(names)")
            }
            options.vocoder = vocoder
        }
        options.guidanceRescale = fields.guidanceRescale ?? options.guidanceRescale
        options.fadeSeconds = fields.fade ?? options.fadeSeconds
        options.silenceRetries = fields.retries ?? options.silenceRetries
        self.options = options
        output = fields.output ?? Self.name(line.number, prompt: prompt) + "." + format
        guard !output.contains("/"),
            AudioClip.fileExtensions.contains(where: { output.lowercased().hasSuffix(".\($0)") })
        else {
            throw AudioLDM2Error(
                .invalidOption,
                "\"output\" is \"\(output)\"; give a name without a folder that ends in ."
                    + AudioClip.fileExtensions.joined(separator: ", ."))
        }
    }

    /// The line's number and the prompt's first words.
    private static func name(_ number: Int, prompt: String) -> String {
        let words = prompt.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
        var name = String(number)
        name = String(repeating: "0", count: max(0, 5 - name.count)) + name
        for word in words where name.count + word.count < 48 { name += "-" + word }
        return name
    }
}

/// A line's JSON object. Fields that nobody reads are refused: a misspelled one would be missed.
private struct BatchFields: Decodable {
    let prompt: String?
    let negative: String?
    let negativePrompt: String?
    let seconds: Double?
    let seed: UInt64?
    let steps: Int?
    let guidanceScale: Float?
    let scheduler: String?
    let eta: Float?
    let output: String?
    let transcription: String?
    let phonemes: String?
    let window: Double?
    let loop: Bool?
    let profile: String?
    let audioPrompt: String?
    let audioWeight: Float?
    let condition: String?
    let candidates: Int?
    let guidanceRescale: Float?
    let vocoder: String?
    let fade: Double?
    let retries: Int?

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case prompt, negative, seconds, seed, steps, scheduler, eta, output, transcription, phonemes, window, loop
        case profile, condition, candidates, vocoder, fade, retries
        case audioPrompt = "audio_prompt"
        case audioWeight = "audio_weight"
        case negativePrompt = "negative_prompt"
        case guidanceScale = "guidance_scale"
        case guidanceRescale = "guidance_rescale"
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        let intValue: Int? = nil
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        let known = CodingKeys.allCases.map(\.rawValue)
        for key in try decoder.container(keyedBy: AnyKey.self).allKeys where !known.contains(key.stringValue) {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: [],
                    debugDescription: "unknown field \"\(key.stringValue)\"; there are " + known.joined(separator: ", ")
                ))
        }
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func value<Value: Decodable>(_ type: Value.Type, _ key: CodingKeys) throws -> Value? {
            do {
                return try container.decodeIfPresent(type, forKey: key)
            } catch let error where !(error is DecodingError) {
                // Foundation's own, for a number that the type cannot hold; it would become "not valid JSON".
                throw DecodingError.typeMismatch(type, .init(codingPath: [key], debugDescription: ""))
            }
        }
        prompt = try value(String.self, .prompt)
        negative = try value(String.self, .negative)
        negativePrompt = try value(String.self, .negativePrompt)
        seconds = try value(Double.self, .seconds)
        seed = try value(UInt64.self, .seed)
        steps = try value(Int.self, .steps)
        guidanceScale = try value(Float.self, .guidanceScale)
        scheduler = try value(String.self, .scheduler)
        eta = try value(Float.self, .eta)
        output = try value(String.self, .output)
        transcription = try value(String.self, .transcription)
        phonemes = try value(String.self, .phonemes)
        window = try value(Double.self, .window)
        loop = try value(Bool.self, .loop)
        profile = try value(String.self, .profile)
        audioPrompt = try value(String.self, .audioPrompt)
        audioWeight = try value(Float.self, .audioWeight)
        condition = try value(String.self, .condition)
        candidates = try value(Int.self, .candidates)
        guidanceRescale = try value(Float.self, .guidanceRescale)
        vocoder = try value(String.self, .vocoder)
        fade = try value(Double.self, .fade)
        retries = try value(Int.self, .retries)
    }
}

extension DecodingError {
    /// What is wrong with a JSON object, in words.
    fileprivate var sentence: String {
        switch self {
        case .keyNotFound(let key, _): "field \"\(key.stringValue)\" is missing"
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            context.codingPath.last.map { "field \"\($0.stringValue)\" is not \(words(for: type))" }
                ?? "it is not a JSON object"
        case .dataCorrupted(let context):
            context.codingPath.last.map { "field \"\($0.stringValue)\" cannot be used" }
                ?? (context.debugDescription.hasPrefix("unknown") ? context.debugDescription : "it is not JSON")
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
