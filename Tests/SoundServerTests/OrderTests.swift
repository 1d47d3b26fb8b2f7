import AudioLDM2
import Foundation
import SoundServer
import Testing

/// Requests, as bodies say them.
@Suite struct OrderTests {
    private func order(_ json: String, sound: AudioClip? = nil) throws -> SoundOrder {
        try JobBody.order(
            Data(json.utf8), sound: sound.map { Array(try $0.data(as: .wav)) }, limits: ServerLimits())
    }

    private let clip = AudioClip(samples: (0..<16000).map { 0.5 * sin(0.1 * Float($0)) }, sampleRate: 16000)

    private func refuses(_ body: () throws -> Void, _ status: Int, naming part: String) {
        #expect { try body() } throws: { error in
            guard let error = error as? OrderError else { return false }
            return error.status == status && error.message.contains(part)
        }
    }

    @Test func aSoundOfAPrompt() throws {
        let order = try order(#"{"prompt": "rain", "seconds": 2, "seed": 7, "format": "flac", "candidates": 2}"#)
        #expect(
            order.operation == "generate" && order.prompt == "rain" && order.format == .flac && order.candidates == 2)
        #expect(order.settings.seconds == 2 && order.settings.seed == 7)
        guard case .generate = order.work else {
            Issue.record("not a sound of a prompt")
            return
        }
    }

    @Test func changes() throws {
        func plan(_ json: String) throws -> EditPlan? {
            guard case .edit(let plan, let sound) = try order(json, sound: clip).work else { return nil }
            #expect(sound.samples.count == clip.samples.count)
            return plan
        }
        #expect(try plan(#"{"operation": "transform", "prompt": "a", "strength": 0.3}"#) == .transform(strength: 0.3))
        #expect(
            try plan(#"{"operation": "inpaint", "prompt": "a", "times": [[0.1, 0.5]], "frequencies": [3000]}"#)
                == .inpaint([0.1...0.5], frequencies: 3000...Double.infinity))
        #expect(try plan(#"{"operation": "extend", "prompt": "a", "seconds": 3}"#) == .extend(by: 3))
        #expect(try plan(#"{"operation": "upsample", "prompt": "a", "above": 4000}"#) == .upsample(above: 4000))
        #expect(
            try order(#"{"operation": "extend", "prompt": "a", "seconds": 3}"#, sound: clip).settings.seconds == nil)
    }

    @Test func whatIsWrongIsNamed() {
        refuses({ _ = try order("{") }, 400, naming: "JSON")
        refuses({ _ = try order(#"{"promt": "rain"}"#) }, 400, naming: "promt")
        refuses({ _ = try order(#"{"prompt": 3}"#) }, 400, naming: "prompt")
        refuses({ _ = try order(#"{"prompt": "a", "seed": -1}"#) }, 400, naming: "seed")
        refuses({ _ = try order(#"{"prompt": "a", "format": "mid"}"#) }, 400, naming: "wav")
        refuses({ _ = try order(#"{"prompt": "a", "operation": "delete"}"#) }, 400, naming: "transform")
        refuses({ _ = try order(#"{"prompt": "a", "operation": "transform"}"#) }, 400, naming: "sound")
        refuses({ _ = try order(#"{"prompt": "a", "operation": "inpaint"}"#, sound: clip) }, 400, naming: "times")
        for times in ["[[2, 1]]", "[[1]]", "[[1, 2, 3]]", "[[-1, 2]]"] {
            refuses(
                { _ = try order(#"{"prompt": "a", "operation": "inpaint", "times": \#(times)}"#, sound: clip) }, 400,
                naming: "times")
        }
        refuses(
            {
                _ = try JobBody.order(
                    Data(#"{"prompt": "a", "operation": "transform"}"#.utf8), sound: [1, 2, 3], limits: .init())
            },
            422, naming: "sound")
        refuses(
            {
                _ = try JobBody.order(
                    Data(#"{"prompt": "a", "operation": "score"}"#.utf8), sound: [1, 2, 3], limits: .init())
            },
            422, naming: "sound")
        // What an operation makes no use of.
        for (body, field) in [
            (#"{"prompt": "a", "strength": 0.5}"#, "strength"),
            (#"{"operation": "transform", "prompt": "a", "seconds": 2}"#, "seconds"),
            (#"{"operation": "upsample", "prompt": "a", "loop": true}"#, "loop"),
            (#"{"operation": "score", "prompt": "a", "candidates": 2}"#, "candidates"),
            (#"{"operation": "extend", "prompt": "a", "seconds": 2, "times": [[0, 1]]}"#, "times"),
        ] { refuses({ _ = try order(body, sound: clip) }, 400, naming: field) }
        refuses({ _ = try order(#"{"prompt": "a"}"#, sound: clip) }, 400, naming: "sound")
        var limits = ServerLimits()
        limits.seconds = 0.5
        refuses(
            {
                _ = try JobBody.order(
                    Data(#"{"operation": "score", "prompt": "a"}"#.utf8), sound: Array(clip.data(as: .flac)),
                    limits: limits)
            },
            422, naming: "0.5")
        refuses({ _ = try order(#"{"prompt": "a", "guidance_scale": 1e400}"#) }, 400, naming: "guidance_scale")
        // Of /v1/audio/generate alone.
        refuses({ _ = try order(#"{"prompt": "a", "stream": true}"#) }, 400, naming: "stream")
    }

    @Test func vLLMsRequests() throws {
        let (order, streams) = try PeerBodies.generate(
            Data(
                #"{"input": "a cat", "audio_length": 4, "negative_prompt": "noise", "guidance_scale": 7, "num_inference_steps": 9, "seed": 42, "response_format": "flac", "stream": true, "speed": 1}"#
                    .utf8))
        #expect(streams && order.prompt == "a cat" && order.format == .flac)
        let settings = order.settings
        #expect(settings.seconds == 4 && settings.negativePrompt == "noise" && settings.guidanceScale == 7)
        #expect(settings.numInferenceSteps == 9 && settings.seed == 42)
        refuses({ _ = try PeerBodies.generate(Data("{}".utf8)) }, 400, naming: "input")
        refuses(
            { _ = try PeerBodies.generate(Data(#"{"input": "a", "audio_start": 2}"#.utf8)) }, 400, naming: "audio_start"
        )
        refuses({ _ = try PeerBodies.generate(Data(#"{"input": "a", "seed": 1e400}"#.utf8)) }, 400, naming: "JSON")
    }

    @Test func elevenLabsRequests() throws {
        let json = Data(#"{"text": "a bell", "duration_seconds": 3, "prompt_influence": 0.3, "loop": true}"#.utf8)
        let order = try PeerBodies.soundGeneration(json, outputFormat: "flac_44100")
        #expect(order.prompt == "a bell" && order.format == .flac)
        #expect(order.settings.seconds == 3 && order.settings.loops == true)
        #expect(abs((order.settings.guidanceScale ?? 0) - 3.5) < 1e-5)
        #expect(try PeerBodies.soundGeneration(json, outputFormat: nil).format == .wav)
        refuses({ _ = try PeerBodies.soundGeneration(json, outputFormat: "aac_1") }, 400, naming: "aac")
        refuses(
            {
                _ = try PeerBodies.soundGeneration(
                    Data(#"{"text": "a", "prompt_influence": 2}"#.utf8), outputFormat: nil)
            }, 400,
            naming: "prompt_influence")
    }

    @Test func openAIsRequests() throws {
        func speech(_ json: String) throws -> SoundOrder { try PeerBodies.speech(Data(json.utf8)) }
        let order = try speech(#"{"model": "speech", "input": "Good day.", "voice": "onyx"}"#)
        #expect(
            order.settings.transcription == "Good day." && order.prompt.contains(" male ") && order.model == "speech")
        #expect(try speech(#"{"input": "a", "voice": "A child whispers"}"#).prompt == "A child whispers")
        #expect(try speech(#"{"input": "a", "voice": "nova", "instructions": "An old man"}"#).prompt == "An old man")
        refuses({ _ = try speech(#"{"input": "a", "speed": 2}"#) }, 400, naming: "speed")
        refuses({ _ = try speech(#"{"voice": "a"}"#) }, 400, naming: "input")
    }
}
