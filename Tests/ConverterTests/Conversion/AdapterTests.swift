import AudioLDM2Converter
import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

/// LoRA, merged before anything else, as PEFT's `merge_and_unload` merges it.
@Suite struct AdapterTests {
    private let folder: TemporaryFolder
    private let checkpoint = CheckpointFixture("tiny").path

    init() throws { folder = try TemporaryFolder() }

    private static func adapter(_ name: String) -> String {
        Fixtures.folder("Adapters").appendingPathComponent(name).path
    }

    private func options(_ weights: WeightPreset, _ adapters: [LowRankAdapter]) -> ConversionOptions {
        var options = ConversionOptions(weights: weights, compression: .none)
        options.adapters = adapters
        return options
    }

    /// A copy of the checkpoint whose weights are those that PEFT merged.
    private func merged(_ name: String, components: [String]) throws -> CheckpointFixture {
        let files = [
            "unet": "unet/diffusion_pytorch_model.safetensors", "text_encoder": "text_encoder/model.safetensors",
            "language_model": "language_model/model.safetensors",
        ]
        let changed = components.compactMap { files[$0] }
        let copy = try CheckpointFixture("tiny").copy(to: folder, changed: changed)
        let reference = try SafetensorsFile(path: Self.adapter("merged.safetensors"), name: "merged")
        for component in components {
            let file = try #require(files[component])
            let source = try SafetensorsFile(path: "\(checkpoint)/\(file)", name: file)
            let tensors = try source.tensors.keys.sorted().map { key -> (String, Shape, [Float]) in
                let new = "\(name)/\(component)/\(key)"
                let found = try reference.tensors[new].map { _ in try reference.values(new) } ?? source.values(key)
                return (key, found.shape, found.values)
            }
            try SafetensorsWriter.write(tensors, to: "\(copy.path)/\(file)")
        }
        return copy
    }

    struct Case: Sendable {
        let name: String
        let file: String
        var scale = 1.0
        let components: [String]
    }

    static let cases = [
        Case(name: "peft", file: "peft", components: ["unet"]),
        Case(name: "language_model", file: "language_model", components: ["language_model"]),
        Case(name: "diffusers", file: "diffusers.safetensors", scale: 0.5, components: ["unet", "text_encoder"]),
        Case(name: "old", file: "old.safetensors", components: ["unet"]),
    ]

    @Test(arguments: cases) func mergedWeightsAreThoseOfPEFT(_ test: Case) throws {
        let adapter = try LowRankAdapter(path: Self.adapter(test.file), scale: test.scale)
        let reference = try merged(test.name, components: test.components)
        let plain = CheckpointFixture("tiny")
        for weights in [WeightPreset.float32, .int8] {
            let (a, b, c) = (folder.file("a.aldm"), folder.file("b.aldm"), folder.file("c.aldm"))
            let summary = try plain.convert(options(weights, [adapter]), to: a)
            _ = try reference.convert(options(weights, []), to: b)
            _ = try plain.convert(options(weights, []), to: c)
            let (found, expected, untouched) = (
                try StoredWeights(path: a), try StoredWeights(path: b), try StoredWeights(path: c)
            )
            #expect(!summary.components.isEmpty)
            // Their numbers are exact, so that all of the bits are the same, of 8-bit weights too.
            var changed = 0
            for (name, weight) in found.weights {
                #expect(weight.bytes == expected.weights[name]?.bytes, "\(test.name): \(name) in \(weights)")
                if weight.bytes != untouched.weights[name]?.bytes { changed += 1 }
            }
            #expect(changed >= 4 && changed < found.weights.count / 2, "\(changed)")
            #expect(found.pack.provenance.contains { $0.key == "lora" })
        }
    }

    /// Numbers of any kind, within rounding.
    @Test func otherNumbersAreMergedWithinRounding() throws {
        let source = try SafetensorsFile(path: "\(checkpoint)/unet/diffusion_pytorch_model.safetensors", name: "unet")
        let module = "mid_block.attentions.0.proj_in"
        let shape = try #require(source.tensors[module + ".weight"]?.shape.extents)
        let (outputs, inputs, rank) = (shape[0], shape[1], 5)
        let down = (0..<rank * inputs).map { sin(Float($0) * 1.7) }
        let up = (0..<outputs * rank).map { 0.01 * cos(Float($0) * 2.3) }
        let file = folder.file("a.safetensors")
        try SafetensorsWriter.write(
            [
                ("unet.\(module).lora_A.weight", [rank, inputs], down),
                ("unet.\(module).lora_B.weight", [outputs, rank], up), ("unet.\(module).alpha", [], [3]),
            ], to: file)
        let twice = try LowRankAdapter(path: file, scale: 0.7)
        _ = try CheckpointFixture("tiny").convert(options(.float32, [twice, twice]), to: folder.file("a.aldm"))
        let found = try #require(try StoredWeights(path: folder.file("a.aldm")).weights["unet.\(module).weight"]).values
        let base = try source.values(module + ".weight").values
        for row in 0..<outputs {
            for column in 0..<inputs {
                let product = (0..<rank).reduce(0.0) {
                    $0 + Double(up[row * rank + $1]) * Double(down[$1 * inputs + column])
                }
                let expected = Double(base[row * inputs + column]) + 2 * 0.7 * 3 / 5 * product
                #expect(abs(Double(found[row * inputs + column]) - expected) <= 1e-6)
            }
        }
    }

    @Test(arguments: [
        ("unet.no.such_layer", ".lora_A.weight", [2, 8], "the checkpoint's unet has 'no.such_layer'"),
        ("nowhere.else", ".lora_A.weight", [2, 8], "no component of the checkpoint has"),
        ("unet.mid_block.attentions.0.proj_in", ".lora_A.weight", [2, 3], "A has shape [2, 3]"),
        ("unet.mid_block.attentions.0.proj_in", ".lora_magnitude_vector", [2, 8], "DoRA"),
    ])
    func whatCannotBeMergedIsNamed(_ layer: String, ending: String, shape: [Int], message: String) throws {
        let file = folder.file("bad.safetensors")
        let count = shape.reduce(1, *)
        try SafetensorsWriter.write(
            [
                (layer + ending, Shape(shape), [Float](repeating: 0, count: count)),
                (layer + ".lora_B.weight", [8, 2], [Float](repeating: 0, count: 16)),
            ], to: file)
        let run = try CommandRun(
            "audioldm2-convert", [checkpoint, "-o", folder.file("a.aldm"), "--no-calibrate", "--lora", file])
        #expect(run.failed(naming: "bad.safetensors", message), "\(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.file("a.aldm")))
    }

    @Test func halvesAndForeignFilesAreRefused() throws {
        let file = folder.file("half.safetensors")
        try SafetensorsWriter.write([("unet.x.lora_A.weight", [1, 1], [0])], to: file)
        #expect(throws: AdapterError.unpaired(file: "half.safetensors", layer: "unet.x")) {
            try LowRankAdapter(path: file)
        }
        #expect(throws: (any Error).self) { try LowRankAdapter(path: folder.file("absent")) }
        #expect(throws: (any Error).self) { try LowRankAdapter(path: folder.path) }
        #expect(throws: (any Error).self) {
            try LowRankAdapter(path: "\(checkpoint)/unet/diffusion_pytorch_model.safetensors")
        }
    }

    @Test func scalesStandBehindTheName() throws {
        let run = try CommandRun(
            "audioldm2-convert",
            [
                checkpoint, "-o", folder.file("a.aldm"), "--no-calibrate", "--quiet", "--lora",
                Self.adapter("diffusers.safetensors") + "=0.5", "--lora", Self.adapter("old.safetensors"),
            ])
        #expect(run.status == 0, "\(run.errors)")
        let shown = try CommandRun("audioldm2", ["inspect", folder.file("a.aldm")])
        #expect(shown.output.contains("diffusers.safetensors=0.5") && shown.output.contains("old.safetensors"))
    }

    @Test func aDryRunSaysSizesAndWritesNothing() throws {
        let run = try CommandRun(
            "audioldm2-convert", [checkpoint, "--dry-run", "--weights", "float16,unet=int8", "--json"])
        #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
        let forecast = try JSONDecoder().decode(ConversionForecast.self, from: Data(run.output.utf8))
        for weights in [WeightPreset.float32, .float16] {
            _ = try CheckpointFixture("tiny").convert(
                ConversionOptions(weights: weights, compression: .none), to: folder.file("a.aldm"))
            let stored = try StoredWeights(path: folder.file("a.aldm"))
            for component in forecast.components {
                let bytes = stored.weights.filter { $0.key.hasPrefix(component.name + ".") }
                    .reduce(0) { $0 + $1.value.description.byteCount }
                #expect(component.bytesByPreset[weights.rawValue] == bytes, "\(component.name) \(weights)")
            }
        }
        #expect(forecast.components.first { $0.name == "unet" }?.preset == "int8")
        #expect(forecast.bytes(with: .int8) < forecast.bytes(with: .float16))
        let table = try CommandRun("audioldm2-convert", [checkpoint, "--dry-run", "-o", folder.file("b.aldm")])
        #expect(table.status == 0 && table.output.contains("as asked") && table.output.contains("unet"))
        #expect(!FileManager.default.fileExists(atPath: folder.file("b.aldm")))
    }
}
