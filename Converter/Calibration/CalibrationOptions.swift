import AudioLDM2
import AudioLDM2Diagnostics

/// What calibration asks of a model.
package struct CalibrationOptions: Sendable, Equatable {
    package var request = StageRequest(prompts: CalibrationOptions.prompts)
    /// Largest relative error of the denoiser's predictions.
    package var targetError = 3e-2

    package init() {}

    /// An effect in a place, and music.
    package static let prompts = [
        "a dog barks twice while rain falls on a tin roof", "slow piano music with a deep bass and soft drums",
    ]

    package static let targetErrors = 1e-3...1.0
    /// Prompts that are of use: further ones cost time and change little.
    package static let mostPrompts = 16

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
