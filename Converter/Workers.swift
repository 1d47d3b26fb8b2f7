import AudioLDM2
import Synchronization
import WeightFile

/// Runs independent pieces of work on a fixed number of threads.
package struct Workers: Sendable {
    package let count: Int
    /// How many there may be: as many as the runtime allows.
    package static let range = AudioLDM2Pipeline.threadsRange

    /// - Parameter count: at least 1.
    package init(count: Int) { self.count = max(count, 1) }

    /// The results of calling `body` for each of `0..<pieces`, in that order.
    /// - Throws: the error of the lowest piece that failed, so that a message does not depend on timing;
    ///   `CancellationError` if the task is cancelled.
    func map<Result: Sendable>(_ pieces: Int, _ body: @Sendable (Int) throws -> Result) throws -> [Result] {
        let results = Mutex([Result?](repeating: nil, count: pieces))
        try forEachInParallel(pieces, contexts: Array(0..<count)) { piece, _ in
            let result = try body(piece)
            results.withLock { $0[piece] = result }
        }
        return results.withLock { $0.compactMap(\.self) }
    }
}
