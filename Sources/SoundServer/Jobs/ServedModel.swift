import AudioLDM2
import FoundationEssentials

/// A model that a server has opened.
package struct ServedModel: Sendable {
    /// As clients call it: the file's name without its extension.
    package let name: String
    package let path: String
    package let abilities: [ModelAbility]
    /// Nil for a file that makes no sounds.
    let pipeline: AudioLDM2Pipeline?
    /// Nil for a file that compares no sounds.
    let scorer: SoundScorer?
    /// Kinds of sounds that the model was trained on; empty if it does not say.
    package let classes: [String]
    package let license: String?
    /// Length of a sound unless it is said, in seconds; nil for a file that makes none.
    package var defaultSeconds: Double? { pipeline?.defaultSeconds }
    package var sampleRate: Int? { pipeline?.sampleRate }

    /// Opens a model, and reads no weights yet.
    /// - Parameter weightBudget: memory in which weights stay between sounds, in bytes.
    /// - Throws: `AudioLDM2Error`.
    package init(
        opening path: String, threads: Int?, device: ComputeDevice?, weightBudget: Int, memoryLimit: Int?
    ) async throws {
        let inspection = try ModelInspection(modelAt: path)
        self.path = path
        name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        // Such as line breaks, and bytes that are no text.
        let unseen: Set<Unicode.GeneralCategory> = [
            .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned,
        ]
        guard name.unicodeScalars.allSatisfy({ !unseen.contains($0.properties.generalCategory) }) else {
            throw AudioLDM2Error(
                .invalidOption,
                "\(path): its name has characters that clients cannot send; call the file something else")
        }
        abilities = inspection.abilities
        classes = inspection.classes.map(\.name)
        license = inspection.provenance.first { $0.key == "license" }?.value
        let makes = abilities.contains(.generate) || abilities.contains(.speak)
        pipeline =
            makes
            ? try await AudioLDM2Pipeline(
                modelAt: path, threads: threads, device: device, weightBudget: weightBudget) : nil
        scorer =
            abilities.contains(.score)
            ? try await SoundScorer(modelAt: path, threads: threads, device: device, memoryLimit: memoryLimit) : nil
    }

    /// - Parameter limit: in bytes.
    /// - Throws: `AudioLDM2Error` if not even a short sound could be made within it.
    package func requireMemory(_ limit: Int?) throws {
        guard let pipeline, let limit else { return }
        var options = SoundOptions()
        options.memoryLimit = limit
        options.seconds = SoundOptions.secondsRange.lowerBound
        _ = try pipeline.memoryPlan(options: options)
    }
}
