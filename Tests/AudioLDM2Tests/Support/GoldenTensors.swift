import AudioLDM2
import Checkpoints
import Tensors

/// A safetensors file as the tests read it.
struct GoldenTensors {
    private let file: SafetensorsFile

    init(_ path: String) throws { file = try SafetensorsFile(path: path, name: path) }

    func values(_ name: String) throws -> (shape: Shape, values: [Float]) { try file.values(name) }

    static func write(_ tensors: [NamedTensor], to path: String) throws {
        try SafetensorsWriter.write(tensors.map { ($0.name, Shape($0.shape), $0.values) }, to: path)
    }
}
