import Checkpoints
import Files
import FoundationEssentials
import Text

/// The JSON files of checkpoints: configs of a few kilobytes.
enum JSONFile {
    /// Licences and cards may be longer than configs.
    private static let limit = 16 << 20

    /// - Throws: `CheckpointError` if the file is not there or larger than a text file should be.
    static func contents(path: String, name: String) throws -> [UInt8] {
        guard FileName.exists(path) else {
            throw CheckpointError.missing(path: name, remedy: "the checkpoint folder is incomplete")
        }
        return try InputFile.contents(path: path, name: name, limit: limit)
    }

    /// A file that must hold an object: its bytes, in standard JSON if Python wrote numbers that are none.
    /// - Throws: as `contents`, and `CheckpointError.malformed` for anything but an object.
    static func config(path: String, name: String) throws -> [UInt8] {
        let bytes = PythonJSON.standard(try contents(path: path, name: name))
        _ = try object(bytes, file: name)
        return bytes
    }

    /// - Throws: as `config`.
    static func object(path: String, name: String) throws -> [String: JSONValue] {
        try object(PythonJSON.standard(contents(path: path, name: name)), file: name)
    }

    private static func object(_ bytes: [UInt8], file: String) throws -> [String: JSONValue] {
        guard let object = try? JSONValue(reading: Data(bytes)).object else {
            throw CheckpointError.malformed(file: file, reason: "is not a JSON object")
        }
        return object
    }
}
