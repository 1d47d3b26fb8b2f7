import Audio
import Foundation
import Tensors

/// Text to sound, from one model file.
///
///     let pipeline = try AudioLDM2Pipeline(modelAt: "audioldm2.aldm")
///     let clip = try await pipeline.generate("a dog barking", options: .init(seconds: 5)).clip
///     try clip.write(to: "dog.wav")
///
/// A pipeline holds no weights between calls: each stage maps or decompresses its own, computes, and lets them go.
public final class AudioLDM2Pipeline: Sendable {
    let model: Model
    let backend: any StageBackend
    private let computing: Computing

    public static let version = "0.1.0"
    /// What the files that it writes name as their maker.
    static let software = "audioldm2 \(version)"

    /// Numbers of threads that can be asked for.
    public static let threadsRange = 1...1024

    /// Opens a model and checks its configuration; reads no weights yet.
    /// - Parameters:
    ///   - threads: of the CPU, to compute with; nil for one per core.
    ///   - device: nil for what the variable AUDIOLDM2_DEVICE says, or `.auto`.
    ///   - notice: is told what takes long, before it begins: a GPU's first use, for which kernels are compiled.
    /// - Throws: `AudioLDM2Error` for a file that is missing, damaged, foreign, or asks for what this version does not do;
    ///   of kind `.device` for a GPU that was asked for and cannot be used.
    public init(
        modelAt path: String, threads: Int? = nil, device: ComputeDevice? = nil, notice: ((String) -> Void)? = nil
    ) throws {
        (model, computing) = try AudioLDM2Error.translating {
            let model = try Model(opening: path)
            return (model, try Computing(device, for: model, threads: threads, notice: notice))
        }
        backend = computing.backend
    }

    /// Opens a model to be computed on a backend that is there already.
    package init(modelAt path: String, on backend: any StageBackend) throws {
        model = try AudioLDM2Error.translating { try Model(opening: path) }
        computing = Computing(on: backend)
        self.backend = backend
    }

    /// Why the CPU is used, or not the first GPU, if nobody asked for it: no driver, no GPU, or one that is too old.
    public var deviceNote: String? { computing.note }

    /// Why a GPU that is there is not used: it fails, or NVRTC is not installed; `events` says so too.
    public var deviceWarning: String? { computing.warning }

    /// What the model was converted for; nil if nothing was said. Decides what guidance leads away from unless the options
    /// do, and `GenerationOptions.defaults(of:)` has the defaults that go with it.
    public var profile: GenerationProfile? { model.profile }

    /// Of the sounds it makes, in Hz.
    public var sampleRate: Int { model.vocoderConfig.samplingRate }

    /// The length that the model was trained on and makes unless told otherwise.
    public var defaultSeconds: Double { model.defaultSeconds }

    /// What computes: kernels of the CPU ("avx512vnni", "avx2", …), or a GPU ("cuda:0 (NVIDIA H100, sm_90)").
    public var instructionSet: String { backend.name }

    public var threads: Int { backend.threadCount }

    /// What memory a prompt, however long, will take with these options.
    /// - Throws: `AudioLDM2Error`: of kind `.outOfMemory`, with the least that would do, if their limit is too low.
    public func memoryPlan(options: GenerationOptions = .init()) throws -> MemoryPlan {
        try AudioLDM2Error.translating {
            try SoundJob(StageContext(model: model, backend: backend)).planForAnyPrompt(options)
        }
    }

    /// Makes a sound.
    /// - Throws: `AudioLDM2Error`; `CancellationError` if the surrounding task is cancelled, within a step.
    public func generate(_ prompt: String, options: GenerationOptions = .init()) async throws -> GenerationResult {
        try await Self.result(of: events(prompt, options: options))
    }

    /// Makes a sound and reports on the way. The last event is `.finished`.
    ///
    /// The work runs on its own thread and stops soon after the iteration is given up or its task cancelled.
    /// - Parameter receive: takes the samples in order as they are ready, on the working thread, which waits for it; the
    ///   result's clip is then empty. What it throws ends the work.
    public func events(
        _ prompt: String, options: GenerationOptions = .init(),
        streamingTo receive: (@Sendable ([Float]) throws -> Void)? = nil
    ) -> AsyncThrowingStream<GenerationEvent, any Error> {
        run([GenerationRequest(prompt: prompt, options: options)]) { $0.receive = receive }
    }

    /// Changes a sound: what the plan says is made anew, the rest is kept.
    /// - Parameters:
    ///   - clip: at any sample rate, with any number of channels; its length counts, not that of the options.
    ///   - prompt: what the new parts should be.
    /// - Throws: `AudioLDM2Error`, also for a model file without the VAE's encoder; `CancellationError`.
    public func edit(
        _ clip: AudioClip, _ prompt: String, plan: EditPlan, options: GenerationOptions = .init()
    ) async throws -> GenerationResult {
        try await Self.result(of: events(editing: clip, prompt, plan: plan, options: options))
    }

    /// Checks before any work is done whether what becomes of a sound could be written to `path`, whose format may not hold
    /// so many channels or its sample rate.
    /// - Throws: `AudioLDM2Error` of kind `.file`.
    public func checkWritable(_ path: String, editing clip: AudioClip, plan: EditPlan) throws {
        try AudioLDM2Error.translating {
            try SoundFile.checkFormat(
                of: path, channels: plan.channels(of: clip),
                sampleRate: plan.sampleRate(of: clip, modelRate: sampleRate))
        }
    }

    /// Changes a sound, as `edit` does, and reports on the way. The last event is `.finished`.
    public func events(
        editing clip: AudioClip, _ prompt: String, plan: EditPlan, options: GenerationOptions = .init()
    ) -> AsyncThrowingStream<GenerationEvent, any Error> {
        run([Self.editing(prompt, options)]) { $0.change = (clip, plan) }
    }

    /// Makes several sounds, loading what takes longest to load once for all of them. A request that fails does not stop
    /// the others.
    public func events(of requests: [GenerationRequest]) -> AsyncThrowingStream<GenerationEvent, any Error> {
        run(requests) { $0.isolatesFailures = true }
    }

    /// Makes several sounds of a prompt, compares them with it by CLAP, and keeps the best: they come last, best first.
    /// - Parameters:
    ///   - count: sounds to make, up to 64: those of the options' seed and the numbers after it.
    ///   - kept: how many of them to return.
    public func events(
        ranking count: Int, keeping kept: Int = 1, of prompt: String, options: GenerationOptions = .init()
    ) -> AsyncThrowingStream<GenerationEvent, any Error> {
        run([GenerationRequest(prompt: prompt, options: options)]) { [model] in
            $0.ranking = try Ranking(prompt, count: count, keeping: kept, by: model)
        }
    }

    /// Changes a sound several times, compares the results with the prompt by CLAP, and keeps the best.
    /// - Parameters: as `events(ranking:keeping:of:options:)` and `events(editing:_:plan:options:)`. Of long sounds, what is
    ///   heard begins with the first part that is made anew.
    public func events(
        ranking count: Int, keeping kept: Int = 1, editing clip: AudioClip, _ prompt: String, plan: EditPlan,
        options: GenerationOptions = .init()
    ) -> AsyncThrowingStream<GenerationEvent, any Error> {
        run([Self.editing(prompt, options)]) { [model] in
            $0.change = (clip, plan)
            $0.ranking = try Ranking(prompt, count: count, keeping: kept, by: model)
        }
    }

    /// Of an edit, the length of the sound counts and not that of the options.
    private static func editing(_ prompt: String, _ options: GenerationOptions) -> GenerationRequest {
        var options = options
        options.seconds = nil
        options.loops = false
        return GenerationRequest(prompt: prompt, options: options)
    }

    private static func result(
        of events: AsyncThrowingStream<GenerationEvent, any Error>
    ) async throws -> GenerationResult {
        for try await event in events {
            if case .finished(let result) = event { return result }
        }
        throw CancellationError()
    }

    /// What the file of a sound will say about it, without making it.
    /// - Parameter options: with a seed.
    /// - Throws: `AudioLDM2Error` for options that cannot be used.
    public func record(of prompt: String, options: GenerationOptions) throws -> SoundRecord {
        try AudioLDM2Error.translating {
            let request = GenerationRequest(prompt: prompt, options: options)
            return try ResolvedRequest(request, in: StageContext(model: model, backend: backend)).record()
        }
    }

    /// Does a job on a thread of its own until it is done or nobody listens any more.
    /// - Parameter prepare: says what kind of job it is.
    private func run(
        _ requests: [GenerationRequest], _ prepare: @escaping @Sendable (inout SoundJob) throws -> Void
    ) -> AsyncThrowingStream<GenerationEvent, any Error> {
        let (stream, continuation) = AsyncThrowingStream<GenerationEvent, any Error>.makeStream()
        let cancellation = CancellationFlag()
        continuation.onTermination = { _ in cancellation.cancel() }
        let context = StageContext(model: model, backend: backend, cancellation: cancellation) {
            continuation.yield($0)
        }
        if let deviceWarning {
            continuation.yield(.warning(GenerationWarning(sound: nil, description: deviceWarning)))
        }
        do {
            try AudioLDM2Error.translating {
                try SystemThread.start("audioldm2", stackSize: 2 << 20) {
                    do {
                        try AudioLDM2Error.translating {
                            var job = SoundJob(context)
                            try prepare(&job)
                            try job.run(requests)
                        }
                        continuation.finish()
                    } catch {
                        continuation.finish(throwing: error)
                    }
                }
            }
        } catch {
            continuation.finish(throwing: error)
        }
        return stream
    }
}
