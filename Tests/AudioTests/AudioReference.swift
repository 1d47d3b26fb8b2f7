import Checkpoints
import TestSupport

/// What `make_audio_fixtures.py` recorded, or another script.
struct AudioReference {
    private let file: SafetensorsFile

    init(_ name: String = "reference") throws {
        let path = Fixtures.folder("Audio").appendingPathComponent("\(name).safetensors").path
        file = try SafetensorsFile(path: path, name: path)
    }

    func values(_ name: String) throws -> [Float] { try file.values(name).values }
}
