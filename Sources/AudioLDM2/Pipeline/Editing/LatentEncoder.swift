import Tensors

/// Waveform to mel spectrogram to latents: the way back of `LatentDecoder`.
package struct LatentEncoder {
    let context: GenerationContext

    package init(context: GenerationContext) { self.context = context }

    /// - Parameters:
    ///   - samples: mono, at the model's sample rate.
    ///   - frames: how many are wanted; silence follows if the sound has fewer.
    /// - Returns: log-mel spectrogram `[1, frames, bands, 1]`.
    package func mel(_ samples: [Float], frames: Int? = nil) throws -> Tensor {
        try MelFrontEnd(context.model.melConfig())(samples, frames: frames, on: context.backend)
    }

    /// - Parameter mel: `[batch, frames, bands, 1]`, with multiples of the VAE's scale of frames.
    /// - Returns: mean and log variance `[batch, time, frequency, channels]`, as the VAE has them: unscaled.
    package func posterior(_ mel: Tensor) throws -> (mean: Tensor, logvar: Tensor) {
        let model = context.model
        try model.require(.vaeEncoder)
        return try context.with(VAEEncoder.self, model.vaeConfig) { try $0(mel) }
    }
}
