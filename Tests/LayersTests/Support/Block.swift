import AudioLDM2
import AudioLDM2Converter
import Foundation
import Tensors
import TestSupport
import Testing
import WeightFile

/// A kind of block: how it is built, and what it makes of what was recorded.
struct Block: Sendable, CustomTestStringConvertible {
    /// In the fixture.
    let name: String
    /// The class whose keys its weights have.
    let className: String
    /// What its network lets the converter do to its weights.
    let precision: WeightPrecision
    /// The largest relative error of its results where its weights are stored as int8, as far as `precision` lets them be: half
    /// as much again as was measured.
    let int8Error: Double
    /// Asks for the weights, and gives what computes: results by the names that they were recorded under.
    let build: @Sendable (WeightScope) throws -> (RecordedBlock) throws -> [String: Tensor]

    var testDescription: String { name }

    /// - Parameter build: asks for the weights, and gives what computes the one result.
    init(
        _ name: String, of className: String, _ precision: WeightPrecision = .quantized, int8Error: Double,
        _ build: @escaping @Sendable (WeightScope) throws -> (RecordedBlock) throws -> Tensor
    ) {
        self.init(
            name, of: className, precision, int8Error: int8Error,
            results: { weights in
                let compute = try build(weights)
                return { ["output": try compute($0)] }
            })
    }

    init(
        _ name: String, of className: String, _ precision: WeightPrecision = .quantized, int8Error: Double,
        results build: @escaping @Sendable (WeightScope) throws -> (RecordedBlock) throws -> [String: Tensor]
    ) {
        self.name = name
        self.className = className
        self.precision = precision
        self.int8Error = int8Error
        self.build = build
    }

    static let all = unet + vae + vocoder + text + sound

    /// What it asks for.
    func requirements() throws -> [WeightRequirement] {
        let recorder = RecordingSource()
        _ = try build(WeightScope(recorder, precision: precision))
        return recorder.requirements
    }

    /// Its results, with weights stored in a way, one of them changed, by the names that they were recorded under.
    func results(_ preset: WeightPreset, changed: String? = nil) throws -> [String: Tensor] {
        let recorded = try RecordedBlock(name)
        let weights = try StoredWeights(
            requirements(), of: recorded, className: className, preset, changed: changed)
        return try build(WeightScope(weights, precision: precision))(recorded)
    }

    /// ‖ours − recorded‖ / ‖recorded‖ of the worst result; infinite for another shape.
    func error(_ preset: WeightPreset, changed: String? = nil) throws -> Double {
        let recorded = try RecordedBlock(name)
        return try results(preset, changed: changed).map { key, result in
            let expected = try recorded.values(key)
            return result.shape == expected.shape ? relativeError(try result.values(), expected.values) : .infinity
        }.max() ?? .infinity
    }
}

/// A configuration as its file has it.
func config<Config: ModelConfig>(_ json: String) throws -> Config { try .read(Data(json.utf8), component: "block") }
