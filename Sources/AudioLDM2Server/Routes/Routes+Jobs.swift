#if Server
    import AudioLDM2
    import FoundationEssentials
    import HTTPTypes
    import Hummingbird
    import SoundServer

    extension ServerRoutes {
        /// Jobs that clients follow and come back for.
        func addJobs(to routes: RouteBook) {
            routes.on(.post, "v1/jobs") { request, _ in
                var request = request
                // Before anything is read.
                try await desk.requireRoom()
                let job = try await desk.submit(jobOrder(&request))
                var response = Response.json(job.state, status: .accepted)
                response.headers[.location] = "/v1/jobs/\(job.id)"
                return response
            }
            routes.on(.get, "v1/jobs/:id") { _, context in Response.json(try await job(context).state) }
            routes.on(.delete, "v1/jobs/:id") { _, context in
                let job = try await job(context)
                await desk.cancel(job)
                return Response.json(job.state)
            }
            routes.on(.get, "v1/jobs/:id/result") { _, context in
                let job = try await job(context)
                return try Response(soundOf: job, job.state)
            }
            routes.on(.get, "v1/jobs/:id/events") { _, context in
                let job = try await job(context)
                return Response(
                    status: .ok,
                    headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
                    body: Self.events(of: job))
            }
        }

        private func job(_ context: Context) async throws -> Job {
            guard let id = context.parameters.get("id"), let job = await desk.job(id) else {
                throw OrderError(404, "there is no such job, or it ended long ago")
            }
            return job
        }

        /// A JSON object, or a form with one in "request" and a sound's file in "sound".
        private func jobOrder(_ request: inout Request) async throws -> SoundOrder {
            let type = request.headers[.contentType] ?? ""
            let limits = desk.limits
            guard type.lowercased().hasPrefix("multipart/form-data") else {
                return try await order(&request) { try JobBody.order($0, limits: limits) }
            }
            return try await request.withBody(upTo: limits.bodyBytes, in: room) { buffer in
                try await onReadingQueue {
                    let form = try MultipartForm(Array(buffer.readableBytesView), contentType: type)
                    guard let json = form.parts["request"] else {
                        throw OrderError(400, "the form has no part \"request\" with the job in JSON")
                    }
                    guard json.count <= limits.jsonBytes else {
                        throw OrderError(413, "\"request\" has \(json.count) bytes; \(limits.jsonBytes) are the most")
                    }
                    return try JobBody.order(Data(json), sound: form.parts["sound"], limits: limits)
                }
            }
        }

        /// What becomes of a job, as server-sent events (HTML, section 9.2): each a state; ends with the job.
        private static func events(of job: Job) -> ResponseBody {
            ResponseBody { writer in
                let encoder = JSONEncoder.ofAnswers
                for await state in paced(job.states()) {
                    guard let state else {
                        // Nothing happened; a client that has gone is noticed by writing to it.
                        try await writer.write(ByteBuffer(string: ": still here\n\n"))
                        continue
                    }
                    let line = "data: " + String(decoding: try encoder.encode(state), as: UTF8.self) + "\n\n"
                    try await writer.write(ByteBuffer(string: line))
                }
                try await writer.finish(nil)
            }
        }

        /// The same states, with nil in between where there is none for long.
        private static func paced(_ states: AsyncStream<JobState>) -> AsyncStream<JobState?> {
            let (stream, continuation) = AsyncStream.makeStream(
                of: JobState?.self, bufferingPolicy: .bufferingNewest(4))
            let beat = Task {
                while !Task.isCancelled {
                    try await Task.sleep(for: .seconds(15))
                    continuation.yield(nil)
                }
            }
            let copy = Task {
                for await state in states { continuation.yield(state) }
                continuation.finish()
            }
            continuation.onTermination = { _ in
                beat.cancel()
                copy.cancel()
            }
            return stream
        }
    }
#endif
