import ArgumentParser
import AudioLDM2DefaultModel
import Terminal

/// A model that the user may have named.
protocol NamedModel {
    var file: String? { get }
}

extension NamedModel {
    /// - Throws: `AudioLDM2Error` if none was named and the program's own is not there.
    var path: String { get throws { try file ?? DefaultModel.path() } }
}

/// `--model`, the same for every command that makes or judges sounds.
struct ModelOption: ParsableArguments, NamedModel {
    @Option(
        name: [.customShort("m"), .customLong("model")],
        help: ArgumentHelp("The model file. Default: the model that comes with this program.", valueName: "model"),
        completion: .models, transform: plainText)
    var file: String?

    func validate() throws {
        guard file != "" else { throw ValidationError("--model is empty: name a model file.") }
    }

    /// For commands that judge sounds.
    func noteHowItJudges() {
        guard file == nil else { return }
        printNote(
            "note: the model that comes with this program hardly tells sounds apart: its scores are hints at best")
    }
}

/// The model as the argument of commands that look into it.
struct ModelArgument: ParsableArguments, NamedModel {
    @Argument(
        help: ArgumentHelp("The model file. Default: the model that comes with this program.", valueName: "model"),
        completion: .models, transform: plainText)
    var file: String?

    func validate() throws {
        guard file != "" else { throw ValidationError("The model's name is empty: name a model file.") }
    }
}
