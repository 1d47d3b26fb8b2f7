import Audio

extension AudioLDM2Pipeline {
    /// What the model makes of a prompt, to make sounds from without its encoders.
    /// - Parameters:
    ///   - options: their negative prompt, speech and profile count, and whether there is guidance.
    ///   - warning: hears what `SoundEvent.warning` would say, on the working thread.
    /// - Throws: `AudioLDM2Error`; `CancellationError`.
    public func condition(
        for prompt: String, options: SoundOptions = .init(),
        warning: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> SoundCondition {
        try await perform { event in
            if case .warning(let found) = event { warning(found.description) }
        } _: { context in
            try SoundJob(context).condition(for: SoundRequest(prompt: prompt, options: options))
        }
    }

    /// The language of audio of a sound, by AudioMAE: a condition that stands in for a prompt's, or is mixed with it.
    /// - Parameters:
    ///   - path: of a file of any format, rate and number of channels; its first ten seconds count.
    ///   - notice: is told what was done to the sound that nobody expects, on the working thread.
    /// - Throws: `AudioLDM2Error`, also for a model file without AudioMAE; `CancellationError`.
    public func languageOfAudio(
        of path: String, notice: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> SoundCondition {
        try await perform { context in
            let config = try context.model.audioMAEConfig()
            let samples = try SoundFile.readMono(
                path, sampleRate: config.samplingRate, maximumSeconds: AudioMAEFeatures(config).maximumSeconds,
                excess: .cut, notice: notice)
            let loa = try SoundEncoder(context).languageOfAudio(of: [samples])[0]
            let name = path.split(separator: "/").last.map(String.init) ?? path
            return SoundCondition(
                source: name, [NamedTensor(name: "loa", shape: loa.shape.extents, values: try loa.values())])
        }
    }
}
