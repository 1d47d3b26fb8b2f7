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

/// What every stage of a generation needs.
struct StageContext: Sendable {
    let model: Model
    let backend: any StageBackend
    let cancellation: CancellationFlag
    let report: @Sendable (GenerationEvent) -> Void
    let memory: MemoryUse
    let loading = LoadingTimer()
    /// Why a GPU that is there is not used.
    let deviceWarning: String?

    init(
        model: Model, backend: any StageBackend, cancellation: CancellationFlag = CancellationFlag(),
        memory: MemoryUse = .unplanned, deviceWarning: String? = nil,
        report: @escaping @Sendable (GenerationEvent) -> Void = { _ in }
    ) {
        self.deviceWarning = deviceWarning
        (self.model, self.backend, self.cancellation) = (model, backend, cancellation)
        (self.memory, self.report) = (memory, report)
    }

    /// Opens a model, to be computed on a device.
    /// - Throws: as `Model(opening:)` and `Computing` do.
    init(modelAt path: String, threads: Int?, device: ComputeDevice?) throws {
        let model = try Model(opening: path)
        let computing = try Computing(device, for: model, threads: threads)
        self.init(model: model, backend: computing.backend, deviceWarning: computing.warning)
    }

    /// The same, with memory used as planned, and of its own.
    func following(_ plan: ExecutionPlan) -> StageContext {
        StageContext(
            model: model, backend: backend.withOwnMemory(), cancellation: cancellation, memory: .planned(plan),
            deviceWarning: deviceWarning, report: report)
    }

    func report(_ stage: GenerationProgress.Stage, _ completed: Int, of total: Int) {
        report(.progress(GenerationProgress(stage: stage, completed: completed, total: total)))
    }

    /// The same, with reports going elsewhere.
    func reporting(to report: @escaping @Sendable (GenerationEvent) -> Void) -> StageContext {
        StageContext(
            model: model, backend: backend, cancellation: cancellation, memory: memory, deviceWarning: deviceWarning,
            report: report)
    }

    /// Loads one component, lets `body` use it, and gives its memory back.
    func with<Component, Result>(
        _ name: String, _ build: (WeightScope) throws -> Component, _ body: (Component) throws -> Result
    ) throws -> Result {
        try cancellation.check()
        if PartName.textEncoders.contains(name) { try model.requireTextEncoders() }
        defer { backend.trim() }
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
}
