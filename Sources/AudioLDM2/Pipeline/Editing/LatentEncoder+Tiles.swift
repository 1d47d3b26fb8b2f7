import Tensors

extension LatentEncoder {
    /// Latents of a sound of any length, piece by piece.
    /// - Parameters:
    ///   - frames: of latents; silence follows if the sound has fewer.
    ///   - tile: frames of latents that are encoded at once.
    /// - Returns: `[1, frames, bands, channels]`.
    func latents(of samples: [Float], frames: Int, tile: Int) throws -> Tensor {
        let scale = context.model.vaeConfig.scaleFactor
        let samples = samples.isEmpty ? [0] : samples
        let mel = try mel(samples, frames: frames * scale)
        let (context, config) = (context, context.model.vaeConfig)
        try context.model.require(.vaeEncoder)
        let margin = tile / 8
        return try context.with(VAEEncoder.self, config) { encode in
            func latents(_ mel: Tensor) throws -> Tensor { try config.scalingFactor * encode(mel).mean }
            guard frames > tile else { return try latents(mel) }
            let pieces = try stride(from: 0, to: frames, by: tile - 2 * margin).map { start in
                try context.cancellation.check()
                let end = min(start + tile - 2 * margin, frames)
                let (low, high) = (max(start - margin, 0), min(end + margin, frames))
                let piece = try latents(mel.slice(axis: 1, low * scale..<high * scale))
                return try piece.slice(axis: 1, start - low..<end - low)
            }
            return try Tensor.concatenate(pieces, axis: 1)
        }
    }
}
