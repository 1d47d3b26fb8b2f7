import Foundation
import Layers
import Synchronization
import Tensors
import WeightFile

/// Set from outside, looked at between pieces of work.
final class CancellationFlag: Sendable {
    private let isCancelled = Atomic<Bool>(false)

    func cancel() { isCancelled.store(true, ordering: .relaxed) }

    /// - Throws: `CancellationError` once cancelled.
    func check() throws {
        if isCancelled.load(ordering: .relaxed) { throw CancellationError() }
    }
}

/// Adds up the time that reading, checking and decompressing weights takes.
final class LoadingTimer: Sendable {
    private let total = Mutex(0.0)

    var seconds: Double { total.withLock { $0 } }

    func measure<Result>(_ body: () throws -> Result) rethrows -> Result {
        let start = ContinuousClock.now
        defer { total.withLock { $0 += (ContinuousClock.now - start) / .seconds(1) } }
        return try body()
    }
}

/// What every stage of a sound's making needs.
package struct StageContext: Sendable {
    let model: Model
    let backend: any StageBackend
    let cancellation: CancellationFlag
    let memory: MemoryUse
    let loading = LoadingTimer()
    /// Why a GPU that is there is not used.
    let deviceWarning: String?
    /// The sound that is worked on, of those of its job.
    private(set) var sound = 0
    /// Where a component's weights come from instead of the model's file.
    var weights: (@Sendable (_ component: String) throws -> any WeightSource)?
    private let send: @Sendable (GenerationEvent) -> Void

    init(
        model: Model, backend: any StageBackend, cancellation: CancellationFlag = CancellationFlag(),
        memory: MemoryUse = .unplanned, deviceWarning: String? = nil,
        report: @escaping @Sendable (GenerationEvent) -> Void = { _ in }
    ) {
        self.model = model
        self.backend = backend
        self.cancellation = cancellation
        self.memory = memory
        self.deviceWarning = deviceWarning
        send = report
    }

    /// Opens a model, to be computed on a device.
    /// - Throws: as `Model(opening:)` and `Computing` do.
    init(modelAt path: String, threads: Int?, device: ComputeDevice?) throws {
        let model = try Model(opening: path)
        let computing = try Computing(device, for: model, threads: threads)
        self.init(model: model, backend: computing.backend, deviceWarning: computing.warning)
    }

    /// A model with weights from elsewhere: its file need not hold any.
    /// - Parameter weights: of a component, by name.
    /// - Throws: as `Model(opening:)` does.
    package init(
        modelAt path: String, backend: any StageBackend,
        weights: @escaping @Sendable (_ component: String) throws -> any WeightSource
    ) throws {
        self.init(model: try Model(opening: path), backend: backend)
        self.weights = weights
    }

    /// The same model with weights from elsewhere.
    package func with(
        _ backend: any StageBackend, weights: @escaping @Sendable (_ component: String) throws -> any WeightSource
    ) -> StageContext {
        var context = StageContext(model: model, backend: backend, cancellation: cancellation)
        context.weights = weights
        return context
    }

    /// The same, with memory used as planned, and of its own.
    func following(_ plan: ExecutionPlan) -> StageContext {
        StageContext(
            model: model, backend: backend.withOwnMemory(), cancellation: cancellation, memory: .planned(plan),
            deviceWarning: deviceWarning, report: send)
    }

    /// The same, about one of several sounds.
    func about(_ sound: Int) -> StageContext {
        var context = self
        context.sound = sound
        return context
    }

    func report(_ event: GenerationEvent) { send(event) }

    func report(_ stage: GenerationProgress.Stage, _ completed: Int, of total: Int) {
        send(.progress(GenerationProgress(sound: sound, stage: stage, completed: completed, total: total)))
    }

    func warn(_ text: String) { send(.warning(GenerationWarning(sound: sound, description: text))) }

    /// Loads one component, lets `body` use it, and gives its memory back.
    func with<Component, Result>(
        _ name: String, _ build: (WeightScope) throws -> Component, _ body: (Component) throws -> Result
    ) throws -> Result {
        try cancellation.check()
        defer { backend.trim() }
        if let weights { return try body(build(WeightScope(weights(name)))) }
        if PartName.textEncoders.contains(name) { try model.requireTextEncoders() }
        let (residency, keeping) = memory.use(of: name)
        backend.resetPeak(keeping: keeping)
        let stamp = model.pack.stamp
        let source = try loading.measure {
            try PackSource(
                model.pack, component: name, backend: backend, threads: backend.threadCount, residency: residency)
        }
        let component = try withExtendedLifetime(backend.room(for: source.descriptions)) {
            try build(WeightScope(source))
        }
        let result = try body(component)
        try model.pack.requireUnchanged(name, since: stamp)
        memory.note(name, residency, activationBytes: backend.peakActivationBytes)
        return result
    }

    /// Loads the denoiser's UNet, lets `body` use it, and gives its memory back.
    func withUNet<Result>(_ body: (UNet) throws -> Result) throws -> Result {
        try with(PartName.unet, { try UNet(model.unetConfig, $0) }, body)
    }

    /// The fastest way of doing some work within a limit, which is found out by doing it without computing.
    /// - Parameters:
    ///   - limit: in bytes; nil for none but the system's.
    ///   - soundBytes: memory of sounds, before, within and after the work.
    ///   - sounds: that can be denoised at once.
    ///   - run: does the work in the context that it is given, each stage in `with`.
    /// - Throws: `AudioLDM2Error` of kind `.outOfMemory`, with the least that would do, if the limit is too low.
    func plan(
        limit: Int?, soundBytes: Int, isGuided: Bool = false, sounds: Int = 1,
        _ run: @escaping (StageContext) throws -> Void
    ) throws -> ExecutionPlan {
        try MemoryPlanner(
            context: self, limit: limit, soundBytes: soundBytes, isGuided: isGuided, sounds: sounds, run: run
        ).plan()
    }
}
