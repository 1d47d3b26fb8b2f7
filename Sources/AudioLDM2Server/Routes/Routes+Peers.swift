#if Server
    import AudioLDM2
    import FoundationEssentials
    import HTTPTypes
    import Hummingbird
    import SoundServer

    extension ServerRoutes {
        /// Requests as clients of other programs send them, answered with the sound.
        func addPeers(to routes: RouteBook) {
            routes.on(.post, "v1/audio/generate") { request, _ in
                var request = request
                let (order, streams) = try await order(&request) { try PeerBodies.generate($0) }
                return streams ? try await streamed(order, request) : try await made(order, request)
            }
            routes.on(.post, "v1/sound-generation") { request, _ in
                var request = request
                let format = request.uri.queryParameters["output_format"].map(String.init)
                let order = try await order(&request) { try PeerBodies.soundGeneration($0, outputFormat: format) }
                return try await made(order, request)
            }
            routes.on(.post, "v1/audio/speech") { request, _ in
                var request = request
                let order = try await order(&request) { try PeerBodies.speech($0) }
                return try await made(order, request)
            }
        }

        /// Makes a sound while the client waits; one that goes takes its job with it.
        private func made(_ order: SoundOrder, _ request: Request) async throws -> Response {
            let job = try await desk.submit(order)
            do {
                let end = try await request.body.consumeWithCancellationOnInboundClose { _ in try await job.end() }
                var response = try Response(soundOf: job, end)
                // The client has it: nobody comes back for it.
                await desk.dropFile(of: job)
                // Watching for the client's leaving uses the connection up.
                response.headers[.connection] = "close"
                return response
            } catch is CancellationError {
                await desk.cancel(job)
                throw OrderError(499, "the client went")
            }
        }

        /// Time in which a client has to take the next part of a sound.
        private static let patience = Duration.seconds(30)

        /// Sends a sound while it is made.
        private func streamed(_ order: SoundOrder, _ request: Request) async throws -> Response {
            let format: AudioStream.Format
            switch order.format {
            case .wav: format = .wav
            case .flac: format = .flac
            default: throw OrderError(400, "sounds are sent while they are made as wav or flac")
            }
            let pipe = try SoundPipe(format)
            let job: Job
            do {
                job = try await desk.submit(order) { try pipe.write($0, sampleRate: $1, record: $2) }
            } catch {
                pipe.finish()
                pipe.close()
                throw error
            }
            let desk = desk
            let body = ResponseBody { writer in
                defer { pipe.close() }
                // Its end is the sound's, however it ends.
                let end = Task { () -> JobState in
                    defer { pipe.finish() }
                    return try await job.end()
                }
                let out = WriterBox(writer)
                do {
                    try await request.body.consumeWithCancellationOnInboundClose { _ in
                        while let chunk = try await pipe.next() {
                            // One that does not listen would keep all others waiting.
                            try await withDeadline(Self.patience) { try await out.write(chunk) }
                        }
                    }
                    // A body that breaks off is all that can be said now.
                    guard try await end.value.status == .completed else { throw OrderError(500, "the sound broke off") }
                } catch {
                    await desk.cancel(job)
                    throw error
                }
                try await writer.finish(nil)
            }
            var headers = HTTPFields(of: job, job.state)
            headers[.connection] = "close"
            return Response(status: .ok, headers: headers, body: body)
        }
    }

    /// A response's writer that a child task may use; one task at a time does.
    private final class WriterBox: @unchecked Sendable {
        private var writer: any ResponseBodyWriter

        init(_ writer: any ResponseBodyWriter) { self.writer = writer }

        func write(_ data: Data) async throws { try await writer.write(ByteBuffer(bytes: data)) }
    }

    extension Response {
        /// What came of a job that makes a sound.
        /// - Throws: `OrderError`.
        init(soundOf job: Job, _ state: JobState) throws {
            switch state.status {
            case .queued, .running: throw OrderError(409, "the job is not done: it is \(state.status.rawValue)")
            case .cancelled: throw OrderError(409, "the job was cancelled")
            case .failed:
                throw OrderError(state.error?.status ?? 500, state.error?.message ?? "the job failed")
            case .completed: break
            }
            guard state.result?.format != nil else { throw OrderError(404, "the job made no sound") }
            guard let file = job.handOver() else {
                throw OrderError(
                    410, "the sound was handed over, or given up for newer ones: make it again with its seed")
            }
            var headers = HTTPFields(of: job, state)
            headers[.contentDisposition] = "inline; filename=\"\(state.id.prefix(8)).\(job.format.rawValue)\""
            self.init(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: file)))
        }
    }

    extension HTTPFields {
        /// What is said of a sound beside its bytes.
        fileprivate init(of job: Job, _ state: JobState) {
            self = [.contentType: job.format.mediaType, .cacheControl: "no-store"]
            let own: [(String, String?)] = [
                ("X-Job", state.id), ("X-Seed", (state.result?.seed ?? job.seed).map { "\($0)" }),
                ("X-Warning", state.warnings.isEmpty ? nil : state.warnings.joined(separator: "; ").asciiOnly),
            ]
            for (name, value) in own {
                if let field = HTTPField.Name(name), let value { self[field] = value }
            }
        }
    }

    extension String {
        /// What a header can hold.
        fileprivate var asciiOnly: String {
            String(unicodeScalars.map { $0.isASCII && $0.value >= 32 && $0.value < 127 ? Character($0) : "?" })
        }
    }
#endif
