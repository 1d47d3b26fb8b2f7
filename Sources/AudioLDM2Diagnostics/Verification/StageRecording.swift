import Audio
import AudioLDM2
import Diffusion
import Tensors

/// What a model made of some prompts, stage by stage, and what each stage was given: other weights of the same checkpoint
/// can be asked the same, each stage by itself.
package struct StageRecording {
    /// One component at work.
    package struct Stage: Sendable {
        package let component: String
        /// What it makes.
        package let name: String
        /// What was made, of every prompt and step.
        let results: [TraceArray]
        fileprivate let compute: @Sendable (GenerationContext) throws -> [TraceArray]

        /// How far the same stage is off with the weights and the backend of another context.
        /// - Throws: what computing throws; `AudioLDM2Error` for another model.
        package func error(in context: GenerationContext) throws -> StageError {
            let errors = try zip(compute(context), results).map { ours, recorded in
                ours.shape == recorded.shape ? Comparison.relativeError(ours.values, recorded.values) : .infinity
            }
            let mean = errors.reduce(0) { $0 + $1 * $1 } / Double(max(errors.count, 1))
            return StageError(
                component: component, name: name, relativeError: mean.squareRoot(), largest: errors.max() ?? 0)
        }
    }

    package private(set) var stages: [Stage] = []
    private let request: StageRequest
    private let context: GenerationContext
    private let onStage: (Stage) throws -> Void

    /// Runs a model.
    /// - Parameter onStage: sees each stage as soon as it is done, while nothing of it is in memory any more but its results.
    /// - Throws: `AudioLDM2Error` for prompts that cannot be read, or a stage whose results are not finite; what computing
    ///   throws.
    package init(
        _ request: StageRequest, of context: GenerationContext, onStage: @escaping (Stage) throws -> Void = { _ in }
    ) throws {
        (self.request, self.context, self.onStage) = (request, context, onStage)
        let prompts = try readPrompts()
        let latents = try denoise(prompts)
        let spectrograms = try record(PartName.vae, "mel") { context in
            try latents.map { try TraceArray(LatentDecoder(context: context).mel($0.tensor(on: context.backend))) }
        }
        if let config = context.model.magnitudeConfig {
            _ = try record(PartName.magnitudes, "magnitudes.correction") { context in
                try context.with(MagnitudeNetwork.self, config) { network in
                    try spectrograms.map { spectrogram in
                        let rows = try network(spectrogram.values, on: context.backend)
                        return TraceArray([rows.count / config.numBins, config.numBins], rows)
                    }
                }
            }
        }
        let samples = try ClipLength(seconds: request.seconds, model: context.model).samples
        let waveforms = try record(PartName.vocoder, "waveform") { context in
            try spectrograms.map {
                let mel = try $0.tensor(on: context.backend)
                return TraceArray([samples], try LatentDecoder(context: context).waveform(mel, samples: samples))
            }
        }
        try listen(to: waveforms.map(\.values), spectrograms)
    }

    /// Does a stage's work, and keeps it and what it made.
    private mutating func record(
        _ component: String, _ name: String, results: [TraceArray]? = nil,
        _ compute: @escaping @Sendable (GenerationContext) throws -> [TraceArray]
    ) throws -> [TraceArray] {
        let stage = Stage(
            component: component, name: name, results: try results ?? compute(context), compute: compute)
        guard stage.results.allSatisfy({ $0.values.allSatisfy(\.isFinite) }) else {
            throw AudioLDM2Error(
                .modelFile,
                "\(component): what it makes of the prompts (\(name)) is not finite; its weights, or those of what comes "
                    + "before it, are damaged or their training diverged")
        }
        stages.append(stage)
        try onStage(stage)
        return stage.results
    }
}

// MARK: - Text

extension StageRecording {
    /// One prompt as the denoiser reads it, negative text first.
    private struct Prompt: Sendable {
        let tokens: [PromptEncoder.Tokens]
        let films: [TraceArray?]
        let languages: [TraceArray?]
        let states: [TraceArray?]

        func conditions(on backend: any Backend) throws -> [Condition] {
            try tokens.indices.map { index in
                Condition(
                    film: try films[index]?.tensor(on: backend), loa: try languages[index]?.tensor(on: backend),
                    states: try states[index]?.tensor(on: backend),
                    mask: tokens[index].second?.attentionMask ?? [])
            }
        }
    }

    private mutating func readPrompts() throws -> [Prompt] {
        let model = context.model
        let encoder = PromptEncoder(context: context)
        let tokens = try request.prompts.flatMap { prompt in
            try encoder.tokenize(
                prompt, negative: request.negativePrompt, speech: model.speaks ? .phonemes(request.phonemes) : nil)
        }
        func recordTexts(
            _ component: String, _ name: String, if isThere: Bool,
            _ compute: @escaping @Sendable (PromptEncoder) throws -> [Tensor?]
        ) throws -> [TraceArray?] {
            guard isThere else { return tokens.map { _ in nil } }
            return try record(component, name) { context in
                try compute(PromptEncoder(context: context)).compactMap(\.self).map { try TraceArray($0) }
            }
        }
        let embeddings = try recordTexts(PartName.clap, "clap.text", if: model.isConditionedOnCLAP) {
            try $0.embeddings(tokens)
        }
        let states = try recordTexts(PartName.second, "second.hidden", if: model.secondConfig != nil) {
            try $0.states(tokens)
        }
        let languages = try recordTexts(PartName.languageModel, "loa", if: model.languageModelConfig != nil) {
            let backend = $0.context.backend
            return try $0.languageOfAudio(
                tokens, embeddings: embeddings.map { try $0?.tensor(on: backend) },
                states: states.map { try $0?.tensor(on: backend) })
        }
        let hasFilm = model.unetConfig.filmWidth != nil
        let sides = tokens.count / max(request.prompts.count, 1)
        return stride(from: 0, to: tokens.count, by: max(sides, 1)).map { first in
            let range = first..<first + sides
            return Prompt(
                tokens: Array(tokens[range]), films: range.map { hasFilm ? embeddings[$0] : nil },
                languages: Array(languages[range]), states: Array(states[range]))
        }
    }
}

// MARK: - Sound

extension StageRecording {
    /// What the denoiser was given at every step.
    private struct Way: Sendable {
        let prompt: Prompt
        let samples: [TraceArray]
    }

    /// - Returns: every prompt's latents.
    private mutating func denoise(_ prompts: [Prompt]) throws -> [TraceArray] {
        let context = context
        let guidance = Guidance(scale: request.guidanceScale)
        let length = try ClipLength(seconds: request.seconds, model: context.model)
        let shape: Shape = [1, length.latentFrames, length.latentBands, context.model.unetConfig.inChannels]
        let scheduler = try scheduler()
        let timesteps = scheduler.timesteps
        var (latents, results, ways): ([TraceArray], [TraceArray], [Way]) = ([], [], [])
        try context.withUNet { unet in
            for (index, prompt) in prompts.enumerated() {
                let conditioned = try ConditionedUNet(
                    unet, conditions: [prompt.conditions(on: context.backend)], context: context)
                let predictor = try conditioned.predictor(at: timesteps, guidance)
                var scheduler = scheduler
                var noise = NoiseSource(seeds: [request.seed + UInt64(index)], on: context.backend)
                var sample = try scheduler.initialNoiseScale * noise.normal(shape)
                var samples: [TraceArray] = []
                for step in timesteps.indices {
                    try Task.checkCancellation()
                    let input = try scheduler.scaleInput(sample, step: step)
                    samples.append(try TraceArray(input))
                    let predictions = try predictor.predictions(input, step: step)
                    results.append(try TraceArray(predictions))
                    sample = try scheduler.step(
                        conditioned.guided(predictions, by: guidance), step: step, sample: sample
                    ) { try noise.normal($0) }
                }
                ways.append(Way(prompt: prompt, samples: samples))
                latents.append(try TraceArray(sample))
            }
        }
        _ = try record(PartName.unet, "unet.eps", results: results) { [ways] context in
            try context.withUNet { unet in
                try ways.flatMap { way in
                    let conditions = try way.prompt.conditions(on: context.backend)
                    let predictor = try ConditionedUNet(unet, conditions: [conditions], context: context)
                        .predictor(at: timesteps, guidance)
                    return try way.samples.enumerated().map { step, sample in
                        try Task.checkCancellation()
                        return try TraceArray(predictor.predictions(sample.tensor(on: context.backend), step: step))
                    }
                }
            }
        }
        return latents
    }

    /// The usual scheduler, or the first that can run what the model says.
    private func scheduler() throws -> any Scheduler {
        let config = context.model.schedulerConfig
        let usable = [SchedulerKind.dpmpp, .euler, .unipc].lazy.compactMap { [steps = request.steps] kind in
            try? makeScheduler(kind, config: config, steps: steps)
        }
        return try usable.first ?? makeScheduler(.ddim, config: config, steps: request.steps)
    }

    private mutating func listen(to waveforms: [[Float]], _ spectrograms: [TraceArray]) throws {
        let model = context.model
        let rate = model.vocoderConfig.samplingRate
        if model.has(.vaeEncoder) {
            _ = try record(PartName.vaeEncoder, "vae.encode.mean") { context in
                try spectrograms.map {
                    let mel = try $0.tensor(on: context.backend)
                    return try TraceArray(LatentEncoder(context: context).posterior(mel).mean)
                }
            }
        }
        if model.has(.clapAudio) {
            let heard = try model.clapFeatureConfig().samplingRate
            let sounds = waveforms.map { Resampler.resample($0, from: rate, to: heard) }
            _ = try record(PartName.clapAudio, "clap.audio") { context in
                try SoundEncoder(context).clapEmbeddings(of: sounds) { $0 }.map { try TraceArray($0) }
            }
        }
        if model.has(.audioMAE) {
            let heard = try model.audioMAEConfig().samplingRate
            let sounds = waveforms.map { Resampler.resample($0, from: rate, to: heard) }
            _ = try record(PartName.audioMAE, "audiomae.loa") { context in
                try SoundEncoder(context).languageOfAudio(of: sounds).map { try TraceArray($0) }
            }
        }
    }
}

extension TraceArray {
    /// On a backend, in the order in which it was taken.
    fileprivate func tensor(on backend: any Backend) throws -> Tensor { try backend.upload(values, shape) }
}
