import AudioLDM2
import Files

/// The model that comes with this package: a small AudioLDM 2 trained on free sounds, for programs that want one that is
/// always there. `Weights/MODEL_CARD.md` says what it can do; its weights are under CC-BY-SA-4.0.
public enum DefaultModel {
    static let fileName = "default.aldm"

    /// Where the model is: among SwiftPM's resources beside the program, or, where the program is installed in `bin`, in
    /// `share/audioldm2` beside that.
    /// - Throws: `AudioLDM2Error` of kind `.modelFile` if it is in neither place.
    public static func path() throws -> String {
        // Not by Foundation's bundles: they end the program where the file is missing, or its folder's name is no text.
        guard let program = FileName.resolved("/proc/self/exe") else {
            throw AudioLDM2Error(.modelFile, "\(fileName): the program's own folder cannot be found; name a model file")
        }
        return try path(beside: FileName.folder(of: program))
    }

    /// - Parameter program: the program's folder.
    package static func path(beside program: String) throws -> String {
        let places = [
            "\(program)/AudioLDM2_AudioLDM2DefaultModel.resources/\(fileName)",
            "\(FileName.folder(of: program))/share/audioldm2/\(fileName)",
        ]
        guard let found = places.first(where: FileName.exists) else {
            throw AudioLDM2Error(
                .modelFile,
                "the model that comes with this program is neither \(places[0]) nor \(places[1]); put it there or name "
                    + "another model file (--model)")
        }
        return found
    }
}

extension AudioLDM2Pipeline {
    /// Opens the model that comes with this package; see `init(modelAt:threads:device:notice:)`.
    /// - Throws: `AudioLDM2Error`, also where `DefaultModel.path()` finds none.
    public static func ofDefaultModel(threads: Int? = nil, device: ComputeDevice? = nil) throws -> AudioLDM2Pipeline {
        try AudioLDM2Pipeline(modelAt: DefaultModel.path(), threads: threads, device: device)
    }
}
