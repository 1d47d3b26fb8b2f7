import Foundation
import Tensors
import TestSupport
import WeightFile

/// A weight to store, and what it should hold when it comes back.
struct SampleWeight: Sendable {
    let name: String
    let description: WeightDescription
    let bytes: [UInt8]

    init(_ name: String, _ description: WeightDescription, bytes: [UInt8]) {
        (self.name, self.description, self.bytes) = (name, description, bytes)
    }

    /// - Parameter compressible: whether bytes are small numbers or anything.
    init(_ name: String, _ description: WeightDescription, compressible: Bool = true, seed: UInt64 = 1) {
        self.name = name
        self.description = description
        var generator = SplitMix(seed: seed)
        let limit: UInt64 = compressible ? 15 : 255
        bytes = (0..<description.byteCount).map { place in
            let byte = UInt8(truncatingIfNeeded: generator.next() & limit)
            // Floats of any width have to be finite.
            return place % 2 == 1 && byte & 0x7C == 0x7C ? byte ^ 0x40 : byte
        }
    }
}

extension SampleWeight {
    /// Every role in every format it may have, with extents that need padding, and tensors of several chunks.
    static let everyKind: [SampleWeight] = {
        let products: [(String, WeightRole)] = [
            ("matrix", .matrix(outputs: 21, inputs: 7)),
            ("convolution", .convolution(outputs: 5, kernelHeight: 3, kernelWidth: 3, inputs: 8)),
            ("upsample", .transposedConvolution(outputs: 6, kernel: 16, stride: 5, inputs: 12)),
        ]
        var samples = [SampleWeight("vector", WeightDescription(role: .vector(count: 33), format: .float32))]
        for format in WeightFormat.allCases {
            for (name, role) in products {
                samples.append(SampleWeight("\(name).\(format)", WeightDescription(role: role, format: format)))
            }
            let table = WeightDescription(role: .table(rows: 19, width: 5), format: format)
            samples.append(SampleWeight("table.\(format)", table, compressible: false))
        }
        let dynamic = WeightDescription(role: products[0].1, format: .int8, activation: .quantized)
        let large = WeightDescription(role: .matrix(outputs: 700, inputs: 1000), format: .float32)
        return samples + [
            SampleWeight("dynamic", dynamic),
            SampleWeight("large.compressible", large),
            SampleWeight("large.random", large, compressible: false),
        ]
    }()

    /// A few kilobytes with compressed and uncompressed tensors.
    static let small: [SampleWeight] = [
        SampleWeight("a.weight", WeightDescription(role: .matrix(outputs: 16, inputs: 24), format: .float32)),
        SampleWeight("a.bias", WeightDescription(role: .vector(count: 17), format: .float32), compressible: false),
        SampleWeight("b.weight", WeightDescription(role: .matrix(outputs: 16, inputs: 64), format: .int8)),
        SampleWeight(
            "b.bias", WeightDescription(role: .vector(count: 17), format: .float32), compressible: false, seed: 2),
    ]
}

extension PackWriter {
    func add(_ sample: SampleWeight, to component: String) throws {
        try sample.bytes.withUnsafeBytes {
            _ = try addTensor(component: component, name: sample.name, sample.description, bytes: $0)
        }
    }

    /// Two components with the same weights, two named files, provenance.
    func addSamples(_ samples: [SampleWeight]) throws {
        try addComponent(name: "unet", className: "UNet", config: Data(#"{"channels": 8}"#.utf8))
        for sample in samples { try add(sample, to: "unet") }
        try addBlob(name: "tokenizer/vocab.json", Data(String(repeating: #"{"a": 0}"#, count: 50).utf8))
        try addComponent(name: "vae", className: "AutoencoderKL", config: Data("{}".utf8))
        for sample in samples { try add(sample, to: "vae") }
        try addBlob(name: "empty", Data())
        setProvenance([("source", "somewhere"), ("licence", "CC BY-NC-SA 4.0 – ü")])
    }
}

/// Writes a pack of samples.
func writePack(_ path: String, _ samples: [SampleWeight], _ compression: PackCompression) throws {
    let writer = try PackWriter(path: path, compression: compression)
    try writer.addSamples(samples)
    try writer.finish()
}
