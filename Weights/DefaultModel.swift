import AudioLDM2
import Foundation

/// The model that comes with this package: a small AudioLDM 2 trained on free sounds, for programs that want one that is
/// always there. `Weights/MODEL_CARD.md` says what it can do; its weights are under CC-BY-SA-4.0.
public enum DefaultModel {
    static let fileName = "default.aldm"

    /// Where the model is: among SwiftPM's resources beside the program, or, where the program is installed in `bin`, in
    /// `share/audioldm2` beside that.
    /// - Throws: `AudioLDM2Error` of kind `.modelFile` if it is in neither place.
    public static func path() throws -> String {
        guard let program = Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent() else {
            throw AudioLDM2Error(.modelFile, "\(fileName): the program's own folder cannot be found; name a model file")
        }
        return try path(beside: program)
    }

    /// Not by `Bundle.module`, which ends the program where the file is missing.
    package static func path(beside program: URL) throws -> String {
        let places = [
            program.appendingPathComponent("AudioLDM2_AudioLDM2DefaultModel.resources"),
            program.appendingPathComponent("../share/audioldm2").standardized,
        ].map { $0.appendingPathComponent(fileName).path }
        guard let found = places.first(where: FileManager.default.fileExists) else {
            throw AudioLDM2Error(
                .modelFile,
                "the model that comes with this program is neither \(places[0]) nor \(places[1]); put it there or name "
                    + "another model file (--model)")
        }
        return found
    }
}

extension AudioLDM2Pipeline {
    /// Opens the model that comes with this package; see `init(modelAt:threads:device:)`.
    /// - Throws: `AudioLDM2Error`, also where `DefaultModel.path()` finds none.
    public static func ofDefaultModel(threads: Int? = nil, device: ComputeDevice? = nil) throws -> AudioLDM2Pipeline {
        try AudioLDM2Pipeline(modelAt: DefaultModel.path(), threads: threads, device: device)
    }
}
