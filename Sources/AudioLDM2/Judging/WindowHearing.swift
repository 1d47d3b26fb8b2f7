import Evaluation
import Synchronization
import Tensors

/// Windows of sounds through a network that stays loaded: as many at a time as memory allows, planned for the longest that came.
final class WindowHearing<Result: Sendable>: Sendable {
    /// Hears windows of one length; a result for each.
    typealias Network = @Sendable (StageContext<ModelFile>, [[Float]]) throws -> [Result]

    private struct Planned {
        /// Samples of the longest window, and of all that are heard at a time.
        let length: Int
        let samples: Int
        let context: StageContext<ModelFile>
    }

    private let context: StageContext<ModelFile>
    private let limit: Int?
    /// Samples of the windows that are expected; what is planned for are multiples of them.
    private let unit: Int
    private let network: Network
    private let planned: Mutex<Planned>

    /// Windows beyond which a batch gains nothing.
    private static var mostAtOnce: Int { 8 }

    /// - Parameters:
    ///   - context: with a shelf, on which the network stays.
    ///   - limit: in bytes; nil for none but the system's.
    ///   - length: samples of the windows that are expected.
    /// - Throws: `AudioLDM2Error` of kind `.outOfMemory`, what the network throws.
    init(
        _ context: StageContext<ModelFile>, limit: Int?, length: Int, _ network: @escaping Network
    ) throws {
        (self.context, self.limit, unit, self.network) = (context, limit, max(length, 1), network)
        planned = Mutex(try Self.plan(context, limit, length: max(length, 1), unit: max(length, 1), network))
    }

    /// - Returns: a result for each window.
    /// - Throws: `EvaluationError` for samples that cannot be heard, which are the sound's fault and the listener's to name;
    ///   `AudioLDM2Error`, also for longer windows than all before that memory does not suffice for.
    func hear(_ windows: [[Float]]) throws -> [Result] {
        do {
            return try results(of: windows)
        } catch let error as EvaluationError {
            throw error
        } catch {
            throw AudioLDM2Error.translated(error)
        }
    }

    private func results(of windows: [[Float]]) throws -> [Result] {
        var results: [Result] = []
        while results.count < windows.count {
            let length = windows[results.count].count
            let planned = try plan(for: length)
            let most = min(max(planned.samples / max(length, 1), 1), Self.mostAtOnce)
            let some = windows[results.count...].prefix(most).prefix { $0.count == length }
            try planned.context.cancellation.check()
            results += try network(planned.context, Array(some))
        }
        return results
    }

    private func plan(for length: Int) throws -> Planned {
        try planned.withLock { planned in
            if length > planned.length {
                let units = (length + unit - 1) / unit
                // Weights belong to the backend that they were loaded for.
                context.shelf?.keep(only: [])
                planned = try Self.plan(context, limit, length: units * unit, unit: unit, network)
            }
            return planned
        }
    }

    /// For fewer at a time where there is no room for more.
    private static func plan(
        _ context: StageContext<ModelFile>, _ limit: Int?, length: Int, unit: Int, _ network: @escaping Network
    ) throws -> Planned {
        var count = max(mostAtOnce * unit / length, 1)
        while true {
            let windows = Array(repeating: [Float](repeating: 0, count: length), count: count)
            let soundBytes = 3 * count * length * MemoryLayout<Float>.size
            do {
                let plan = try context.plan(limit: limit, soundBytes: soundBytes) { _ = try network($0, windows) }
                return Planned(length: length, samples: count * length, context: context.following(plan))
            } catch let error as AudioLDM2Error where error.kind == .outOfMemory && count > 1 {
                count /= 2
            }
        }
    }
}
