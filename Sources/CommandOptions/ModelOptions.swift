import ArgumentParser
import AudioLDM2DefaultModel
import Files
import Glibc
import Terminal

/// The model of commands which name none.
package enum UnnamedModel {
    private static let variable = "AUDIOLDM2_MODEL"

    /// What the variable names; nil for the model that comes with this program.
    package static var ofVariable: String? {
        guard let name = getenv(variable), name.pointee != 0 else { return nil }
        return FileName.text(UnsafeRawBufferPointer(start: name, count: strlen(name)))
    }

    /// - Throws: `AudioLDM2Error` if no variable names one and the program's own is not there.
    package static var path: String { get throws { try ofVariable ?? DefaultModel.path() } }

    /// What the help of an option says of it.
    package static let help = "Default: what the variable \(variable) names, or the model that comes with this program."
}

extension CompletionKind {
    /// Model files, as shells complete them.
    package static var models: CompletionKind { .file(extensions: ["aldm"]) }
}

/// A model that the user may have named.
package protocol NamedModel {
    var file: String? { get }
}

extension NamedModel {
    /// - Throws: `AudioLDM2Error` if none was named and the program's own is not there.
    package var path: String { get throws { try file ?? UnnamedModel.path } }
}

private let help = ArgumentHelp("The model file. \(UnnamedModel.help)", valueName: "model")

/// `--model`, the same for every command that makes or judges sounds.
package struct ModelOption: ParsableArguments, NamedModel {
    @Option(name: [.customShort("m"), .customLong("model")], help: help, completion: .models, transform: plainText)
    package var file: String?

    package init() {}

    package func validate() throws {
        guard file != "" else { throw ValidationError("--model is empty: name a model file.") }
    }

    /// For commands that judge sounds.
    package func noteHowItJudges() {
        guard file == nil, UnnamedModel.ofVariable == nil else { return }
        printNote(
            "note: the model that comes with this program hardly tells sounds apart: its scores are hints at best")
    }
}

/// `--model`, once or several times, of a program that serves models.
package struct ModelsOption: ParsableArguments {
    @Option(
        name: [.customShort("m"), .customLong("model")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A model file; several by several -m. \(UnnamedModel.help)", valueName: "model"),
        completion: .models, transform: plainText)
    package var files: [String] = []

    package init() {}

    package func validate() throws {
        guard !files.contains("") else { throw ValidationError("--model is empty: name a model file.") }
    }

    /// - Throws: as `NamedModel.path`.
    package var paths: [String] { get throws { files.isEmpty ? [try UnnamedModel.path] : files } }
}

/// The model as the argument of commands that look into it.
package struct ModelArgument: ParsableArguments, NamedModel {
    @Argument(help: help, completion: .models, transform: plainText)
    package var file: String?

    package init() {}

    package func validate() throws {
        guard file != "" else { throw ValidationError("The model's name is empty: name a model file.") }
    }
}
