import AudioLDM2
import Batches
import Files
import Platform
import Synchronization

/// The lines that a batch makes sounds of, group by group: of a file all of them in turn, of a pipe those that have come.
struct BatchInput: Sendable {
    private let path: String
    private let shard: Shard
    private let together: Int

    /// Lines of a file that are looked at before their sounds are made.
    private static let mostOfAFile = 1024

    /// - Parameters:
    ///   - path: "-" is the standard input.
    ///   - shard: of which lines are taken.
    ///   - together: how many lines of a pipe are taken at once, if so many have come.
    init(_ path: String, shard: Shard, together: Int) {
        (self.path, self.shard, self.together) = (path, shard, together)
    }

    /// - Throws: `AudioLDM2Error` for a file that cannot be read or is not UTF-8, what `body` throws, `CancellationError`.
    func forEachGroup(_ body: ([BatchFile.Line]) async throws -> Void) async throws {
        guard ReadOnce.isNeeded(path) else {
            let lines = try BatchFile.lines(of: path).filter { shard.contains(line: $0.number) }
            for start in stride(from: 0, to: lines.count, by: Self.mostOfAFile) {
                try await body(Array(lines[start..<min(start + Self.mostOfAFile, lines.count)]))
            }
            return
        }
        let pipe = try LinePipe(path)
        try await withTaskCancellationHandler {
            while let lines = try await pipe.next(together, where: { shard.contains(line: $0) }) {
                if !lines.isEmpty { try await body(lines) }
            }
        } onCancel: {
            pipe.close()
        }
        try Task.checkCancellation()
    }
}

/// Lines that come through a pipe while others are worked on: read by a thread of its own, as reading waits.
private final class LinePipe: Sendable {
    private struct State {
        var lines: [BatchFile.Line] = []
        /// Nil until the pipe has ended.
        var end: Result<Void, any Error>?
        var taker: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    private let path: String

    /// - Throws: `ThreadError`.
    init(_ path: String) throws {
        self.path = path
        try SystemThread.start("audioldm2-lines", stackSize: 1 << 20) { [self] in
            do {
                try read()
                end(.success(()))
            } catch {
                end(.failure(error))
            }
        }
    }

    /// Lets a taker go, as nothing more is wanted.
    func close() { end(.failure(CancellationError())) }

    /// Waits until there is something to be taken.
    /// - Returns: up to `most` of the wanted lines that have come; nil at the end.
    func next(_ most: Int, where isWanted: (Int) -> Bool) async throws -> [BatchFile.Line]? {
        while true {
            let found = try state.withLock { state -> [BatchFile.Line]?? in
                state.lines.removeAll { !isWanted($0.number) }
                if !state.lines.isEmpty {
                    let taken = Array(state.lines.prefix(most))
                    state.lines.removeFirst(taken.count)
                    return .some(taken)
                }
                guard let end = state.end else { return nil }
                try end.get()
                return .some(nil)
            }
            if let found { return found }
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state in
                    if !state.lines.isEmpty || state.end != nil { return true }
                    state.taker = continuation
                    return false
                }
                if isThere { continuation.resume() }
            }
        }
    }

    private func read() throws {
        var (splitter, number) = (BatchLines(), 0)
        func add(_ lines: [[UInt8]]) throws {
            let numbered = try lines.compactMap { bytes in
                number += 1
                return try BatchFile.line(number, bytes, of: path)
            }
            if !numbered.isEmpty { wake { $0.lines += numbered } }
        }
        do {
            try ReadOnce.read(path) { block in try add(splitter.take(block)) }
        } catch is FileError {
            throw BatchFile.unreadable(path)
        }
        try add(splitter.end())
    }

    private func end(_ result: Result<Void, any Error>) { wake { $0.end = $0.end ?? result } }

    private func wake(_ change: (inout State) -> Void) {
        let taker = state.withLock { state in
            change(&state)
            return state.taker.take()
        }
        taker?.resume()
    }
}
