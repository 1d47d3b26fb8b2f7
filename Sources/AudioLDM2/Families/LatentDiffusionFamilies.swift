import WeightFile

/// Text to latents to a mel spectrogram to a waveform. What tells these families apart is what their denoiser reads.
extension ModelFamily {
    private static let sounding = [PartName.unet, PartName.vae, PartName.vocoder]

    /// The language of audio, which GPT-2 makes of what CLAP and FLAN-T5 say, and FLAN-T5's states (arXiv 2308.05734).
    static let audioLDM2 = ModelFamily(
        name: "audioldm2", summary: "AudioLDM 2, text to sound and music",
        requiredParts: [PartName.clap, PartName.second, PartName.projection, PartName.languageModel] + sounding,
        makesSounds: true
    ) { $0[PartName.languageModel] != nil }

    /// The same with phonemes in the place of FLAN-T5's tokens: the text to say is theirs, the prompt says who speaks.
    static let speech = ModelFamily(
        name: "audioldm2-speech", summary: "AudioLDM 2, text to speech", requiredParts: audioLDM2.requiredParts,
        makesSounds: true
    ) { parts in
        parts[PartName.languageModel] != nil
            && parts[PartName.second].map { PhonemeEncoder.classNames.contains($0.className) } == true
    }

    /// CLAP's embedding alone, beside the time (arXiv 2301.12503).
    static let audioLDM = ModelFamily(
        name: "audioldm", summary: "AudioLDM, text to sound and music", requiredParts: [PartName.clap] + sounding,
        makesSounds: true
    ) { parts in
        parts[PartName.unet] != nil && ![PartName.second, PartName.languageModel].contains { parts[$0] != nil }
    }

    /// FLAN-T5's states alone: the authors' model for the high sample rate.
    static let crossAttention = ModelFamily(
        name: "audioldm2-t5", summary: "AudioLDM 2 that reads FLAN-T5 alone, text to sound and music",
        requiredParts: [PartName.second] + sounding, makesSounds: true
    ) { $0[PartName.unet] != nil && $0[PartName.second] != nil }
}
