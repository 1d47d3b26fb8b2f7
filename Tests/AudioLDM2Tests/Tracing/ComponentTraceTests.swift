import AudioLDM2
import AudioLDM2Diagnostics
import Foundation
import TestSupport
import Testing

/// Single components against what diffusers recorded on the way through the whole pipeline.
@Suite struct ComponentTraceTests {
    private let golden: GoldenTensors
    private let model: String

    init() throws {
        golden = try GoldenTensors(ModelFixture.golden("tiny-2.56s"))
        model = try ModelFixture.path("tiny", .float32)
    }

    /// A golden tensor under the name of a component's input.
    private func tensor(_ name: String, from source: String) throws -> NamedTensor {
        let (shape, values) = try golden.values(source)
        return NamedTensor(name: name, shape: shape.extents, values: values)
    }

    /// Two golden tensors as a batch of two.
    private func pair(_ name: String, from source: String) throws -> NamedTensor {
        let tensors = try ["negative." + source, source].map { try tensor(name, from: $0) }
        return NamedTensor(
            name: name, shape: [2] + tensors[0].shape.dropFirst(), values: tensors.flatMap(\.values))
    }

    private func run(_ tensors: NamedTensor...) throws -> [NamedTensor] {
        try ComponentTrace(opening: model).blockingRun(tensors)
    }

    private func expect(_ made: NamedTensor, is expected: NamedTensor, within tolerance: Double = 1e-5) {
        #expect(made.shape == expected.shape, "\(made.name)")
        var (difference, norm) = (0.0, 0.0)
        for (x, y) in zip(made.values, expected.values) {
            difference += Double(x - y) * Double(x - y)
            norm += Double(y) * Double(y)
        }
        #expect((difference / norm).squareRoot() < tolerance, "\(made.name)")
    }

    @Test func clapTextEqualsTheReferences() throws {
        let ids = try tensor("clap.text.ids", from: "prompt.ids.clap")
        let mask = NamedTensor(name: "clap.text.mask", shape: ids.shape, values: ids.values.map { $0 == 1 ? 0 : 1 })
        let (masked, unmasked) = (try run(ids, mask), try run(ids))
        #expect(masked == unmasked && masked.map(\.name) == ["clap.text"])
        expect(masked[0], is: try tensor("", from: "clap.text"))
    }

    @Test func t5EqualsTheReferences() throws {
        let made = try run(tensor("t5.ids", from: "prompt.ids.second"), tensor("t5.mask", from: "second.mask"))
        expect(made[0], is: try tensor("", from: "second.hidden"))
    }

    @Test func languageOfAudioEqualsTheReferencesForABatch() throws {
        let made = try run(pair("loa.input", from: "projected"), pair("loa.mask", from: "projected.mask"))
        expect(made[0], is: try pair("", from: "loa"))
    }

    @Test func unetEqualsTheReferencesForABatch() throws {
        let noise = try tensor("", from: "latents.initial")
        let first = try #require(try golden.values("timesteps").values.first)
        let made = try run(
            NamedTensor(name: "unet.input", shape: [2] + noise.shape.dropFirst(), values: noise.values + noise.values),
            NamedTensor(name: "unet.t", shape: [2], values: [first, first]),
            pair("unet.context0", from: "loa"), pair("unet.context1", from: "second.hidden"),
            pair("unet.mask1", from: "second.mask"))
        expect(made[0], is: try tensor("", from: "unet.eps.0"))
    }

    /// The golden waveform was cut to the length that was asked for; this one is as the vocoder makes it.
    @Test func decoderAndVocoderEqualTheReferencesAndRunTogether() throws {
        let mel = try tensor("", from: "mel")
        let (frames, bands) = (mel.shape[2], mel.shape[3])
        var byBand = [Float](repeating: 0, count: frames * bands)
        for frame in 0..<frames {
            for band in 0..<bands { byBand[band * frames + frame] = mel.values[frame * bands + band] }
        }
        let made = try run(
            NamedTensor(name: "vocoder.mel", shape: [1, bands, frames], values: byBand),
            tensor("vae.latent", from: "latents.final"))
        #expect(made.map(\.name) == ["vae.mel", "vocoder.waveform"])
        expect(made[0], is: mel)
        #expect(made[1].shape == [1, 1, 160 * frames + 32])
        let waveform = try tensor("", from: "waveform")
        let cut = NamedTensor(name: "", shape: waveform.shape, values: Array(made[1].values.prefix(waveform.shape[1])))
        expect(cut, is: waveform)
    }

    @Test func phonemeEncoderEqualsTheReferences() throws {
        let golden = try GoldenTensors(ModelFixture.golden("tiny-tts-2.56s"))
        var (ids, mask) = (try golden.values("prompt.ids.second").values, try golden.values("second.mask"))
        // Recorded before the end is marked.
        ids[try #require(ids.firstIndex(of: 0))] = 182
        let shape = mask.shape.extents
        let made = try ComponentTrace(opening: ModelFixture.path("tiny-tts", .float32)).blockingRun([
            NamedTensor(name: "phoneme.ids", shape: shape, values: ids),
            NamedTensor(name: "phoneme.mask", shape: shape, values: mask.values),
        ])
        let hidden = try golden.values("second.hidden")
        #expect(made.map(\.name) == ["phoneme.hidden"])
        expect(made[0], is: NamedTensor(name: "", shape: hidden.shape.extents, values: hidden.values))
    }

    @Test func filmConditionsTheUNetOfAudioLDM1() throws {
        let golden = try GoldenTensors(ModelFixture.golden("audioldm1-tiny-2.56s"))
        func tensor(_ name: String, _ source: String) throws -> NamedTensor {
            let (shape, values) = try golden.values(source)
            return NamedTensor(name: name, shape: shape.extents, values: values)
        }
        let trace = try ComponentTrace(opening: ModelFixture.path("audioldm1-tiny", .float32))
        let timestep = NamedTensor(
            name: "unet.t", shape: [1], values: Array(try golden.values("timesteps").values.prefix(1)))
        let (input, film) = (try tensor("unet.input", "latents.initial"), try tensor("unet.film", "negative.clap.text"))
        let made = try trace.blockingRun([input, timestep, film])
        let both = try tensor("", "unet.eps.0")
        expect(
            made[0],
            is: NamedTensor(
                name: "", shape: [1] + both.shape.dropFirst(), values: Array(both.values.prefix(both.values.count / 2)))
        )
        #expect(throws: AudioLDM2Error.self) { try trace.blockingRun([input, timestep]) }
    }

    /// `TacotronSTFT` of the authors', by torch and librosa: the sound is mirrored at both ends.
    @Test(arguments: ["mel", "mel.short"]) func theSpectrogramsEndIsMirrored(name: String) throws {
        let reference = try GoldenTensors(
            Fixtures.folder("Audio").appendingPathComponent("reference.safetensors").path)
        let (wave, expected) = (try reference.values("\(name).wave").values, try reference.values("\(name).logmel"))
        let made = try run(NamedTensor(name: "mel.wave", shape: [1, wave.count], values: wave))[0]
        #expect(made.name == "mel.logmel" && made.shape == [1, 1] + expected.shape.extents)
        for (ours, theirs) in zip(made.values, expected.values) { #expect(abs(ours - theirs) < 1e-4) }
    }

    @Test func otherTensorsArePassedOver() throws {
        let folder = try TemporaryFolder()
        let ids = try tensor("t5.ids", from: "prompt.ids.second")
        let alone = try run(ids)
        // Its own outputs, and a name that means nothing.
        let others = alone + [NamedTensor(name: "note", shape: [1], values: [7])]
        #expect(try ComponentTrace(opening: model).blockingRun([ids] + others) == alone)
        let inputs = folder.file("in.safetensors")
        try GoldenTensors.write([ids] + others, to: inputs)
        let arguments = ["trace", model, "--inputs", inputs, "--output", folder.file("out.safetensors")]
        let outcome = try CommandRun("audioldm2", arguments)
        #expect(
            outcome.status == 0 && outcome.errors == "note: no component reads note, t5.hidden\n", "\(outcome.errors)")
        #expect(try GoldenTensors(folder.file("out.safetensors")).values("t5.hidden").values == alone[0].values)
        #expect(try CommandRun("audioldm2", arguments + ["--quiet"]).errors.isEmpty)
        try GoldenTensors.write(others, to: inputs)
        #expect(try CommandRun("audioldm2", arguments).failed(naming: "no component of this model reads 'note'"))
    }

    @Test func wrongInputsAreNamed() throws {
        func message(_ tensors: NamedTensor...) -> String {
            do {
                return "made \(try ComponentTrace(opening: model).blockingRun(tensors))"
            } catch { return "\(error)" }
        }
        func ids(_ values: [Float]) -> NamedTensor {
            NamedTensor(name: "t5.ids", shape: [1, values.count], values: values)
        }
        let latent = NamedTensor(name: "unet.input", shape: [1, 8, 4, 16], values: Array(repeating: 0, count: 512))
        #expect(message().contains("no tensors") && message().contains("vae.latent"))
        #expect(message(NamedTensor(name: "vea.latent", shape: [1], values: [0])).contains("'vea.latent'"))
        #expect(message(latent).contains("'unet.t' [B] is missing"))
        #expect(
            message(NamedTensor(name: "vae.latent", shape: [1, 4, 2, 2], values: Array(repeating: 0, count: 16)))
                .contains("'vae.latent' has shape [1, 4, 2, 2], expected [B, 8, T, F]"))
        #expect(message(NamedTensor(name: "vae.latent", shape: [1, 8, 0, 16], values: [])).contains("expected"))
        #expect(message(ids([3, 0.5])).contains("whole numbers"))
        #expect(message(ids([3, 1e9])).contains("whole numbers"))
        #expect(message(ids([3, .nan])).contains("whole numbers"))
        #expect(
            message(ids([3, 4]), NamedTensor(name: "t5.mask", shape: [1, 3], values: [1, 1, 1]))
                .contains("'t5.mask' has shape [1, 3], expected [B, n] where B = 1, n = 2"))
        #expect(
            message(ids([3, 4]), NamedTensor(name: "t5.mask", shape: [1, 2], values: [1, 2])).contains("padding"))
        #expect(message(NamedTensor(name: "clap.text.ids", shape: [1, 2], values: [1, 5])).contains("tokens"))
    }

    @Test func theCommandReadsAndWritesFiles() throws {
        let folder = try TemporaryFolder()
        let trace = try ComponentTrace(opening: model)
        let ids = try tensor("t5.ids", from: "prompt.ids.second")
        let inputs = folder.file("in.safetensors")
        try GoldenTensors.write([ids], to: inputs)
        let outcome = try CommandRun(
            "audioldm2", ["trace", model, "--inputs", inputs, "--output", folder.file("out.safetensors")])
        #expect(outcome.status == 0 && outcome.output.hasPrefix("t5.hidden [1, "), "\(outcome.errors)")
        let made = try trace.blockingRun([ids])[0]
        #expect(try GoldenTensors(folder.file("out.safetensors")).values("t5.hidden").values == made.values)
        let absent = folder.file("absent.safetensors")
        #expect(
            try CommandRun("audioldm2", ["trace", model, "--inputs", absent, "--output", folder.file("b")])
                .failed(naming: absent))
        #expect(try folder.contents() == ["in.safetensors", "out.safetensors"])
    }
}
