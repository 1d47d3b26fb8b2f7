import Checkpoints
import Files
import FoundationEssentials
import Text

/// A checkpoint folder in the layout that diffusers saves: `model_index.json` and one folder per component.
package struct DiffusersFolder: Checkpoint {
    /// The folder's own name, for messages and provenance.
    package let name: String
    package let path: String
    /// `_class_name` of the index, such as `AudioLDM2Pipeline`.
    package let pipelineClass: String
    /// `_diffusers_version` of the index: what the folder was saved with.
    package let savedWith: String?
    /// Components that are not null, by name.
    package let components: [String: CheckpointComponent]

    /// - Throws: `CheckpointError` if there is no folder, or no readable index in it.
    package init(path: String) throws {
        self.path = path
        name = URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
        guard FileName.exists(path + "/model_index.json") else {
            throw CheckpointError.missing(
                path: "\(path)/model_index.json",
                remedy:
                    "give the folder of a checkpoint in the diffusers layout, which has this file, or one of the authors' files"
            )
        }
        let file = "model_index.json"
        let index = try JSONFile.object(path: "\(path)/\(file)", name: file)
        guard let pipelineClass = index["_class_name"]?.string else {
            throw CheckpointError.invalidField(file: file, field: "_class_name", reason: "is not there")
        }
        self.pipelineClass = pipelineClass
        savedWith = index["_diffusers_version"]?.string
        components = try Self.components(of: index, file: file)
    }

    private static func components(of index: [String: JSONValue], file: String) throws -> [String: CheckpointComponent]
    {
        var components: [String: CheckpointComponent] = [:]
        for (name, value) in index where !name.hasPrefix("_") {
            // Optional components are null, and pipelines keep flags of their own beside the components.
            guard let pair = value.array, !pair.contains(.null) else { continue }
            guard name.isPlainFileName, pair.count == 2, let library = pair[0].string, let type = pair[1].string
            else {
                throw CheckpointError.invalidField(
                    file: file, field: name, reason: "should be a pair of a library and a class")
            }
            components[name] = CheckpointComponent(name: name, library: library, className: type)
        }
        return components
    }

    /// - Throws: `CheckpointError.missing` if the index does not name the component.
    package func component(_ name: String) throws -> CheckpointComponent {
        guard let component = components[name] else {
            throw CheckpointError.missing(
                path: "component \(name.quoted) of model_index.json",
                remedy: "the checkpoint is of another kind or incomplete")
        }
        return component
    }

    /// Whether the checkpoint has a file of this name, such as `unet/config.json`.
    package func has(_ file: String) -> Bool { FileName.exists("\(path)/\(file)") }

    /// The bytes of a file of the checkpoint, such as `unet/config.json`.
    /// - Throws: `CheckpointError` if it is not there or larger than a text file should be.
    package func contents(of file: String) throws -> [UInt8] {
        try JSONFile.contents(path: "\(path)/\(file)", name: file)
    }

    package func config(_ file: String) throws -> [UInt8] { try JSONFile.config(path: "\(path)/\(file)", name: file) }

    /// The weights of a component: one file or several with their index, under either library's name.
    package func weights(of component: String) throws -> any CheckpointSource {
        try WeightFiles(folder: "\(path)/\(component)", name: component).open()
    }

    package func tokenizerFolder(_ component: String) -> String? { "\(path)/\(component)" }

    package func license() throws -> LicenseText? { try LicenseText.find(in: self) }
}
