import AudioLDM2
import Checkpoints
import Foundation
import Tokenizers

/// What can be converted, in the terms of the folders that diffusers saves: named components, each with a class, a
/// configuration and weights under the keys of that class.
package protocol Checkpoint: Sendable {
    /// For messages and provenance.
    var name: String { get }
    /// The class of the whole, such as `AudioLDM2Pipeline`.
    var pipelineClass: String { get }
    /// The version of diffusers that wrote it.
    var savedWith: String? { get }
    /// Whose behaviour its users expect; nil if they may expect any.
    var profile: ReferenceProfile? { get }
    /// How its sounds are made unless told otherwise, if it says so.
    func defaults() throws -> ModelDefaults?
    /// The components that are there, by name.
    var components: [String: CheckpointComponent] { get }
    /// Whether there is a file of this name, such as `unet/config.json`.
    func has(_ file: String) -> Bool
    /// A file's path as messages name it: its name, or where else it lies.
    func place(of file: String) -> String
    /// A JSON file that must hold an object, such as `unet/config.json`, in standard JSON.
    func config(_ file: String) throws -> [UInt8]
    /// The weights of a component, under the keys of its class.
    func weights(of component: String) throws -> any CheckpointSource
    /// The folder with a tokenizer's files; nil for one that needs none: `TokenizerDefinition.vitsSymbols`.
    func tokenizerFolder(_ component: String) -> String?
    /// How many ids of a text its users' code reads whatever the tokenizer's files say; nil if it asks them.
    func tokenLimit(_ kind: TokenizerKind) -> Int?
    /// The terms of use that come with it, if any.
    func license() throws -> LicenseText?
    /// Paths of a component's weights that are no int8 even in int8 files, beside those that its network says.
    func floatPaths(of component: String) -> [KeyPattern]
}

extension Checkpoint {
    package var profile: ReferenceProfile? { nil }

    package func defaults() throws -> ModelDefaults? {
        guard has(ModelDefaults.fileName) else { return nil }
        return try ModelDefaults(reading: Data(config(ModelDefaults.fileName)))
    }

    package func tokenLimit(_ kind: TokenizerKind) -> Int? { nil }

    package func place(of file: String) -> String { file }

    package func floatPaths(of component: String) -> [KeyPattern] { [] }

    /// - Throws: `CheckpointError.missing` if it does not have the component.
    package func component(_ name: String) throws -> CheckpointComponent {
        guard let component = components[name] else {
            throw CheckpointError.missing(
                path: "component \(name.quoted) of \(self.name)",
                remedy: "the checkpoint is of another kind or incomplete; --component \(name)=FOLDER adds it")
        }
        return component
    }
}

/// A line of `model_index.json`: which class of which library reads a component.
package struct CheckpointComponent: Hashable, Sendable {
    package let name: String
    package let library: String
    package let className: String

    package init(name: String, library: String, className: String) {
        (self.name, self.library, self.className) = (name, library, className)
    }
}
