import AudioLDM2
import Tensors

extension TraceStage {
    /// Noisy latents to the predicted noise.
    static func unet(_ model: Model) -> TraceStage {
        let config = model.unetConfig
        let widths = config.contextWidths
        let contexts = widths.enumerated().compactMap { index, width in
            width.map { TraceInput("unet.context\(index)", ["B", .named("n\(index)"), .fixed($0)]) }
        }
        let masks = widths.enumerated().compactMap { index, width in
            width.map { _ in TraceInput("unet.mask\(index)", ["B", .named("n\(index)")], .mask, isRequired: false) }
        }
        let film = config.filmWidth.map { [TraceInput("unet.film", ["B", .fixed($0)])] } ?? []
        return TraceStage(
            inputs: [
                TraceInput("unet.input", ["B", .fixed(config.inChannels), "T", "F"]), TraceInput("unet.t", ["B"]),
            ] + contexts + masks + film,
            outputs: ["unet.eps"]
        ) { values, context in
            let (samples, timesteps) = (try values.channelsLast("unet.input"), try values.array("unet.t").values)
            return try context.withUNet { unet in
                let predictions = try (0..<samples.shape[0]).map { sample in
                    let conditioning = try unet.conditioning(values, sample: sample, contexts: widths.count)
                    return try unet(
                        samples.outermost(sample..<sample + 1),
                        unet.conditioning(conditioning, at: [timesteps[sample]], on: context.backend))
                }
                return [try TraceArray(channelsFirst: Tensor.concatenate(predictions, axis: 0))]
            }
        }
    }

    /// Latents, as the diffusion loop leaves them, to log-mel spectrogram.
    static func vaeDecoder(_ model: Model) -> TraceStage {
        let config = model.vaeConfig
        return TraceStage(
            inputs: [TraceInput("vae.latent", ["B", .fixed(config.latentChannels), "T", "F"])], outputs: ["vae.mel"]
        ) { values, context in
            let latents = try values.channelsLast("vae.latent")
            return [try TraceArray(channelsFirst: LatentDecoder(context: context).mel(latents))]
        }
    }

    /// Log-mel spectrogram to waveform, uncut.
    static func vocoder(_ model: Model) -> TraceStage {
        let config = model.vocoderConfig
        return TraceStage(
            inputs: [TraceInput("vocoder.mel", ["B", .fixed(config.modelInDim), "T"])], outputs: ["vocoder.waveform"]
        ) { values, context in
            let mel = try values.channelsLast("vocoder.mel")
            return [
                try TraceArray(channelsFirst: context.with(HiFiGAN.self, config) { vocode in try vocode(mel) })
            ]
        }
    }

    /// Log-mel spectrogram to what is added to the logarithms of its magnitudes; nil for a model without the network.
    static func magnitudes(_ model: Model) -> TraceStage? {
        guard let config = model.magnitudeConfig else { return nil }
        return TraceStage(
            inputs: [TraceInput("magnitudes.mel", ["B", .fixed(config.modelInDim), "T"])],
            outputs: ["magnitudes.correction"]
        ) { values, context in
            let mel = try values.channelsLast("magnitudes.mel")
            let (count, frames) = (mel.shape[0], mel.shape[1])
            let corrections = try context.with(MagnitudeNetwork.self, config) { network in
                try (0..<count).flatMap { sample in
                    try network(mel.outermost(sample..<sample + 1).values(), on: values.backend)
                }
            }
            return [TraceArray([count, frames, config.numBins], corrections)]
        }
    }
}

extension UNet {
    /// What one sample's `unet.context…` and `unet.mask…` condition.
    fileprivate func conditioning(_ values: TraceValues, sample: Int, contexts: Int) throws -> UNetConditioning {
        func part(_ name: String, _ convert: (Tensor) throws -> Tensor = { $0 }) throws -> Tensor? {
            guard values[name] != nil else { return nil }
            return try convert(values.tensor(name).outermost(sample..<sample + 1))
        }
        return try conditioning(
            contexts: (0..<contexts).map { try part("unet.context\($0)") },
            masks: (0..<contexts).map { try part("unet.mask\($0)", ConditionedUNet.additiveMask) },
            film: part("unet.film"))
    }
}
