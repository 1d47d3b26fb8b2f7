#if Server
    import FoundationEssentials
    import Hummingbird
    import NIOCore
    import SoundServer
    import Synchronization

    /// Room in memory for bodies, of all requests together.
    final class BodyRoom: Sendable {
        private let free: Mutex<Int>

        init(bytes: Int) { free = Mutex(bytes) }

        /// - Throws: `OrderError` of status 503 if there is no room now.
        func with<Value>(_ bytes: Int, _ work: () async throws -> Value) async throws -> Value {
            let isGiven = free.withLock { free in
                guard free >= bytes else { return false }
                free -= bytes
                return true
            }
            guard isGiven else { throw OrderError(503, "too many requests are on their way", retryAfter: 5) }
            defer { free.withLock { $0 += bytes } }
            return try await work()
        }
    }

    extension Request {
        /// How long a client may take to send a body: as long as a slow line needs, and no longer.
        private static func patience(_ bytes: Int) -> Duration { .seconds(30 + bytes / (64 << 10)) }

        /// Hands over the body, once all of it is there; it can be waited for the client's leaving afterwards.
        /// - Throws: `OrderError`: 413 for too many bytes, 408 for a client that takes too long, 400 for one that breaks off, 503
        ///   for more than there is room for.
        mutating func withBody<Value>(
            upTo limit: Int, in room: BodyRoom, _ read: (ByteBuffer) async throws -> Value
        ) async throws -> Value {
            let length = headers[.contentLength].flatMap { Int($0) }
            if let length, length > limit {
                throw OrderError(413, "the request has \(length) bytes; \(limit) are the most")
            }
            let request = self
            let value = try await room.with(length ?? limit) { try await read(request.whole(upTo: limit)) }
            // It is read: what may come now is the client's leaving.
            body = .init(buffer: ByteBuffer())
            return value
        }

        private func whole(upTo limit: Int) async throws -> ByteBuffer {
            do {
                return try await withDeadline(Self.patience(limit)) { try await body.collect(upTo: limit) }
            } catch is DeadlineError {
                throw OrderError(408, "the request took too long to arrive")
            } catch is NIOTooManyBytesError {
                throw OrderError(413, "the request has more than \(limit) bytes")
            } catch {
                throw OrderError(400, "the request broke off")
            }
        }

        /// A JSON body.
        /// - Throws: `OrderError`.
        mutating func json(upTo limit: Int, in room: BodyRoom) async throws -> Data {
            let type = headers[.contentType] ?? ""
            // What a page of another site can send without asking is not taken for JSON.
            guard type.split(separator: ";").first?.lowercased().split(separator: " ") == ["application/json"] else {
                throw OrderError(415, "Content-Type is \(type.prefix(100).debugDescription); send application/json")
            }
            return try await withBody(upTo: limit, in: room) { Data(buffer: $0) }
        }
    }

    /// Work took longer than it may.
    struct DeadlineError: Error {}

    /// Cancels work that takes too long.
    /// - Throws: `DeadlineError`.
    func withDeadline<Value: Sendable>(
        _ time: Duration, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: time)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let value = first else { throw DeadlineError() }
            return value
        }
    }
#endif
