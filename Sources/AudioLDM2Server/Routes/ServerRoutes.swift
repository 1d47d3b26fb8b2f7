#if Server
    import AudioLDM2
    import Dispatch
    import FoundationEssentials
    import Hummingbird
    import Logging
    import SoundServer

    /// All that the server answers.
    struct ServerRoutes: Sendable {
        typealias Context = BasicRequestContext

        let desk: JobDesk
        let keys: APIKeys?
        let metrics: MetricsRegistry
        let boundHost: String
        let room: BodyRoom
        /// Where orders are read one at a time, away from the threads that all requests share: a sound takes a while.
        let reading = DispatchQueue(label: "orders")

        init(desk: JobDesk, keys: APIKeys?, metrics: MetricsRegistry, boundHost: String) {
            self.desk = desk
            self.keys = keys
            self.metrics = metrics
            self.boundHost = boundHost
            room = BodyRoom(bytes: desk.limits.allBodyBytes)
        }

        /// A JSON body, and what it orders.
        func order<Value: Sendable>(
            _ request: inout Request, _ read: @escaping @Sendable (Data) throws -> Value
        ) async throws -> Value {
            let json = try await request.json(upTo: desk.limits.jsonBytes, in: room)
            return try await onReadingQueue { try read(json) }
        }

        func onReadingQueue<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
            try await withCheckedThrowingContinuation { continuation in
                reading.async { continuation.resume(with: Result { try work() }) }
            }
        }

        func router(logger: Logger) -> Router<Context> {
            let router = Router(context: Context.self, options: .autoGenerateHeadEndpoints)
            let methods = RouteMethods()
            // The outermost counts what the next one refuses.
            router.add(middleware: MetricsMiddleware())
            router.add(
                middleware: RequestGuard(keys: keys, boundHost: boundHost, methods: methods, logger: logger))
            let routes = RouteBook(router: router, methods: methods)
            addPage(to: routes)
            addPeers(to: routes)
            addJobs(to: routes)
            routes.on(.get, "health") { _, _ in
                let load = await desk.load
                return Response.json(Health(waiting: load.waiting, running: load.running))
            }
            routes.on(.get, "metrics") { _, _ in
                let load = await desk.load
                let own =
                    "# TYPE audioldm2_jobs_waiting gauge\naudioldm2_jobs_waiting \(load.waiting)\n"
                    + "# TYPE audioldm2_jobs_running gauge\naudioldm2_jobs_running \(load.running)\n"
                return Response.text(own + metrics.text, "text/plain; version=0.0.4")
            }
            routes.on(.get, "v1/models") { _, _ in Response.json(ModelList(desk.models)) }
            return router
        }

        private func addPage(to routes: RouteBook) {
            for file in PageFile.all {
                routes.on(.get, file.path) { _, _ in
                    var response = Response.text(file.contents, file.mediaType)
                    response.headers[.cacheControl] = "no-cache"
                    return response
                }
            }
        }
    }

    /// Whether the server lives, and how busy it is.
    private struct Health: Encodable {
        let status = "ok"
        let waiting: Int
        let running: Int
    }

    /// The models as OpenAI's clients list them, with what each can do.
    private struct ModelList: Encodable {
        struct Entry: Encodable {
            let id: String
            let object = "model"
            let created: Int
            let ownedBy = "local"
            let abilities: [String]
            let defaultSeconds: Double?
            let sampleRate: Int?
            let license: String?
            let classes: [String]

            enum CodingKeys: String, CodingKey {
                case id, object, created, abilities, license, classes
                case ownedBy = "owned_by"
                case defaultSeconds = "default_seconds"
                case sampleRate = "sample_rate"
            }
        }

        let object = "list"
        let data: [Entry]

        init(_ models: [ServedModel]) {
            data = models.map { model in
                let changed = try? FileManager.default.attributesOfItem(atPath: model.path)[.modificationDate] as? Date
                return Entry(
                    id: model.name, created: Int(changed?.timeIntervalSince1970 ?? 0),
                    abilities: model.abilities.map(\.rawValue), defaultSeconds: model.defaultSeconds,
                    sampleRate: model.sampleRate, license: model.license, classes: model.classes)
            }
        }
    }
#endif
