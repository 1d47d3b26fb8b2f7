import Checkpoints
import Evaluation
import TestSupport

/// What `make_evaluation_fixtures.py` recorded.
struct EvaluationReference {
    struct Expected: Decodable {
        struct Pair: Decodable {
            let nuclear: Double
            let scipy: Double?
            let audioldmEval: Double?
            let fadtk: Double?
            let kid: [Double]
            let kad: Double
            let bandwidth: Double
        }
        struct Infinity: Decodable {
            let value, slope, r2: Double
            let points: [[Double]]
        }
        struct Divergence: Decodable { let softmax, sigmoid: Double }
        struct Random: Decodable {
            let permutation, choice: [Int]
            let uniform: [Double]
        }
        let full: Pair
        let wide: Pair
        let infinity: Infinity
        let kl: Divergence
        let inception: [Double]
        let random: Random
        let lsd: [String: Double]
    }

    let expected: Expected
    private let file: SafetensorsFile

    init() throws {
        let path = Fixtures.folder("Evaluation").appendingPathComponent("sets.safetensors").path
        file = try SafetensorsFile(path: path, name: path)
        expected = try Fixtures.json("Evaluation", "expected.json", as: Expected.self)
    }

    func set(_ name: String) throws -> Embeddings {
        let (shape, values) = try file.values(name)
        return try Embeddings(width: values.count / shape[0], values: values)
    }

    func samples(_ name: String) throws -> [Float] { try file.values(name).values }
}

func isNear(_ found: Double, _ expected: Double, relative: Double) -> Bool {
    abs(found - expected) <= relative * max(abs(expected), 1e-12)
}
