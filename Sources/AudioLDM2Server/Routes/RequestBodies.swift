#if Server
    import FoundationEssentials
    import Hummingbird
    import NIOCore
    import SoundServer

    extension Request {
        /// Bytes of a JSON body at most.
        private static let jsonBytes = 1 << 20
        /// How long a client may take to send a body: as long as a slow line needs, and no longer.
        private static func patience(_ bytes: Int) -> Duration { .seconds(30 + bytes / (64 << 10)) }

        /// The body, once all of it is there; it can be waited for the client's leaving afterwards.
        /// - Throws: `OrderError`: 413 for too many bytes, 408 for a client that takes too long, 400 for one that breaks off.
        mutating func wholeBody(upTo limit: Int) async throws -> ByteBuffer {
            if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit {
                throw OrderError(413, "the request has \(length) bytes; \(limit) are the most")
            }
            let request = self
            let buffer: ByteBuffer
            do {
                buffer = try await withThrowingTaskGroup(of: ByteBuffer?.self) { group in
                    group.addTask { try await request.body.collect(upTo: limit) }
                    group.addTask {
                        try await Task.sleep(for: Self.patience(limit))
                        return nil
                    }
                    defer { group.cancelAll() }
                    guard let first = try await group.next(), let buffer = first else {
                        throw OrderError(408, "the request took too long to arrive")
                    }
                    return buffer
                }
            } catch let error as OrderError {
                throw error
            } catch is NIOTooManyBytesError {
                throw OrderError(413, "the request has more than \(limit) bytes")
            } catch {
                throw OrderError(400, "the request broke off")
            }
            body = .init(buffer: buffer)
            return buffer
        }

        /// A JSON body.
        /// - Throws: `OrderError`.
        mutating func json() async throws -> Data {
            let type = headers[.contentType] ?? ""
            // What a page of another site can send without asking is not taken for JSON.
            guard type.lowercased().hasPrefix("application/json") else {
                throw OrderError(415, "Content-Type is \(type.debugDescription); send application/json")
            }
            return Data(buffer: try await wholeBody(upTo: Self.jsonBytes))
        }
    }
#endif
