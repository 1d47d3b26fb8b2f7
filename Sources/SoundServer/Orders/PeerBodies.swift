import AudioLDM2
import FoundationEssentials

/// Requests as other programs' clients send them. Fields that they have and we do not are passed over, as those programs do.
package enum PeerBodies {
    /// vLLM-Omni's `/v1/audio/generate`; our own `prompt` and `quality` are taken as well.
    private struct Generate: Decodable {
        let input: String?
        let prompt: String?
        let model: String?
        let responseFormat: String?
        let audioLength: Double?
        let audioStart: Double?
        let negativePrompt: String?
        let guidanceScale: Float?
        let numInferenceSteps: Int?
        let seed: UInt64?
        let stream: Bool?
        let quality: String?

        enum CodingKeys: String, CodingKey {
            case input, prompt, model, seed, stream, quality
            case responseFormat = "response_format"
            case audioLength = "audio_length"
            case audioStart = "audio_start"
            case negativePrompt = "negative_prompt"
            case guidanceScale = "guidance_scale"
            case numInferenceSteps = "num_inference_steps"
        }
    }

    /// ElevenLabs' and LocalAI's `/v1/sound-generation`.
    private struct SoundGeneration: Decodable {
        let text: String
        let modelId: String?
        let durationSeconds: Double?
        let promptInfluence: Float?
        let loop: Bool?
        let seed: UInt64?

        enum CodingKeys: String, CodingKey {
            case text, loop, seed
            case modelId = "model_id"
            case durationSeconds = "duration_seconds"
            case promptInfluence = "prompt_influence"
        }
    }

    /// OpenAI's `/v1/audio/speech`.
    private struct Speech: Decodable {
        let input: String
        let model: String?
        let voice: String?
        let instructions: String?
        let responseFormat: String?
        let speed: Double?
        let seed: UInt64?

        enum CodingKeys: String, CodingKey {
            case input, model, voice, instructions, speed, seed
            case responseFormat = "response_format"
        }
    }

    /// - Returns: the order, and whether the sound is to be sent while it is made.
    /// - Throws: `OrderError`.
    package static func generate(_ json: Data) throws -> (order: SoundOrder, streams: Bool) {
        let body = try decode(Generate.self, json)
        guard let prompt = body.input ?? body.prompt else {
            throw OrderError(400, "field \"input\" is missing: what the sound should be")
        }
        guard (body.audioStart ?? 0) == 0 else {
            throw OrderError(400, "\"audio_start\": sounds begin at 0 here")
        }
        var settings = SoundSettings()
        settings.seconds = body.audioLength
        settings.negativePrompt = body.negativePrompt
        settings.guidanceScale = body.guidanceScale
        settings.numInferenceSteps = body.numInferenceSteps
        settings.seed = body.seed
        settings.quality = try body.quality.map { name in
            guard let quality = SoundOptions.Quality(rawValue: name) else {
                throw OrderError(400, "\"quality\" is \(name.debugDescription); choose exact, fast or faster")
            }
            return quality
        }
        let order = SoundOrder(
            "generate", .generate, model: body.model, prompt: prompt, settings: settings,
            format: try SoundFormat(named: body.responseFormat ?? "wav"))
        return (order, body.stream ?? false)
    }

    /// - Parameter outputFormat: the query's `output_format`, such as "mp3_44100_128", of which the first part counts: what is
    ///   made has the model's rate.
    /// - Throws: `OrderError`.
    package static func soundGeneration(_ json: Data, outputFormat: String?) throws -> SoundOrder {
        let body = try decode(SoundGeneration.self, json)
        var settings = SoundSettings()
        settings.seconds = body.durationSeconds
        settings.loops = body.loop
        settings.seed = body.seed
        settings.guidanceScale = try body.promptInfluence.map { influence in
            guard (0...1).contains(influence) else {
                throw OrderError(400, "\"prompt_influence\" is \(influence); choose 0 to 1")
            }
            // Their default of 0.3 is ours of 3.5; at 0 the prompt has no more say than without guidance.
            return 1 + influence * 2.5 / 0.3
        }
        let name = outputFormat.map { String($0.prefix { $0 != "_" }) }
        return SoundOrder(
            "generate", .generate, model: body.modelId, prompt: body.text, settings: settings,
            format: try SoundFormat(named: name ?? "wav"))
    }

    /// - Throws: `OrderError`.
    package static func speech(_ json: Data) throws -> SoundOrder {
        let body = try decode(Speech.self, json)
        guard (body.speed ?? 1) == 1 else {
            throw OrderError(400, "\"speed\" is \(body.speed ?? 1); only 1 can be had")
        }
        var settings = SoundSettings()
        settings.transcription = body.input
        settings.seed = body.seed
        return SoundOrder(
            "generate", .generate, model: body.model, prompt: body.instructions ?? speaker(body.voice ?? ""),
            settings: settings, format: try SoundFormat(named: body.responseFormat ?? "wav"))
    }

    /// Who speaks, for a voice by OpenAI's names; any other is taken for a description.
    private static func speaker(_ voice: String) -> String {
        switch voice {
        case "", "alloy", "coral", "nova", "sage", "shimmer": "A female reporter is speaking"
        case "ash", "ballad", "echo", "fable", "onyx", "verse": "A male reporter is speaking"
        default: voice
        }
    }

    private static func decode<Body: Decodable>(_ type: Body.Type, _ json: Data) throws -> Body {
        do {
            return try JSONDecoder().decode(type, from: json)
        } catch let error as DecodingError {
            throw OrderError(400, error.sentence)
        } catch {
            // Foundation's own, for numbers that a type cannot hold.
            throw OrderError(400, "a number is out of range")
        }
    }
}
