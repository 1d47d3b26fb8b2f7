import Audio

extension AudioLDM2Pipeline {
    /// What the model makes of a prompt, to make sounds from without its encoders.
    /// - Parameters:
    ///   - options: their negative prompt, speech and profile count, and whether there is guidance.
    ///   - warning: hears what `GenerationEvent.warning` would say.
    /// - Throws: `AudioLDM2Error`.
    public func condition(
        for prompt: String, options: GenerationOptions = .init(),
        warning: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> SoundCondition {
        try AudioLDM2Error.translating {
            let context = StageContext(model: model, backend: backend) { event in
                if case .warning(let found) = event { warning(found.description) }
            }
            return try SoundJob(context).condition(for: GenerationRequest(prompt: prompt, options: options))
        }
    }

    /// The language of audio of a sound, by AudioMAE: a condition that stands in for a prompt's, or is mixed with it.
    /// - Parameters:
    ///   - path: of a file of any format, rate and number of channels; its first ten seconds count.
    ///   - notice: is told what was done to the sound that nobody expects.
    /// - Throws: `AudioLDM2Error`, also for a model file without AudioMAE.
    public func languageOfAudio(
        of path: String, notice: (String) -> Void = { _ in }
    ) throws -> SoundCondition {
        try AudioLDM2Error.translating {
            let config = try model.audioMAEConfig()
            let samples = try SoundFile.readMono(
                path, sampleRate: config.samplingRate, maximumSeconds: AudioMAEFeatures(config).maximumSeconds,
                excess: .cut, notice: notice)
            let context = StageContext(model: model, backend: backend)
            let loa = try SoundEncoder(context: context).languageOfAudio(of: [samples])[0]
            let name = path.split(separator: "/").last.map(String.init) ?? path
            return SoundCondition(
                source: name, [NamedTensor(name: "loa", shape: loa.shape.extents, values: try loa.values())])
        }
    }
}
