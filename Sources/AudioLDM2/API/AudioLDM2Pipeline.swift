import Audio
import FoundationEssentials
import Tensors

/// Text to sound, from one model file.
///
///     let pipeline = try await AudioLDM2Pipeline(modelAt: "audioldm2.aldm")
///     let clip = try await pipeline.generate("a dog barking", options: .init(seconds: 5)).clip
///     try clip.write(to: "dog.wav")
///
/// Each stage of the work maps or decompresses its weights, computes, and lets them go, unless a budget of memory is given in
/// which they stay for the next sound. Whatever is asked of one pipeline is done one after the other, in the order in which it
/// was asked for: each piece of work uses all threads, and its limit of memory holds for all of the pipeline. Any of them can
/// be cancelled alone.
public final class AudioLDM2Pipeline: Sendable {
    let model: Model
    let backend: any StageBackend
    private let computing: Computing
    private let queue = JobQueue()
    private let shelf: NetworkShelf?

    /// Of this package.
    public static let version = "0.2.0"
    /// What the files that it writes name as their maker.
    static let software = "audioldm2 \(version)"

    /// Numbers of threads that can be asked for.
    public static let threadsRange = 1...1024

    /// Opens a model and checks its configuration; reads no weights yet.
    /// - Parameters:
    ///   - threads: of the CPU, to compute with; nil for one per core.
    ///   - device: nil for what the variable AUDIOLDM2_DEVICE says, or `.auto`.
    ///   - weightBudget: what weights may take that stay in memory between calls, in bytes. With 0 none do; with `.max` all
    ///     that were used, so that the second sound reads nothing. Where a limit of memory does not allow for them, they go.
    ///   - notice: is told what takes long, before it begins: a GPU's first use, for which kernels are compiled.
    /// - Throws: `AudioLDM2Error` for a file that is missing, damaged, foreign, or asks for what this version does not do;
    ///   of kind `.device` for a GPU that was asked for and cannot be used.
    public convenience init(
        modelAt path: String, threads: Int? = nil, device: ComputeDevice? = nil, weightBudget: Int = 0,
        notice: (@Sendable (String) -> Void)? = nil
    ) async throws {
        let (model, computing) = try await onOwnThread { _ in
            try Self.opened(path, threads: threads, device: device, notice: notice)
        }
        self.init(model, computing, weightBudget: weightBudget)
    }

    /// The same of a file that a URL names.
    public convenience init(
        modelAt url: URL, threads: Int? = nil, device: ComputeDevice? = nil, weightBudget: Int = 0,
        notice: (@Sendable (String) -> Void)? = nil
    ) async throws {
        try await self.init(
            modelAt: url.path, threads: threads, device: device, weightBudget: weightBudget, notice: notice)
    }

    /// The same on the caller's thread, which waits for it.
    package convenience init(
        opening path: String, threads: Int? = nil, device: ComputeDevice? = nil, weightBudget: Int = 0,
        notice: ((String) -> Void)? = nil
    ) throws {
        let (model, computing) = try AudioLDM2Error.translating {
            try Self.opened(path, threads: threads, device: device, notice: notice)
        }
        self.init(model, computing, weightBudget: weightBudget)
    }

    /// Opens a model to be computed on a backend that is there already.
    package convenience init(opening path: String, on backend: any StageBackend, weightBudget: Int = 0) throws {
        self.init(
            try AudioLDM2Error.translating { try Model(opening: path) }, Computing(on: backend),
            weightBudget: weightBudget)
    }

    private init(_ model: Model, _ computing: Computing, weightBudget: Int) {
        self.model = model
        self.computing = computing
        self.weightBudget = weightBudget
        backend = computing.backend
        shelf = weightBudget > 0 ? NetworkShelf(budget: weightBudget) : nil
    }

    private static func opened(
        _ path: String, threads: Int?, device: ComputeDevice?, notice: ((String) -> Void)?
    ) throws -> (Model, Computing) {
        let model = try Model(opening: path)
        return (model, try Computing(device, for: model, threads: threads, notice: notice))
    }

    /// What weights may take that stay in memory between calls, in bytes.
    public let weightBudget: Int

    /// Lets go of weights that stayed in memory, once no work uses them.
    public func releaseWeights() { shelf?.keep(only: []) }

    /// Why the CPU is used, or not the first GPU, if nobody asked for it: no driver, no GPU, or one that is too old.
    public var deviceNote: String? { computing.note }

    /// Why a GPU that is there is not used: it fails, or NVRTC is not installed; `events` says so too.
    public var deviceWarning: String? { computing.warning }

    /// What the model was converted for; nil if nothing was said. Decides what guidance leads away from unless the options
    /// do, and `SoundOptions.defaults(of:)` has the defaults that go with it.
    public var profile: ReferenceProfile? { model.profile }

    /// Of the sounds it makes, in Hz.
    public var sampleRate: Int { model.vocoderConfig.samplingRate }

    /// The length that the model was trained on and makes unless told otherwise.
    public var defaultSeconds: Double { model.defaultSeconds }

    /// What computes: kernels of the CPU ("avx512vnni", "avx2", …), or a GPU ("cuda:0 (NVIDIA H100, sm_90)").
    public var instructionSet: String { backend.name }

    /// Threads of the host that compute.
    public var threads: Int { backend.threadCount }

    /// What memory a prompt, however long, will take with these options.
    /// - Throws: `AudioLDM2Error`: of kind `.outOfMemory`, with the least that would do, if their limit is too low.
    public func memoryPlan(options: SoundOptions = .init()) throws -> MemoryPlan {
        try AudioLDM2Error.translating {
            try SoundJob(context()).planForAnyPrompt(options)
        }
    }

    /// Makes a sound.
    /// - Throws: `AudioLDM2Error`; `CancellationError` if the surrounding task is cancelled, within a step.
    public func generate(_ prompt: String, options: SoundOptions = .init()) async throws -> SoundResult {
        try await Self.result(of: events(prompt, options: options))
    }

    /// Makes a sound and reports on the way. The last event is `.finished`.
    ///
    /// The work runs on its own thread and stops soon after the iteration is given up or its task cancelled.
    public func events(
        _ prompt: String, options: SoundOptions = .init()
    ) -> AsyncThrowingStream<SoundEvent, any Error> {
        run([SoundRequest(prompt: prompt, options: options)]) { _ in }
    }

    /// - Parameter receive: takes the samples in order as they are ready, on the working thread, which waits for it; the
    ///   result's clip is then empty. What it throws ends the work.
    package func events(
        _ prompt: String, options: SoundOptions = .init(), streamingTo receive: (@Sendable ([Float]) throws -> Void)?
    ) -> AsyncThrowingStream<SoundEvent, any Error> {
        run([SoundRequest(prompt: prompt, options: options)]) { $0.receive = receive }
    }

    /// Changes a sound: what the plan says is made anew, the rest is kept.
    /// - Parameters:
    ///   - clip: at any sample rate, with any number of channels; its length counts, not that of the options.
    ///   - prompt: what the new parts should be.
    /// - Throws: `AudioLDM2Error`, also for a model file without the VAE's encoder; `CancellationError`.
    public func edit(
        _ clip: AudioClip, _ prompt: String, plan: EditPlan, options: SoundOptions = .init()
    ) async throws -> SoundResult {
        try await Self.result(of: events(editing: clip, prompt, plan: plan, options: options))
    }

    /// Checks before any work is done whether what becomes of a sound could be written to `path`, whose format may not hold
    /// so many channels or its sample rate.
    /// - Throws: `AudioLDM2Error` of kind `.file`.
    public func checkWritable(
        _ path: String, editing clip: AudioClip, plan: EditPlan, encoding: SoundFormat.Encoding? = nil
    ) throws {
        try AudioLDM2Error.translating {
            try SoundFile.checkFormat(
                of: path, channels: plan.channels(of: clip),
                sampleRate: plan.sampleRate(of: clip, modelRate: sampleRate), encoding: encoding?.stored)
        }
    }

    /// Checks before any work is done whether a sound can be changed so, and the result be kept in memory in a format.
    /// - Throws: `AudioLDM2Error` of kind `.invalidOption`, or `.file` for a sound that cannot be worked on.
    package func check(
        _ plan: EditPlan, editing clip: AudioClip, storedAs format: SoundFormat, encoding: SoundFormat.Encoding? = nil
    ) throws {
        try clip.validate()
        try plan.validate(seconds: clip.seconds)
        try format.requireSupport(
            sampleRate: plan.sampleRate(of: clip, modelRate: sampleRate), channels: plan.channels(of: clip),
            encoding: encoding)
    }

    /// Changes a sound, as `edit` does, and reports on the way. The last event is `.finished`.
    public func events(
        editing clip: AudioClip, _ prompt: String, plan: EditPlan, options: SoundOptions = .init()
    ) -> AsyncThrowingStream<SoundEvent, any Error> {
        events(editing: clip, prompt, plan: plan, options: options, streamingTo: nil)
    }

    /// - Parameter receive: as for `events(_:options:streamingTo:)`.
    package func events(
        editing clip: AudioClip, _ prompt: String, plan: EditPlan, options: SoundOptions = .init(),
        streamingTo receive: (@Sendable ([Float]) throws -> Void)?
    ) -> AsyncThrowingStream<SoundEvent, any Error> {
        run([Self.editing(prompt, options)]) {
            $0.change = (clip, plan)
            $0.receive = receive
        }
    }

    /// Makes several sounds, loading what takes longest to load once for all of them. A request that fails does not stop
    /// the others.
    public func events(of requests: [SoundRequest]) -> AsyncThrowingStream<SoundEvent, any Error> {
        run(requests) { $0.isolatesFailures = true }
    }

    /// Makes several sounds of a prompt, compares them with it by CLAP, and keeps the best: they come last, best first.
    /// - Parameters:
    ///   - count: sounds to make, up to 64: those of the options' seed and the numbers after it.
    ///   - kept: how many of them to return.
    public func events(
        ranking count: Int, keeping kept: Int = 1, of prompt: String, options: SoundOptions = .init()
    ) -> AsyncThrowingStream<SoundEvent, any Error> {
        run([SoundRequest(prompt: prompt, options: options)]) { [model] in
            $0.ranking = try Ranking(prompt, count: count, keeping: kept, by: model)
        }
    }

    /// Changes a sound several times, compares the results with the prompt by CLAP, and keeps the best.
    /// - Parameters: as `events(ranking:keeping:of:options:)` and `events(editing:_:plan:options:)`. Of long sounds, what is
    ///   heard begins with the first part that is made anew.
    public func events(
        ranking count: Int, keeping kept: Int = 1, editing clip: AudioClip, _ prompt: String, plan: EditPlan,
        options: SoundOptions = .init()
    ) -> AsyncThrowingStream<SoundEvent, any Error> {
        run([Self.editing(prompt, options)]) { [model] in
            $0.change = (clip, plan)
            $0.ranking = try Ranking(prompt, count: count, keeping: kept, by: model)
        }
    }

    /// Of an edit, the length of the sound counts and not that of the options.
    private static func editing(_ prompt: String, _ options: SoundOptions) -> SoundRequest {
        var options = options
        options.seconds = nil
        options.loops = false
        return SoundRequest(prompt: prompt, options: options)
    }

    private static func result(
        of events: AsyncThrowingStream<SoundEvent, any Error>
    ) async throws -> SoundResult {
        for try await event in events {
            if case .finished(let result) = event { return result }
        }
        throw CancellationError()
    }

    /// What the file of a sound will say about it, without making it.
    /// - Parameter options: with a seed.
    /// - Throws: `AudioLDM2Error` for options that cannot be used.
    public func record(of prompt: String, options: SoundOptions) throws -> SoundRecord {
        try AudioLDM2Error.translating {
            let request = SoundRequest(prompt: prompt, options: options)
            return try ResolvedRequest(request, in: context()).record()
        }
    }

    // MARK: Work

    private func context(
        _ cancellation: CancellationFlag = CancellationFlag(),
        report: @escaping @Sendable (SoundEvent) -> Void = { _ in }
    ) -> GenerationContext {
        GenerationContext(
            model: model, backend: backend, cancellation: cancellation, shelf: shelf, report: report)
    }

    /// Does a job when its turn comes, until it is done or nobody listens any more.
    /// - Parameter prepare: says what kind of job it is.
    private func run(
        _ requests: [SoundRequest], _ prepare: @escaping @Sendable (inout SoundJob) throws -> Void
    ) -> AsyncThrowingStream<SoundEvent, any Error> {
        let (stream, continuation) = AsyncThrowingStream<SoundEvent, any Error>.makeStream()
        let cancellation = CancellationFlag()
        let ticket = JobQueue.Ticket()
        continuation.onTermination = { [queue] _ in
            cancellation.cancel()
            queue.withdraw(ticket)
        }
        let context = context(cancellation) { continuation.yield($0) }
        if let deviceWarning {
            continuation.yield(.warning(SoundWarning(sound: nil, description: deviceWarning)))
        }
        queue.add(ticket) {
            do {
                try AudioLDM2Error.translating {
                    try cancellation.check()
                    var job = SoundJob(context)
                    try prepare(&job)
                    try job.run(requests)
                }
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        } refused: { error in
            continuation.finish(throwing: AudioLDM2Error.translated(error))
        }
        return stream
    }

    /// Does other work on the model when its turn comes.
    /// - Parameter report: hears what `SoundEvent`s say on the way, on the working thread.
    func perform<Value: Sendable>(
        report: @escaping @Sendable (SoundEvent) -> Void = { _ in },
        _ body: @escaping @Sendable (GenerationContext) throws -> Value
    ) async throws -> Value {
        try await queue.run { [self] cancellation in try body(context(cancellation, report: report)) }
    }
}
