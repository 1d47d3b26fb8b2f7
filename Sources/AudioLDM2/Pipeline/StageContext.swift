import Compute
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

/// What every stage of a generation needs.
struct StageContext: Sendable {
    let model: Model
    let backend: CPUBackend
    let cancellation: CancellationFlag
    let report: @Sendable (GenerationEvent) -> Void

    func report(_ stage: GenerationProgress.Stage, _ completed: Int, of total: Int) {
        report(.progress(GenerationProgress(stage: stage, completed: completed, total: total)))
    }

    /// Loads one component, lets `body` use it, and gives its memory back.
    func with<Component, Result>(
        _ name: String, _ build: (WeightScope) throws -> Component, _ body: (Component) throws -> Result
    ) throws -> Result {
        try cancellation.check()
        defer { backend.trim() }
        let source = try PackSource(model.pack, component: name, backend: backend, threads: backend.threadCount)
        return try body(build(WeightScope(source)))
    }
}
