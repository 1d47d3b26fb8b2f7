#if Server
    import AudioLDM2
    import Dispatch
    import FoundationEssentials
    import Glibc
    import SoundServer
    import Synchronization

    /// A sound's file on its way from the thread that makes it to a response: a pipe, so that the maker waits for a client that
    /// reads slowly, and stops once it has gone.
    final class SoundPipe: Sendable {
        private struct Writing {
            var stream: AudioStream?
            let end: Int32
            var isOver = false
        }

        /// Held while something is written, so that nobody closes what is written to.
        private let writing: Mutex<Writing>
        private let format: AudioStream.Format
        private let reading: DispatchIO
        private let queue = DispatchQueue(label: "sound pipe")
        /// Bytes that are sent at once: half a second of what models make.
        private static let chunkBytes = 16 << 10

        /// - Throws: `OrderError` of status 503 if the process has no more files.
        init(_ format: AudioStream.Format) throws {
            var ends: [Int32] = [0, 0]
            guard pipe(&ends) == 0 else {
                throw OrderError(503, "the server has too many files open", retryAfter: 5)
            }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            let readEnd = ends[0]
            self.format = format
            writing = Mutex(Writing(end: ends[1]))
            reading = DispatchIO(type: .stream, fileDescriptor: readEnd, queue: queue) { _ in _ = Glibc.close(readEnd) }
        }

        /// On the working thread.
        /// - Throws: `CancellationError` once nobody reads any more; `AudioLDM2Error`.
        func write(_ samples: [Float], sampleRate: Int, record: SoundRecord) throws {
            try writing.withLock { writing in
                guard !writing.isOver else { throw CancellationError() }
                let stream =
                    writing.stream ?? AudioStream(format, to: writing.end, sampleRate: sampleRate, record: record)
                writing.stream = stream
                try stream.write(samples)
            }
        }

        /// Nothing follows: the reader gets what the encoder still holds, then the end. Returns at once.
        func finish() {
            // Waits for room in the pipe, which no task may.
            DispatchQueue.global().async { [self] in
                writing.withLock { writing in
                    guard !writing.isOver else { return }
                    writing.isOver = true
                    // A reader that has gone needs no end.
                    try? writing.stream?.finish()
                    _ = Glibc.close(writing.end)
                }
            }
        }

        /// The next bytes; nil at the sound's end.
        /// - Throws: `OrderError`; `CancellationError`, after which nothing can be read.
        func next() async throws -> Data? {
            try await withTaskCancellationHandler {
                try await read()
            } onCancel: {
                close()
            }
        }

        private func read() async throws -> Data? {
            let collected = Mutex(Data())
            return try await withCheckedThrowingContinuation { continuation in
                reading.read(offset: 0, length: Self.chunkBytes, queue: queue) { isDone, data, error in
                    let all = collected.withLock { collected in
                        if let data { collected.append(contentsOf: data) }
                        return collected
                    }
                    guard isDone else { return }
                    switch error {
                    case 0: continuation.resume(returning: all.isEmpty ? nil : all)
                    case ECANCELED: continuation.resume(throwing: CancellationError())
                    default: continuation.resume(throwing: OrderError(500, "the sound broke off"))
                    }
                }
            }
        }

        /// Nothing is read any more; whoever writes is told.
        func close() { reading.close(flags: .stop) }
    }
#endif
