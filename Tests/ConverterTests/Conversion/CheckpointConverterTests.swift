import AudioLDM2
import AudioLDM2Converter
import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing
import WeightFile

@Suite struct CheckpointConverterTests {
    private let folder: TemporaryFolder
    private var output: String { folder.path + "/model.aldm" }

    init() throws { folder = try TemporaryFolder() }

    private func bytes() throws -> Data { try Data(contentsOf: URL(fileURLWithPath: output)) }

    @Test(arguments: CheckpointFixture.names) func float32KeepsEveryNumber(name: String) throws {
        let fixture = CheckpointFixture(name)
        let summary = try fixture.convert(ConversionOptions(weights: .float32), to: output)
        let stored = try StoredWeights(path: output)
        #expect(stored.weights.values.allSatisfy { $0.description.format == .float32 })
        #expect(
            summary.components.allSatisfy { $0.worst.isEmpty && $0.parametersByFormat == ["float32": $0.parameters] })
        #expect(summary.parameters == stored.weights.values.reduce(0) { $0 + $1.description.role.shape.count })

        func expect(_ path: String, _ values: [Float], _ comment: Comment) {
            #expect(stored.weights[path]?.values == values, comment)
        }
        func source(_ component: String, _ key: String) throws -> [Float] { try fixture.values(component, key) }
        expect("vae.decoder.conv_in.bias", try source("vae", "decoder.conv_in.bias"), "a vector")
        expect(
            "text_encoder_2.shared.weight", try source("text_encoder_2", "shared.weight"), "a table")
        let attention = "down_blocks.1.attentions.0.transformer_blocks.0.attn1."
        expect(
            "unet.\(attention)to_qkv.weight",
            try ["to_q", "to_k", "to_v"].flatMap { try source("unet", "\(attention)\($0).weight") }, "joined")
        let dense = "encoder.block.1.layer.1.DenseReluDense."
        expect(
            "text_encoder_2.\(dense)wi.weight",
            try ["wi_1", "wi_0"].flatMap { try source("text_encoder_2", "\(dense)\($0).weight") }, "joined")
        expect(
            "vocoder.upsampler.0.bias",
            try Array(repeating: source("vocoder", "upsampler.0.bias"), count: 5).flatMap { $0 }, "repeated")
        let (rows, columns) = (32, 128)
        let projection = try source("language_model", "transformer.h.0.mlp.c_fc.weight")
        expect(
            "language_model.transformer.h.0.mlp.c_fc.weight",
            (0..<columns).flatMap { column in (0..<rows).map { projection[$0 * columns + column] } }, "transposed")
        let kernel = try source("unet", "conv_in.weight")
        expect(
            "unet.conv_in.weight",
            (0..<16).flatMap { o in (0..<9).flatMap { tap in (0..<8).map { kernel[(o * 8 + $0) * 9 + tap] } } },
            "channels last")
    }

    @Test(arguments: CheckpointFixture.names) func int8IsCloseAndSmall(name: String) throws {
        let fixture = CheckpointFixture(name)
        _ = try fixture.convert(ConversionOptions(weights: .float32, compression: .none), to: output)
        let exact = try StoredWeights(path: output)
        let exactSize = try bytes().count
        let summary = try fixture.convert(ConversionOptions(compression: .none), to: output)
        let stored = try StoredWeights(path: output)
        #expect(stored.weights.keys.sorted() == exact.weights.keys.sorted())
        for (path, weight) in stored.weights {
            let error = relativeError(weight.values, exact.weights[path]?.values ?? [])
            switch weight.description.format {
            case .int8: #expect(error <= PrecisionPolicy.int8ErrorLimit, "\(path)")
            case .float16: #expect(error < 1e-3, "\(path)")
            case .float32: #expect(error == 0, "\(path)")
            }
        }
        #expect(stored.weights["unet.conv_in.weight"]?.description.format == .float16)
        #expect(stored.weights["unet.conv_in.bias"]?.description.format == .float32)
        let product = try #require(stored.weights["unet.mid_block.resnets.0.conv1.weight"]).description
        #expect(product.format == .int8 && product.activation == .quantized)
        let encoder = try #require(stored.weights["text_encoder.text_model.pooler.dense.weight"]).description
        #expect(encoder.format == .int8 && encoder.activation == .float)
        #expect(summary.fileBytes == (try bytes().count))
        #expect(summary.fileBytes * 2 < exactSize)
        for component in summary.components {
            let worst = component.worst.first?.relativeError ?? 0
            #expect(component.worst.allSatisfy { $0.relativeError <= worst })
            #expect(component.ratio > 1.5)
        }
    }

    @Test func writesTheSameBytesAgain() throws {
        let fixture = CheckpointFixture(CheckpointFixture.names[0])
        for preset in WeightPreset.allCases {
            _ = try fixture.convert(ConversionOptions(weights: preset, threads: 1), to: output)
            let first = try bytes()
            _ = try fixture.convert(ConversionOptions(weights: preset, threads: 3), to: output)
            #expect(try bytes() == first)
        }
    }

    @Test func recordsWhereItComesFrom() throws {
        let fixture = try CheckpointFixture(CheckpointFixture.names[0]).copy(to: folder)
        try folder.write("Free for noise.\n", to: "checkpoint/LICENSE")
        let summary = try fixture.convert(ConversionOptions(compression: .zstd(level: 1)), to: output)
        let pack = try Pack(opening: output)
        let notes = Dictionary(uniqueKeysWithValues: pack.provenance.map { ($0.key, $0.value) })
        #expect(notes["source"] == "checkpoint")
        #expect(notes["converter"] == CheckpointConverter.version)
        #expect(notes["weights"] == "int8" && notes["compression"] == "zstd 1")
        #expect(notes["license"] == "LICENSE" && summary.license == "LICENSE")
        #expect(String(decoding: try pack.blob("license"), as: UTF8.self) == "Free for noise.\n")
        #expect(
            pack.blobs.map(\.name).sorted() == [
                "feature_extractor", "license", "mel", "scheduler", "tokenizer", "tokenizer_2",
            ])
        #expect(pack.provenance.allSatisfy { !$0.value.contains(folder.path) })
        #expect(
            try pack.requiredComponent("unet").config
                == Data(contentsOf: URL(fileURLWithPath: fixture.path + "/unet/config.json")))
    }

    @Test func whatTheCheckpointWasTrainedOnIsKept() throws {
        let fixture = try CheckpointFixture(CheckpointFixture.names[0]).copy(to: folder)
        let list = try Data(contentsOf: Fixtures.folder("Vocabulary").appendingPathComponent("vocabulary.json"))
        try folder.write(Array(list), to: "checkpoint/vocabulary.json")
        _ = try fixture.convert(ConversionOptions(), to: output)
        #expect(try Pack(opening: output).blob("vocabulary") == list)
    }

    @Test func extrasAreThereUnlessLeftOut() throws {
        let fixture = CheckpointFixture(CheckpointFixture.names[0])
        let extras = Set(CheckpointLayout.extras.map(\.name)).subtracting(["audiomae", "magnitudes"])
        let whole = try fixture.convert(ConversionOptions(), to: output)
        #expect(extras.isSubset(of: whole.components.map(\.name)))
        let bare = try fixture.convert(ConversionOptions(without: extras), to: output)
        #expect(bare.components.map(\.name) == whole.components.map(\.name).filter { !extras.contains($0) })
        let notes = try Pack(opening: output).provenance
        #expect(notes.first { $0.key == "without" }?.value == extras.sorted().joined(separator: ", "))
    }

    @Test func aFolderThatNoIndexNamesIsDescribed() throws {
        // The checkpoint of the model that ships is the one that has AudioMAE's.
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../Weights/checkpoint").standardized.path
        let description = try CheckpointDescription(CheckpointInput(path: path).open())
        let added = description.components.filter { $0.name == "audiomae" }
        #expect(added.map(\.className) == ["AudioMAE"] && added.allSatisfy { $0.parameters > 1_000_000 })
        let tiny = CheckpointFixture(CheckpointFixture.names[0])
        #expect(
            try !CheckpointDescription(CheckpointInput(path: tiny.path).open()).components.map(\.name).contains(
                "audiomae"))
    }

    @Test func describesTheMelSpectrogram() throws {
        _ = try CheckpointFixture(CheckpointFixture.names[0]).convert(ConversionOptions(), to: output)
        let text = String(decoding: try Pack(opening: output).blob("mel"), as: UTF8.self)
        #expect(
            text == #"{"filter_length":1024,"hop_length":160,"mel_fmax":8000,"mel_fmin":0,"n_mel_channels":64,"#
                + #""sampling_rate":16000}"#)
    }

    @Test func reportsProgress() throws {
        let converter = try CheckpointConverter(
            DiffusersFolder(path: CheckpointFixture(CheckpointFixture.names[0]).path), ConversionOptions())
        var seen: [ConversionProgress] = []
        _ = try converter.convert(to: output) { seen.append($0) }
        #expect(seen.map(\.bytesDone) == seen.map(\.bytesDone).sorted())
        #expect(seen.last?.bytesDone == seen.last?.bytesTotal)
        #expect(Set(seen.map(\.component)).count == 9)
    }

    @Test func cancellationLeavesTheOldFile() async throws {
        let path = output
        try folder.write("old", to: "model.aldm")
        let converter = try CheckpointConverter(
            DiffusersFolder(path: CheckpointFixture(CheckpointFixture.names[0]).path), ConversionOptions())
        let task = Task {
            try converter.convert(to: path) { progress in
                if progress.component == "unet" { withUnsafeCurrentTask { $0?.cancel() } }
            }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try bytes() == Data("old".utf8))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["model.aldm"])
    }
}
