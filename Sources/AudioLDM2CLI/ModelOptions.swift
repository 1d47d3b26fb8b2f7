import ArgumentParser
import AudioLDM2DefaultModel

/// `--model`, the same for every command that makes or judges sounds.
struct ModelOption: ParsableArguments {
    @Option(
        name: [.customShort("m"), .customLong("model")],
        help: ArgumentHelp("The model file. Default: the model that comes with this program.", valueName: "model"))
    var file: String?

    /// - Throws: `AudioLDM2Error` if none was named and the program's own is not there.
    var path: String { get throws { try file ?? DefaultModel.path() } }

    func validate() throws {
        guard file != "" else { throw ValidationError("--model is empty: name a model file.") }
    }
}

/// The model as the argument of commands that look into it.
struct ModelArgument: ParsableArguments {
    @Argument(
        help: ArgumentHelp("The model file. Default: the model that comes with this program.", valueName: "model"),
        completion: .file(extensions: ["aldm"]))
    var file: String?

    /// - Throws: `AudioLDM2Error` if none was named and the program's own is not there.
    var path: String { get throws { try file ?? DefaultModel.path() } }

    func validate() throws {
        guard file != "" else { throw ValidationError("The model's name is empty: name a model file.") }
    }
}
