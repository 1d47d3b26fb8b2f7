import Checkpoints
import TestSupport

/// What `make_audio_fixtures.py` recorded.
struct AudioReference {
    private let file: SafetensorsFile

    init() throws {
        let path = Fixtures.folder("Audio").appendingPathComponent("reference.safetensors").path
        file = try SafetensorsFile(path: path, name: path)
    }

    func values(_ name: String) throws -> [Float] { try file.values(name).values }
}
