import AudioLDM2Converter
import Checkpoints
import Compute
import Foundation
import Tensors
import TestSupport
import WeightFile

/// What the reference's own block was given and what it made of it: `Fixtures/Scripts/make_layer_fixtures.py`.
struct RecordedBlock {
    let name: String
    let backend: CPUBackend
    private let file: SafetensorsFile

    init(_ name: String) throws {
        self.name = name
        file = try SafetensorsFile(
            path: Fixtures.folder("Layers").appendingPathComponent("blocks.safetensors").path, name: "blocks")
        backend = try CPUBackend(threadCount: 2, usesBLAS: false)
    }

    /// Names of all blocks that were recorded.
    static func names() throws -> Set<String> {
        Set(try RecordedBlock("").file.tensors.keys.compactMap { $0.split(separator: "/").first.map(String.init) })
    }

    func values(_ key: String) throws -> (shape: Shape, values: [Float]) { try file.values("\(name)/\(key)") }

    /// A recorded tensor where the block is computed.
    func callAsFunction(_ key: String) throws -> Tensor {
        let (shape, values) = try values(key)
        return try backend.upload(values, shape)
    }

    /// The weights, under the reference's keys.
    var weights: any CheckpointSource { PartialSource(file, below: "\(name)/weights/") }
}

/// The tensors of a source whose keys begin with a prefix, without it.
private struct PartialSource: CheckpointSource {
    let tensors: [String: TensorHeader]
    private let source: any CheckpointSource
    private let prefix: String

    var name: String { prefix }

    init(_ source: any CheckpointSource, below prefix: String) {
        self.source = source
        self.prefix = prefix
        let keys = source.tensors.filter { $0.key.hasPrefix(prefix) }
        tensors = Dictionary(uniqueKeysWithValues: keys.map { (String($0.key.dropFirst(prefix.count)), $0.value) })
    }

    func open(_ key: String) throws -> any SourceTensor { try source.open(prefix + key) }
}

/// Weights as the converter stores them.
struct StoredWeights: WeightSource {
    private let weights: [String: any Weight]

    /// - Parameters:
    ///   - className: whose keys the block's weights have.
    ///   - changed: the path of a weight that is made a little too large, in float32.
    init(
        _ requirements: [WeightRequirement], of block: RecordedBlock, className: String, _ preset: WeightPreset,
        changed: String? = nil
    ) throws {
        let roles = Dictionary(uniqueKeysWithValues: requirements.map { ($0.path, $0.role) })
        let mapped = try MappedComponent(className, weights: roles, source: block.weights)
        let (policy, encoder) = (PrecisionPolicy(preset), WeightEncoder(workers: Workers(count: 1)))
        var weights: [String: any Weight] = [:]
        for requirement in requirements {
            let rows = try mapped.open(requirement.path)
            func encoded(_ format: WeightFormat) throws -> EncodedWeight {
                try encoder.encode(rows, role: requirement.role, as: format, name: requirement.path)
            }
            let formats = policy.candidates(for: requirement)
            var weight = try encoded(formats[0])
            for format in formats.dropFirst() where !policy.accepts(weight) { weight = try encoded(format) }
            let description = policy.description(of: requirement, as: weight.format)
            let bytes = requirement.path == changed ? Self.enlarged(weight.bytes) : weight.bytes
            weights[requirement.path] = try block.backend.prepare(TestWeight(description, bytes: bytes))
        }
        self.weights = weights
    }

    /// Float32 numbers, each 2 % larger.
    private static func enlarged(_ bytes: [UInt8]) -> [UInt8] {
        let numbers = bytes.withUnsafeBytes { $0.bindMemory(to: Float.self).map { 1.02 * $0 } }
        return numbers.withUnsafeBytes { Array($0) }
    }

    func weight(_ requirement: WeightRequirement) throws -> any Weight {
        guard let weight = weights[requirement.path] else {
            throw PackError.missingTensor(path: "blocks", tensor: requirement.path, expected: "it", siblings: [])
        }
        return weight
    }
}
