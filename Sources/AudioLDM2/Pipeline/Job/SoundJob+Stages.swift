import Tensors
import Text

extension SoundJob {
    /// All the work. Text encoders and UNet are loaded once, and the UNet works on as many sounds as are made alike and
    /// memory has room for.
    /// - Parameter take: gets each sound, without samples if they were streamed.
    func compute(_ items: [Item], take: (Item, AudioClip, SoundRecord) throws -> Void) throws {
        var items = items
        try denoise(&items, encode(&items))
        for var item in items {
            guard let latents = item.latents.take() else { continue }
            try attempt([item.number]) {
                let (clip, seconds, isSilent) = try sound(&item, latents)
                let record = item.request.record(seconds: seconds, isSilent: isSilent, edit: edit?.plan)
                try take(item, handedOver(clip), record)
            }
        }
    }

    /// Each text once, and what is changed.
    private func encode(_ items: inout [Item]) throws -> KnownLatents? {
        guard let first = items.first else { return nil }
        var timer = StageTimer()
        let known = try timer.measure(.encoding) {
            let known = try edit?.known(in: context)
            var texts: [PromptEncoder.Tokens: Int] = [:]
            for tokens in items.flatMap(\.tokens) where texts[tokens] == nil { texts[tokens] = texts.count }
            let ordered = texts.sorted { $0.value < $1.value }.map(\.key)
            let conditions = try PromptEncoder(context: context.about(first.number)).encode(ordered)
            items = try items.compactMap { item in
                try attempt([item.number]) {
                    var item = item
                    let own = item.tokens.compactMap { texts[$0].map { conditions[$0] } }
                    item.conditions = try item.request.conditions(own, on: context.backend)
                    return item
                }
            }
            return known
        }
        for place in items.indices { items[place].timer.add(timer, sharedBy: items.count) }
        return known
    }

    private func denoise(_ items: inout [Item], _ known: KnownLatents?) throws {
        guard !items.isEmpty else { return }
        try context.withUNet { unet in
            for places in Self.batches(of: items, at: context.memory.batching.sounds) {
                let batch = places.map { items[$0] }
                var timer = StageTimer()
                let latents = try attempt(batch.map(\.number)) {
                    try timer.measure(.denoising) { try self.latents(of: batch, known, with: unet) }
                }
                for (sound, place) in places.enumerated() {
                    items[place].latents = try latents?.outermost(sound..<sound + 1)
                    items[place].conditions = []
                    items[place].timer.add(timer, sharedBy: places.count)
                }
            }
        }
    }

    /// From noise to latents, of sounds that are made alike but for their conditions and seeds.
    /// - Returns: `[sounds, frames, bands, channels]`: each is what it would be alone.
    private func latents(of batch: [Item], _ known: KnownLatents?, with unet: UNet) throws -> Tensor {
        let request = batch[0].request
        let (model, backend) = (context.model, context.backend)
        let frames = edit?.span.count ?? request.length.latentFrames
        let all = LatentWindows(frames: frames, longest: request.windowFrames, isCircular: request.options.loops)
        let windows = all?.first(context.memory.stepLimit)
        let context = context.about(request.number)
        let conditioned = try ConditionedUNet(unet, conditions: batch.map(\.conditions), context: context)
        let denoise = DiffusionLoop(context: context, windows: windows, known: known)
        var source = NoiseSource(seeds: batch.map(\.request.seed), on: backend)
        let noise = try source.normal([batch.count, frames, request.length.latentBands, model.unetConfig.inChannels])
        let skipped = edit?.skipped(of: request.options.steps(for: model)) ?? 0
        let scheduler = try request.options.scheduler(for: model, skipped: skipped)
        var predictor = try predictor(conditioned, at: scheduler.timesteps, request.options, of: all)
        if let guided = request.options.guidedSteps(of: scheduler.timesteps, for: model) {
            // The prompt's prediction alone: of the sides of guidance the last.
            let alone = try ConditionedUNet(
                unet, conditions: batch.map { $0.conditions.suffix(1) }, context: context)
            predictor = IntervalPredictor(
                guided: predictor,
                alone: try self.predictor(alone, at: scheduler.timesteps, request.options, of: all),
                // Guidance takes more memory.
                isGuided: context.memory.isPlanning ? guided.map { _ in true } : guided)
        }
        return try denoise(noise, scheduler, predictor) { try source.normal($0) }
    }

    /// The exact predictor, or what spares work. Nothing is carried on for windows that move, nor for more of them than memory
    /// is planned for.
    private func predictor(
        _ conditioned: ConditionedUNet, at timesteps: [Float], _ options: SoundOptions, of windows: LatentWindows?
    ) throws -> any NoisePredictor {
        let guidance = options.guidance(for: context.model)
        let isCarried = windows.map { !$0.isCircular && $0.starts.count <= MemoryUse.plannedSteps } ?? true
        guard isCarried, let policy = options.policy(for: context.model) else {
            return try conditioned.predictor(at: timesteps, guidance)
        }
        return try conditioned.predictor(
            at: timesteps, guidance, context.memory.isPlanning ? policy.forPlanning : policy)
    }

    /// Places of sounds that differ in nothing that the UNet would notice but the numbers it is given.
    private static func batches(of items: [Item], at most: Int) -> [[Int]] {
        struct Kind: Hashable {
            let options: SoundOptions
            /// Lengths of the conditions.
            let tokens: [Int]
        }
        let kinds = items.map { item in
            var options = item.request.options
            options.negativePrompt = ""
            options.seed = nil
            options.speech = nil
            options.condition = nil
            return Kind(
                options: options,
                tokens: item.conditions.flatMap { [$0.loa?.shape[1] ?? 0, $0.states?.shape[1] ?? 0] })
        }
        var batches: [[Int]] = []
        for place in items.indices {
            if let alike = batches.lastIndex(where: { kinds[$0[0]] == kinds[place] && $0.count < most }) {
                batches[alike].append(place)
            } else {
                batches.append([place])
            }
        }
        return batches
    }

    /// A changed sound, whose samples leave block by block if they are wanted so; what was not changed has left before.
    private func handedOver(_ clip: AudioClip) throws -> AudioClip {
        guard let edit, let receive, !context.memory.isPlanning else { return clip }
        for start in stride(from: edit.untouched.count, to: clip.samples.count, by: Self.blockCount * clip.channels) {
            try context.cancellation.check()
            try receive(Array(clip.samples[start..<min(start + Self.blockCount * clip.channels, clip.samples.count)]))
        }
        return AudioClip(samples: [], sampleRate: clip.sampleRate, channels: clip.channels)
    }

    /// Frames of a changed sound that leave at once.
    private static var blockCount: Int { 4096 }

    // MARK: Decoding

    /// The sound of some latents: with the next seed as long as it comes out silent and attempts are left. What leaves while
    /// it is made has told its seed before.
    /// - Returns: also its length, if that is not what was asked for.
    private func sound(
        _ item: inout Item, _ latents: Tensor
    ) throws -> (clip: AudioClip, seconds: Double?, isSilent: Bool) {
        var finish = try finish(item.request)
        try decode(latents, &item, &finish)
        let mayRetry = receive == nil && edit == nil && !context.memory.isPlanning
        while mayRetry, finish.isSilent, let next = item.request.retry {
            context.about(item.number).warn(
                "seed \(item.request.seed) makes nothing but silence of this prompt; trying seed \(next.seed)")
            item.request = next
            finish = try self.finish(next)
            try decode(again(&item), &item, &finish)
        }
        var samples: [Float] = []
        try finish.end { try emit($0, to: &samples) }
        let isSilent = finish.isSilent && edit == nil && !context.memory.isPlanning
        if isSilent {
            context.about(item.number).warn("seed \(item.request.seed) makes nothing but silence of this prompt")
        }
        if finish.shortfall > 0.05 {
            context.about(item.number).warn(
                String(
                    printf: "its loudness stays %.1f LU below what was asked for: peaks would exceed full scale",
                    finish.shortfall))
        }
        let rate = edit == nil ? item.request.sampleRate : context.model.vocoderConfig.samplingRate
        let clip = edit?.mixed(samples) ?? AudioClip(samples: samples, sampleRate: rate)
        let isTrimmed = edit == nil && item.request.options.trimsSilence && !context.memory.isPlanning
        let seconds = edit != nil ? clip.seconds : isTrimmed ? Double(finish.delivered) / Double(rate) : nil
        return (clip, seconds, isSilent)
    }

    /// Latents of a sound that is tried again.
    private func again(_ item: inout Item) throws -> Tensor {
        var items = [Item(request: item.request, tokens: item.tokens)]
        try denoise(&items, encode(&items))
        item.timer.add(items[0].timer, sharedBy: 1)
        guard let latents = items[0].latents else { throw CancellationError() }
        return latents
    }

    private func finish(_ request: ResolvedRequest) throws -> SoundFinish {
        let (total, isEdit) = (edit?.sampleCount ?? request.length.samples, edit != nil)
        // What the work takes of memory is known beforehand.
        let isPlain = isEdit || context.memory.isPlanning
        let (fadeIn, fadeOut) = isEdit ? (0, 0) : request.fades
        return SoundFinish(
            total: total, holdsAll: takeEarly == nil || request.isHeldWhole,
            ceiling: request.vocoder == .griffinLim ? SoundFinish.ceiling : nil, fadeIn: fadeIn, fadeOut: fadeOut,
            rates: isPlain ? nil : request.rates, mastering: isPlain ? nil : request.mastering)
    }

    /// Takes samples as soon as they are made; nil if they are held. What is changed is mixed with the old sound first.
    private var takeEarly: (@Sendable ([Float]) throws -> Void)? { edit == nil ? receive : nil }

    private func emit(_ block: [Float], to samples: inout [Float]) throws {
        if let takeEarly {
            try takeEarly(block)
        } else if samples.isEmpty {
            samples = block
        } else {
            samples += block
        }
    }

    /// From latents to the sound, which `finish` gets from its start, block by block.
    private func decode(_ latents: Tensor, _ item: inout Item, _ finish: inout SoundFinish) throws {
        let request = item.request
        let count = edit?.sampleCount ?? request.length.samples
        let loops = request.options.loops
        let decoder = LatentDecoder(
            context: context.about(request.number), vocoder: request.vocoder, seed: request.seed)
        let windows = LatentWindows(frames: latents.shape[1], longest: request.windowFrames, isCircular: loops)
        func take(_ block: [Float]) throws {
            try finish.take(block) { if let takeEarly { try takeEarly($0) } }
        }
        if let windows, !loops {
            return try decoder.waveform(of: latents, windows: windows, samples: count, &item.timer, onSamples: take)
        }
        let mel = try item.timer.measure(.decoding) { try decoder.mel(latents, windows: windows) }
        try item.timer.measure(.vocoding) {
            try decoder.waveform(mel, loops: loops, samples: count, onSamples: take)
        }
    }
}
