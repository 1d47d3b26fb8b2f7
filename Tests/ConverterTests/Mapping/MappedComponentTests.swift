import AudioLDM2Converter
import Tensors
import TestSupport
import Testing

@Suite struct MappedComponentTests {
    private func component(
        _ className: String, _ weights: [String: WeightRole], _ source: MemorySource
    ) throws -> MappedComponent {
        try MappedComponent(className, weights: weights, source: source)
    }

    private static let unet = "AudioLDM2UNet2DConditionModel"

    @Test func namesThatAgreeNeedNoRule() throws {
        let source = MemorySource(shapes: ["conv_in.bias": [3], "proj.weight": [3, 2]])
        let mapped = try component(
            Self.unet, ["conv_in.bias": .vector(count: 3), "proj.weight": .matrix(outputs: 3, inputs: 2)], source)
        for key in source.contents.keys { #expect(try mapped.open(key).values() == source.contents[key]?.values) }
    }

    @Test func fusesInTheOrderOfTheRuntime() throws {
        let source = MemorySource([
            "a.attn1.to_v.weight": ([1, 2], [5, 6]), "a.attn1.to_q.weight": ([1, 2], [1, 2]),
            "a.attn1.to_k.weight": ([1, 2], [3, 4]), "a.attn2.to_k.weight": ([2, 1], [7, 8]),
            "a.attn2.to_v.weight": ([2, 1], [9, 10]),
        ])
        let mapped = try component(
            Self.unet,
            [
                "a.attn1.to_qkv.weight": .matrix(outputs: 3, inputs: 2),
                "a.attn2.to_kv.weight": .matrix(outputs: 4, inputs: 1),
            ], source)
        #expect(try mapped.open("a.attn1.to_qkv.weight").values() == [1, 2, 3, 4, 5, 6])
        #expect(try mapped.open("a.attn2.to_kv.weight").values() == [7, 8, 9, 10])
        var middle: [Float] = [0, 0]
        try middle.withUnsafeMutableBufferPointer { try mapped.open("a.attn2.to_kv.weight").read(1..<3, into: $0) }
        #expect(middle == [8, 9])
    }

    @Test func gatesOfT5ComeAfterValues() throws {
        let source = MemorySource([
            "encoder.embed_tokens.weight": ([2, 1], [1, 2]),
            "encoder.block.0.layer.1.DenseReluDense.wi_0.weight": ([1, 1], [3]),
            "encoder.block.0.layer.1.DenseReluDense.wi_1.weight": ([1, 1], [4]),
        ])
        let mapped = try component(
            "T5EncoderModel",
            [
                "shared.weight": .table(rows: 2, width: 1),
                "encoder.block.0.layer.1.DenseReluDense.wi.weight": .matrix(outputs: 2, inputs: 1),
            ], source)
        #expect(try mapped.open("shared.weight").values() == [1, 2])
        #expect(try mapped.open("encoder.block.0.layer.1.DenseReluDense.wi.weight").values() == [4, 3])
    }

    /// transformers 5 does not tie tables that differ, and its encoder reads its own.
    @Test(
        arguments: [
            (["shared.weight": 1, "encoder.embed_tokens.weight": 2], 2), (["shared.weight": 1], 1),
            (["encoder.embed_tokens.weight": 2], 2),
            (["shared.weight": 1, "decoder.embed_tokens.weight": 3, "lm_head.weight": 4], 1),
        ] as [([String: Float], Float)])
    func theEncodersOwnEmbeddingIsReadWhereT5IsNotTied(tables: [String: Float], expected: Float) throws {
        let source = MemorySource(tables.mapValues { ([2, 1], [$0, $0]) })
        let mapped = try component("T5EncoderModel", ["shared.weight": .table(rows: 2, width: 1)], source)
        #expect(try mapped.open("shared.weight").values() == [expected, expected])
    }

    @Test(arguments: ["transformer.", ""]) func gpt2(prefix: String) throws {
        let source = MemorySource([
            prefix + "h.0.attn.c_attn.weight": ([2, 3], [1, 2, 3, 4, 5, 6]),
            prefix + "h.0.attn.c_attn.bias": ([3], [7, 8, 9]),
            prefix + "h.0.attn.bias": ([1, 1, 2, 2], [1, 0, 1, 1]),
            prefix + "wte.weight": ([2, 2], [0, 0, 0, 0]),
            "lm_head.weight": ([2, 2], [0, 0, 0, 0]),
        ])
        let mapped = try component(
            "GPT2LMHeadModel",
            [
                "transformer.h.0.attn.c_attn.weight": .matrix(outputs: 3, inputs: 2),
                "transformer.h.0.attn.c_attn.bias": .vector(count: 3),
            ], source)
        #expect(try mapped.open("transformer.h.0.attn.c_attn.weight").values() == [1, 4, 2, 5, 3, 6])
        #expect(try mapped.open("transformer.h.0.attn.c_attn.bias").values() == [7, 8, 9])
    }

    @Test func olderNamesOfTheAutoencoder() throws {
        let names = ["query", "key", "value", "proj_attn"].map { "decoder.mid_block.attentions.0.\($0).weight" }
        let shapes =
            names.map { ($0, [2, 2, 1, 1] as Shape) } + [("encoder.conv_in.weight", [1]), ("quant_conv.bias", [1])]
        let source = MemorySource(shapes: Dictionary(uniqueKeysWithValues: shapes))
        let mapped = try component(
            "AutoencoderKL",
            [
                "decoder.mid_block.attentions.0.to_qkv.weight": .matrix(outputs: 6, inputs: 2),
                "decoder.mid_block.attentions.0.to_out.0.weight": .matrix(outputs: 2, inputs: 2),
            ], source)
        #expect(
            try mapped.open("decoder.mid_block.attentions.0.to_qkv.weight").values()
                == names.prefix(3).flatMap { source.contents[$0]?.values ?? [] })
    }

    @Test func channelsGoLast() throws {
        let (outputs, inputs, height, width) = (5, 3, 2, 4)
        let source = MemorySource(shapes: ["w": [5, 3, 2, 4]])
        let stored = source.contents["w"]?.values ?? []
        let mapped = try component(
            Self.unet,
            ["w": .convolution(outputs: outputs, kernelHeight: height, kernelWidth: width, inputs: inputs)], source)
        var expected: [Float] = []
        for o in 0..<outputs {
            for y in 0..<height {
                for x in 0..<width {
                    for i in 0..<inputs { expected.append(stored[((o * inputs + i) * height + y) * width + x]) }
                }
            }
        }
        #expect(try mapped.open("w").values() == expected)
    }

    @Test func convolutionsOfFewerAxes() throws {
        let source = MemorySource(["line": ([1, 2, 3], [1, 2, 3, 4, 5, 6]), "point": ([1, 2], [7, 8])])
        let mapped = try component(
            Self.unet,
            [
                "line": .convolution(outputs: 1, kernelHeight: 3, kernelWidth: 1, inputs: 2),
                "point": .convolution(outputs: 1, kernelHeight: 1, kernelWidth: 1, inputs: 2),
            ], source)
        #expect(try mapped.open("line").values() == [1, 4, 2, 5, 3, 6])
        #expect(try mapped.open("point").values() == [7, 8])
    }

    /// Upsampling with the rewritten weight gives what the definition of a transposed convolution does.
    @Test(arguments: [(16, 5), (16, 4), (8, 2), (4, 2), (3, 3), (5, 2)])
    func transposedConvolutions(kernel: Int, stride: Int) throws {
        let (inputs, outputs, time) = (3, 2, 6)
        let source = MemorySource(
            shapes: ["upsampler.0.weight": [inputs, outputs, kernel], "upsampler.0.bias": [outputs]]
                .mapValues { (extents: [Int]) in Shape(extents) })
        let role = WeightRole.transposedConvolution(outputs: outputs, kernel: kernel, stride: stride, inputs: inputs)
        let mapped = try component(
            "SpeechT5HifiGan",
            ["upsampler.0.weight": role, "upsampler.0.bias": .vector(count: stride * outputs)], source)
        let w = source.contents["upsampler.0.weight"]?.values ?? []
        let bias = source.contents["upsampler.0.bias"]?.values ?? []
        #expect(
            try mapped.open("upsampler.0.bias").values() == Array(repeating: bias, count: stride).flatMap { $0 })

        var random = SplitMix(seed: 3)
        let x = random.normal(time * inputs)
        var expected = [Float](repeating: 0, count: ((time - 1) * stride + kernel) * outputs)
        for t in 0..<time {
            for i in 0..<inputs {
                for o in 0..<outputs {
                    for k in 0..<kernel {
                        expected[(t * stride + k) * outputs + o] +=
                            x[t * inputs + i] * w[(i * outputs + o) * kernel + k]
                    }
                }
            }
        }
        let rewritten = try mapped.open("upsampler.0.weight").values()
        let taps = role.taps
        var found: [Float] = []
        for frame in -(taps - 1)..<time {
            for row in 0..<stride * outputs {
                var sum: Float = 0
                for tap in 0..<taps where (0..<time).contains(frame + tap) {
                    for i in 0..<inputs {
                        sum += rewritten[(row * taps + tap) * inputs + i] * x[(frame + tap) * inputs + i]
                    }
                }
                found.append(sum)
            }
        }
        #expect(found.count >= expected.count)
        for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-4) }
    }

    @Test func normalizedWeightsAreMerged() throws {
        let source = MemorySource(["conv_pre.weight_g": ([1, 1, 1], [10]), "conv_pre.weight_v": ([1, 2, 1], [3, 4])])
        let mapped = try component(
            "SpeechT5HifiGan",
            ["conv_pre.weight": .convolution(outputs: 1, kernelHeight: 1, kernelWidth: 1, inputs: 2)], source)
        #expect(try mapped.open("conv_pre.weight").values() == [6, 8])
    }

    @Test func leftoversAreDropped() throws {
        let source = MemorySource(shapes: [
            "text_model.embeddings.position_ids": [1, 514], "text_model.embeddings.token_type_ids": [1, 514],
            "audio_model.audio_encoder.batch_norm.weight": [2], "audio_projection.linear1.bias": [2],
            "logit_scale_a": [], "logit_scale_t": [],
        ])
        _ = try component("ClapModel", [:], source)
    }

    @Test func namesWhatIsMissingAndWhatIsUnknown() throws {
        let source = MemorySource(
            shapes: Dictionary(
                uniqueKeysWithValues: (0..<10).map { ("extra.\($0)", [1] as Shape) } + [("to_q.weight", [1, 1])]))
        let error = try #require(throws: MappingError.self) {
            _ = try component(Self.unet, ["to_qkv.weight": .matrix(outputs: 3, inputs: 1)], source)
        }
        #expect(
            error
                == .mismatch(
                    file: "memory", missing: ["to_k.weight", "to_v.weight"], unknown: (0..<10).map { "extra.\($0)" }))
        #expect(error.description.contains("2 tensors that the model needs missing: 'to_k.weight', 'to_v.weight'"))
        #expect(error.description.contains("10 tensors of no known use: 'extra.0'"))
        #expect(error.description.contains("and 2 more"))
    }

    @Test(
        arguments: [
            ("SpeechT5HifiGan", "w", .matrix(outputs: 2, inputs: 3), [3, 2]),
            ("SpeechT5HifiGan", "w", .matrix(outputs: 2, inputs: 3), [2, 3, 2]),
            ("SpeechT5HifiGan", "w", .vector(count: 4), [2, 2]), ("SpeechT5HifiGan", "w", .vector(count: 4), [5]),
            ("SpeechT5HifiGan", "w", .vector(count: 4), [0]),
            ("SpeechT5HifiGan", "w", .table(rows: 2, width: 2), [2, 3]),
            ("SpeechT5HifiGan", "w", .convolution(outputs: 2, kernelHeight: 3, kernelWidth: 1, inputs: 4), [2, 4, 5]),
            (
                "SpeechT5HifiGan", "w", .convolution(outputs: 2, kernelHeight: 3, kernelWidth: 3, inputs: 4),
                [2, 3, 3, 4]
            ),
            ("SpeechT5HifiGan", "w", .transposedConvolution(outputs: 2, kernel: 3, stride: 2, inputs: 4), [2, 4, 3]),
            ("SpeechT5HifiGan", "upsampler.0.bias", .vector(count: 4), [3]),
            ("SpeechT5HifiGan", "upsampler.0.bias", .vector(count: 4), [0]),
            ("GPT2Model", "transformer.h.0.mlp.c_fc.weight", .matrix(outputs: 2, inputs: 3), [2, 3]),
        ] as [(String, String, WeightRole, [Int])])
    func refusesOtherShapes(className: String, path: String, role: WeightRole, extents: [Int]) throws {
        let shape = Shape(extents)
        let error = try #require(throws: MappingError.self) {
            _ = try component(className, [path: role], MemorySource(shapes: [path: shape]))
        }
        #expect(error == .wrongShape(file: "memory", keys: [path], shapes: [shape], path: path, role: role))
        #expect(error.description.contains("'\(path)' has shape \(shape), but the model's config.json needs"))
    }

    @Test func refusesPartsThatDoNotFit() throws {
        let source = MemorySource(shapes: ["to_q.weight": [2, 3], "to_k.weight": [2, 3], "to_v.weight": [2, 4]])
        let error = try #require(throws: MappingError.self) {
            _ = try component(Self.unet, ["to_qkv.weight": .matrix(outputs: 6, inputs: 3)], source)
        }
        #expect(error.description.contains("'to_v.weight' has shape [2, 4]"))
        #expect(error.description.hasSuffix("needs [6, 3] joined to 'to_qkv.weight'"))
    }

    @Test func refusesOtherClasses() throws {
        #expect(throws: MappingError.unknownClass(file: "memory", className: "StableDiffusion")) {
            _ = try component("StableDiffusion", [:], MemorySource())
        }
    }
}
