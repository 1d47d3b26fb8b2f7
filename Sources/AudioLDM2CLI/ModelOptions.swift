import ArgumentParser
import AudioLDM2DefaultModel
import Files
import FoundationEssentials
import Glibc
import Terminal

/// A model that the user may have named.
protocol NamedModel {
    var file: String? { get }
}

/// The variable that names the model of commands which name none.
private let modelVariable = "AUDIOLDM2_MODEL"

extension NamedModel {
    /// - Throws: `AudioLDM2Error` if none was named and the program's own is not there.
    var path: String { get throws { try named ?? DefaultModel.path() } }

    /// Nil for the model that comes with this program.
    fileprivate var named: String? {
        if let file { return file }
        guard let name = getenv(modelVariable), name.pointee != 0 else { return nil }
        return FileName.text(UnsafeRawBufferPointer(start: name, count: strlen(name)))
    }

    fileprivate static var help: ArgumentHelp {
        ArgumentHelp(
            "The model file. Default: what the variable \(modelVariable) names, or the model that comes with this program.",
            valueName: "model")
    }
}

/// `--model`, the same for every command that makes or judges sounds.
struct ModelOption: ParsableArguments, NamedModel {
    @Option(
        name: [.customShort("m"), .customLong("model")],
        help: ModelOption.help, completion: .models, transform: plainText)
    var file: String?

    func validate() throws {
        guard file != "" else { throw ValidationError("--model is empty: name a model file.") }
    }

    /// For commands that judge sounds.
    func noteHowItJudges() {
        guard named == nil else { return }
        printNote(
            "note: the model that comes with this program hardly tells sounds apart: its scores are hints at best")
    }
}

/// The model as the argument of commands that look into it.
struct ModelArgument: ParsableArguments, NamedModel {
    @Argument(
        help: ModelOption.help, completion: .models, transform: plainText)
    var file: String?

    func validate() throws {
        guard file != "" else { throw ValidationError("The model's name is empty: name a model file.") }
    }
}
