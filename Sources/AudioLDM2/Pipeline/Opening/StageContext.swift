import Layers
import Synchronization
import Tensors
import WeightFile

/// Adds up the time that reading, checking and decompressing weights takes.
package final class LoadingTimer: Sendable {
    private let total = Mutex(0.0)

    package var seconds: Double { total.withLock { $0 } }

    package func measure<Result>(_ body: () throws -> Result) rethrows -> Result {
        let start = ContinuousClock.now
        defer { total.withLock { $0 += (ContinuousClock.now - start) / .seconds(1) } }
        return try body()
    }
}

/// What every stage of the work on a model needs: the model, what computes, and how memory is used.
package struct StageContext<Opened: OpenedModel>: Sendable {
    package let model: Opened
    package let backend: any StageBackend
    private(set) var cancellation: CancellationFlag
    package let memory: MemoryUse
    /// Networks that stay loaded after their work; nil if none does.
    package let shelf: NetworkShelf?
    package let loading = LoadingTimer()
    /// Why a GPU that is there is not used.
    package let deviceWarning: String?
    /// The sound that is worked on, of those of its job.
    private(set) var sound = 0
    /// Where a component's weights come from instead of the model's file.
    private var weights: (@Sendable (_ component: String) throws -> any WeightSource)?
    private let send: @Sendable (SoundEvent) -> Void

    package init(
        model: Opened, backend: any StageBackend, cancellation: CancellationFlag = CancellationFlag(),
        memory: MemoryUse = .unplanned, shelf: NetworkShelf? = nil, deviceWarning: String? = nil,
        report: @escaping @Sendable (SoundEvent) -> Void = { _ in }
    ) {
        self.model = model
        self.backend = backend
        self.cancellation = cancellation
        self.memory = memory
        self.shelf = shelf
        self.deviceWarning = deviceWarning
        send = report
    }

    /// - Parameter model: opened, to be computed on a device.
    /// - Throws: as `Computing` does.
    package init(_ model: Opened, threads: Int?, device: ComputeDevice?, shelf: NetworkShelf? = nil) throws {
        let computing = try Computing(device, for: model, threads: threads)
        self.init(model: model, backend: computing.backend, shelf: shelf, deviceWarning: computing.warning)
    }

    /// The same model with weights from elsewhere: its file need not hold any.
    /// - Parameter weights: of a component, by name.
    package func with(
        _ backend: any StageBackend, weights: @escaping @Sendable (_ component: String) throws -> any WeightSource
    ) -> StageContext {
        var context = StageContext(model: model, backend: backend, cancellation: cancellation)
        context.weights = weights
        return context
    }

    /// The same, of whatever the model file holds.
    package var ofFile: StageContext<ModelFile> {
        var context = StageContext<ModelFile>(
            model: model.file, backend: backend, cancellation: cancellation, memory: memory, shelf: shelf,
            deviceWarning: deviceWarning, report: send)
        context.sound = sound
        context.weights = weights
        return context
    }

    /// The same, with memory used as planned, and of its own.
    package func following(_ plan: ExecutionPlan) -> StageContext {
        shelf?.keep(only: plan.kept)
        return StageContext(
            model: model, backend: backend.withOwnMemory(), cancellation: cancellation, memory: .planned(plan),
            shelf: shelf, deviceWarning: deviceWarning, report: send)
    }

    /// The same, until somebody else's flag is set.
    package func cancelled(by flag: CancellationFlag) -> StageContext {
        var context = self
        context.cancellation = flag
        return context
    }

    /// The same, about one of several sounds.
    package func about(_ sound: Int) -> StageContext {
        var context = self
        context.sound = sound
        return context
    }

    package func report(_ event: SoundEvent) { send(event) }

    package func report(_ stage: SoundProgress.Stage, _ completed: Int, of total: Int) {
        send(.progress(SoundProgress(sound: sound, stage: stage, completed: completed, total: total)))
    }

    package func warn(_ text: String) { send(.warning(SoundWarning(sound: sound, description: text))) }

    /// Loads one network, lets `body` use it, and gives its memory back unless it is kept.
    package func with<Network: Component, Result>(
        _: Network.Type, _ config: Network.Config, _ body: (Network) throws -> Result
    ) throws -> Result {
        try with(Network.part, { try Network(config, $0) }, body)
    }

    /// The same of a part that several networks can be.
    package func with<Network: Sendable, Result>(
        _ part: String, _ build: (WeightScope) throws -> Network, _ body: (Network) throws -> Result
    ) throws -> Result {
        try cancellation.check()
        defer { backend.trim() }
        if let weights { return try body(build(WeightScope(weights(part)))) }
        if PartName.textEncoders.contains(part) { try model.requireTextEncoders() }
        let (residency, keeping) = memory.use(of: part)
        backend.resetPeak(keeping: keeping)
        let (network, stamp) = try loaded(part, residency, build)
        let result = try body(network)
        do {
            let checked = try model.pack.requireUnchanged(part, since: stamp)
            // A run that only counts has not looked at what is kept.
            if !memory.isPlanning { shelf?.renew(part, checked) }
        } catch {
            shelf?.remove(part)
            throw error
        }
        memory.note(part, residency, activationBytes: backend.peakActivationBytes)
        return result
    }

    private func loaded<Network: Sendable>(
        _ part: String, _ residency: WeightResidency, _ build: (WeightScope) throws -> Network
    ) throws -> (Network, FileStamp?) {
        // What is there is used whether it stays or not; a run that only counts loads nothing.
        if !memory.isPlanning, let kept: (Network, FileStamp?) = shelf?.network(part) { return kept }
        let stamp = model.pack.stamp
        let source = try loading.measure {
            try PackSource(
                model.pack, component: part, backend: backend, threads: backend.threadCount, residency: residency)
        }
        let network = try withExtendedLifetime(backend.room(for: source.descriptions)) {
            try build(WeightScope(source))
        }
        if memory.keeps(part) { shelf?.keep(network, of: part, stamp) }
        return (network, stamp)
    }

    /// The fastest way of doing some work within a limit, which is found out by doing it without computing.
    /// - Parameters:
    ///   - limit: in bytes; nil for none but the system's.
    ///   - soundBytes: memory of sounds, before, within and after the work.
    ///   - sounds: that can be denoised at once.
    ///   - run: does the work in the context that it is given, each stage in `with`.
    /// - Throws: `AudioLDM2Error` of kind `.outOfMemory`, with the least that would do, if the limit is too low.
    package func plan(
        limit: Int?, soundBytes: Int, isGuided: Bool = false, sounds: Int = 1,
        _ run: @escaping (StageContext) throws -> Void
    ) throws -> ExecutionPlan {
        try MemoryPlanner(
            context: self, limit: limit, soundBytes: soundBytes, isGuided: isGuided, sounds: sounds, run: run
        ).plan()
    }
}

/// Of a model that makes sounds.
package typealias GenerationContext = StageContext<Model>

extension GenerationContext {
    /// Loads the denoiser's UNet, lets `body` use it, and gives its memory back unless it is kept.
    package func withUNet<Result>(_ body: (UNet) throws -> Result) throws -> Result {
        try with(UNet.self, model.unetConfig, body)
    }
}
