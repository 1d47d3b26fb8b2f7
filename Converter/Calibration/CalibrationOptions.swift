import AudioLDM2
import AudioLDM2Diagnostics
import Checkpoints
import Foundation

/// What calibration asks of a model.
package struct CalibrationOptions: Sendable, Equatable {
    package var request = StageRequest(prompts: CalibrationOptions.prompts)
    /// Largest relative error of the denoiser's predictions.
    package var targetError = 3e-2

    package init() {}

    /// Speech, music, effects and a place: what these models are asked for.
    package static let prompts = [
        "a dog barks twice while rain falls on a tin roof", "slow piano music with a deep bass and soft drums",
    ]

    package static let targetErrors = 1e-3...1.0
    private static let mostPrompts = 16

    /// The prompts of a text file, one a line.
    /// - Throws: `CheckpointError` for a file that cannot be read, or holds none or more than are of use.
    package static func prompts(at path: String) throws -> [String] {
        let bytes = try InputFile.contents(path: path, name: path, limit: 1 << 20)
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        guard 1...mostPrompts ~= lines.count else {
            throw CheckpointError.malformed(
                file: path, reason: "holds \(lines.count) prompts; give 1 to \(mostPrompts), one a line")
        }
        return lines
    }

    /// Of a component: the denoiser's as asked for, since its errors meet at every step. What is asked once may lose what
    /// `audioldm2 verify` allows a stage of such weights; of waveforms, that is mostly in phases, which nobody hears.
    func target(of component: String) -> Double {
        switch component {
        case PartName.unet: targetError
        case PartName.vae: 3e-2
        case PartName.vocoder: 1e-1
        default: 5e-2
        }
    }
}
