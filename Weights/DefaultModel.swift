import AudioLDM2
import CMappings
import Files
import Glibc

/// The model that comes with this package: a small AudioLDM 2 trained on free sounds, for programs that want one that is
/// always there. `Weights/MODEL_CARD.md` says what it can do; its weights are under CC-BY-SA-4.0.
public enum DefaultModel {
    static let fileName = "default.aldm"

    /// Where the model is: among SwiftPM's resources beside the program, or beside the library or test bundle that holds this
    /// code; or, where either is installed in `bin`, `lib` or a folder of `lib`, in `share/audioldm2` beside those.
    /// - Throws: `AudioLDM2Error` of kind `.modelFile` if it is in none of these places.
    public static func path() throws -> String {
        // Not by Foundation's bundles: they end the program where the file is missing, or its folder's name is no text.
        let homes = [FileName.resolved("/proc/self/exe"), library].compactMap(\.self).map(FileName.folder(of:))
        guard !homes.isEmpty else {
            throw AudioLDM2Error(.modelFile, "\(fileName): the program's own folder cannot be found; name a model file")
        }
        return try path(beside: homes)
    }

    /// The file that this code was loaded from: a program's, or a library's.
    private static var library: String? {
        cmappings_library().map { FileName.text(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
    }

    /// - Parameter folders: of the program, and of what holds this code.
    package static func path(beside folders: [String]) throws -> String {
        var places: [String] = []
        for folder in folders {
            let home = FileName.folder(of: folder)
            places.append("\(folder)/AudioLDM2_AudioLDM2DefaultModel.resources/\(fileName)")
            places.append("\(home)/share/audioldm2/\(fileName)")
            // A library in lib/x86_64-linux-gnu.
            places.append("\(FileName.folder(of: home))/share/audioldm2/\(fileName)")
        }
        guard let found = places.first(where: FileName.exists) else {
            throw AudioLDM2Error(
                .modelFile,
                "the model that comes with AudioLDM 2 is in none of \(places.joined(separator: ", ")); install it (Debian's "
                    + "package audioldm2), or name another model file")
        }
        return found
    }
}

extension AudioLDM2Pipeline {
    /// Opens the model that comes with this package; see `init(modelAt:threads:device:weightBudget:notice:)`.
    /// - Throws: `AudioLDM2Error`, also where `DefaultModel.path()` finds none.
    public static func ofDefaultModel(
        threads: Int? = nil, device: ComputeDevice? = nil, weightBudget: Int = 0
    ) async throws -> AudioLDM2Pipeline {
        try await AudioLDM2Pipeline(
            modelAt: DefaultModel.path(), threads: threads, device: device, weightBudget: weightBudget)
    }
}
