import AudioLDM2Converter
import Checkpoints
import Foundation
import Tensors
import TestSupport

/// The tiny checkpoint with some channels many times as large as the others, and what reads them as much smaller: the
/// function stays the same. `Scripts/make_outliers.py` does it at full size.
struct OutlierCheckpoint {
    let fixture: CheckpointFixture
    private static let files = [
        "unet": "unet/diffusion_pytorch_model.safetensors", "text_encoder_2": "text_encoder_2/model.safetensors",
        "vocoder": "vocoder/model.safetensors",
    ]

    init(in folder: TemporaryFolder) throws {
        fixture = try CheckpointFixture("tiny").copy(to: folder, changed: Array(Self.files.values))
    }

    /// Changes a component's tensors, which are then in float32.
    func change(_ component: String, _ body: (inout [String: (shape: Shape, values: [Float])]) throws -> Void) throws {
        let path = fixture.path + "/" + (Self.files[component] ?? "")
        let file = try SafetensorsFile(path: path, name: component)
        var tensors: [String: (shape: Shape, values: [Float])] = [:]
        for key in file.tensors.keys { tensors[key] = try file.values(key) }
        try body(&tensors)
        try FileManager.default.removeItem(atPath: path)
        try SafetensorsWriter.write(
            tensors.sorted { $0.key < $1.key }.map { ($0.key, $0.value.shape, $0.value.values) }, to: path)
    }

    /// Norms and gated halves before products, of the UNet and T5.
    func addOutliers(_ factor: Float) throws {
        try change("unet") { tensors in
            for key in tensors.keys.sorted() where key.hasSuffix("norm1.weight") && key.contains("transformer_blocks") {
                let block = String(key.dropLast("norm1.weight".count))
                Self.move(&tensors, factor, [block + "norm1"], ["to_q", "to_k", "to_v"].map { block + "attn1." + $0 })
                Self.move(&tensors, factor, [block + "norm3"], [block + "ff.net.0.proj"])
                Self.move(&tensors, factor, [block + "ff.net.0.proj"], [block + "ff.net.2"])
                Self.move(&tensors, factor, [block + "attn1.to_v"], [block + "attn1.to_out.0"])
            }
            for key in tensors.keys.sorted() where key.hasSuffix("proj_in.weight") {
                let place = String(key.dropLast("proj_in.weight".count))
                Self.move(&tensors, factor, [place + "norm"], [place + "proj_in"])
            }
        }
        try change("text_encoder_2") { tensors in
            for key in tensors.keys.sorted() where key.hasSuffix("layer.0.layer_norm.weight") {
                let block = String(key.dropLast("layer.0.layer_norm.weight".count))
                Self.move(
                    &tensors, factor, [block + "layer.0.layer_norm"],
                    ["q", "k", "v"].map { block + "layer.0.SelfAttention." + $0 })
                Self.move(
                    &tensors, factor, [block + "layer.1.layer_norm"],
                    ["wi_0", "wi_1"].map { block + "layer.1.DenseReluDense." + $0 })
            }
        }
    }

    /// Multiplies channel 3 of what is made, in the first rows of the writers, and divides it where it is read.
    private static func move(
        _ tensors: inout [String: (shape: Shape, values: [Float])], _ factor: Float, _ writers: [String],
        _ readers: [String]
    ) {
        let channel = 3
        for key in writers.flatMap({ [$0 + ".weight", $0 + ".bias"] }) {
            guard let (shape, _) = tensors[key] else { continue }
            let width = shape.count / shape[0]
            for index in channel * width..<(channel + 1) * width { tensors[key]?.values[index] *= factor }
        }
        for key in readers.map({ $0 + ".weight" }) {
            guard let (shape, _) = tensors[key] else { continue }
            for row in 0..<shape[0] { tensors[key]?.values[row * shape[1] + channel] /= factor }
        }
    }

    /// Several channels of what residual blocks make of their norms, and their convolutions as much smaller. SiLU is between:
    /// this is another function.
    func addResidualOutliers(_ factor: Float) throws {
        try change("unet") { tensors in
            for key in tensors.keys.sorted() where key.hasSuffix("conv1.weight") {
                let block = String(key.dropLast("conv1.weight".count))
                for part in 1...2 {
                    let norm = block + "norm\(part)"
                    for key in [norm + ".weight", norm + ".bias"] { tensors[key]?.values[3] *= factor }
                    guard let (shape, _) = tensors[block + "conv\(part).weight"] else { continue }
                    let taps = shape[2] * shape[3]
                    for row in 0..<shape[0] {
                        for tap in 0..<taps {
                            tensors[block + "conv\(part).weight"]?.values[(row * shape[1] + 3) * taps + tap] /= factor
                        }
                    }
                }
            }
        }
    }

    /// T5's residual stream past what float16 holds; its norms undo it.
    func enlargeStates(_ factor: Float) throws {
        try change("text_encoder_2") { tensors in
            for key in tensors.keys
            where key.hasPrefix("shared.") || key.hasSuffix(".o.weight") || key.hasSuffix(".wo.weight")
                || key.contains("embed_tokens")
            {
                tensors[key]?.values.withUnsafeMutableBufferPointer { values in
                    for index in values.indices { values[index] *= factor }
                }
            }
        }
    }
}
