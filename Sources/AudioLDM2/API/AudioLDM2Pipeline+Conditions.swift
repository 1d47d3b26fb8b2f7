import Audio
import Synchronization

extension AudioLDM2Pipeline {
    /// What the model makes of a prompt, to make sounds from without its encoders.
    /// - Parameters:
    ///   - options: their negative prompt, and whether there is guidance, count.
    ///   - warning: hears what `GenerationEvent.warning` would say.
    /// - Throws: `AudioLDM2Error`.
    public func condition(
        for prompt: String, options: GenerationOptions = .init(),
        warning: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> SoundCondition {
        try AudioLDM2Error.translating {
            let context = StageContext(model: model, backend: backend) { event in
                if case .warning(let text) = event { warning(text) }
            }
            return try Generation(prompt: prompt, options: options, context: context).encoded()
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

    /// Changes a sound several times, compares the results with the prompt by CLAP, and keeps the best.
    /// - Parameters: as `events(ranking:keeping:of:options:)` and `events(editing:_:plan:options:)`. Of long sounds, what is
    ///   heard begins with the first part that is made anew.
    public func events(
        ranking count: Int, keeping kept: Int = 1, editing clip: AudioClip, _ prompt: String, plan: EditPlan,
        options: GenerationOptions = .init()
    ) -> AsyncThrowingStream<RankingEvent, any Error> {
        run { [model, backend] cancellation, send in
            let ranking = try Ranking(prompt, count: count, keeping: kept, by: model)
            let candidate = Mutex(0)
            let context = StageContext(model: model, backend: backend, cancellation: cancellation) { event in
                switch event {
                case .plan(let plan): send(.plan(plan))
                case .progress(let progress): send(.progress(progress, candidate: candidate.withLock(\.self)))
                case .warning(let text): send(.warning(text))
                case .finished: break
                }
            }
            let edit = Edit(clip, plan, prompt, options, in: context)
            send(.finished(try edit.run(by: ranking) { number in candidate.withLock { $0 = number } }))
        }
    }

    /// Makes several sounds of a prompt, compares them with it by CLAP, and keeps the best.
    /// - Parameters:
    ///   - count: sounds to make, up to 64: those of the options' seed and the numbers after it.
    ///   - kept: how many of them to return, best first.
    public func events(
        ranking count: Int, keeping kept: Int = 1, of prompt: String, options: GenerationOptions = .init()
    ) -> AsyncThrowingStream<RankingEvent, any Error> {
        run { [model, backend] cancellation, send in
            let context = StageContext(model: model, backend: backend, cancellation: cancellation)
            try Candidates(
                prompt: prompt, options: options,
                ranking: Ranking(prompt, count: count, keeping: kept, by: model), context: context,
                report: { send($0) }
            ).run()
        }
    }
}
