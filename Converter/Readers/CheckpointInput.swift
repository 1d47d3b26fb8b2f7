import Checkpoints
import Files
import FoundationEssentials
import Glibc

/// A checkpoint as somebody names it: a folder or a file, and what the file does not say.
package struct CheckpointInput: Sendable {
    package var path: String
    /// Components from other folders.
    package var additions: [(component: String, folder: String)] = []
    /// The model's name, if it is not the file's.
    package var modelName: String?
    /// A training configuration in YAML.
    package var configuration: String?
    /// Reads the UNet's moving average.
    package var usesAverage = false

    package init(path: String) { self.path = path }

    /// - Throws: `CheckpointError`.
    package func open() throws -> any Checkpoint {
        let checkpoint = try base()
        return additions.isEmpty ? checkpoint : try AssembledCheckpoint(checkpoint, adding: additions)
    }

    private func base() throws -> any Checkpoint {
        guard FileName.exists(path), !FileName.isFolder(path) else {
            guard modelName == nil, configuration == nil, !usesAverage else {
                throw CheckpointError.missing(
                    path: "a file at \(path)", remedy: "--name, --config and --ema are for the authors' files")
            }
            return NetworkFolder.isOne(path) ? try NetworkFolder(path: path) : try DiffusersFolder(path: path)
        }
        let name = URL(fileURLWithPath: path).lastPathComponent
        let source = try CheckpointFile.open(path: path, name: name)
        if let judge = try JudgeCheckpoint(source, name: modelName ?? name) {
            guard configuration == nil, !usesAverage else {
                throw CheckpointError.missing(
                    path: "a model that makes sounds in \(name)",
                    remedy: "it is a \(judge.pipelineClass), which has no --config and no --ema")
            }
            return judge
        }
        var settings = AuthorsSettings(modelName: modelName ?? name)
        if let configuration { try settings.read(configuration: configuration) }
        return try AuthorsCheckpoint(
            source, name: modelName ?? name, settings: settings, usesAverage: usesAverage)
    }
}
