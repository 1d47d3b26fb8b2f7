#if Server
    import AudioLDM2
    import FoundationEssentials
    import Glibc
    import Hummingbird
    import HummingbirdCore
    import Logging
    import Metrics
    import NIOCore
    import Platform
    import ServiceLifecycle
    import SoundServer
    import Terminal

    extension ServerCommand {
        /// Serves until a signal comes.
        func serve() async throws {
            let keys = try apiKeyFile.map { try APIKeys(contentsOf: $0) }
            let models = try await opened()
            let metrics = MetricsRegistry()
            MetricsSystem.bootstrap(metrics)
            var logger = Logger(label: "audioldm2-server") { StreamLogHandler.standardError(label: $0) }
            logger.logLevel = quiet ? .error : verbose ? .info : .notice
            let desk = JobDesk(models: models, limits: limits) { state in
                Counter(
                    label: "audioldm2_jobs_total",
                    dimensions: [("operation", state.operation), ("status", state.status.rawValue)]
                ).increment()
                if let start = state.startedAt, let end = state.finishedAt {
                    Metrics.Timer(label: "audioldm2_job_duration", dimensions: [("operation", state.operation)])
                        .recordSeconds(end - start)
                }
            }
            let routes = ServerRoutes(desk: desk, keys: keys, metrics: metrics, boundHost: host)
            let (isQuiet, names) = (quiet, models.map(\.name).joined(separator: ", "))
            if !isQuiet, keys == nil, !HostName.isLoopback(host) {
                logger.warning(
                    "anybody who reaches \(host), and any page that such a one looks at, can use this server: give it keys (--api-key-file)"
                )
            }
            // NIO takes its threads for granted, and stops the program without.
            if let refusal = ThreadReserve(SystemProcessors.available + ThreadReserve.ofACommand).refusal {
                throw AudioLDM2Error(.outOfMemory, "\(refusal)")
            }
            let app = Application(
                router: routes.router(logger: logger),
                server: .http1(
                    configuration: .init(additionalChannelHandlers: [ConnectionRules()], idleTimeout: .seconds(30))),
                configuration: .init(
                    address: .hostname(host, port: port), serverName: nil,
                    availableConnectionsDelegate: MaximumAvailableConnections(ConnectionLimit.raised())),
                services: [DeskService(desk: desk)],
                onServerRunning: { channel in
                    guard !isQuiet, let address = channel.localAddress, let port = address.port else { return }
                    let name = address.ipAddress.map { $0.contains(where: { $0 == ":" }) ? "[\($0)]" : $0 } ?? host
                    print("http://\(name == "0.0.0.0" ? "localhost" : name):\(port)/ serves \(names)")
                    fflush(nil)
                }, logger: logger)
            var configuration = ServiceGroupConfiguration(
                services: [.init(service: app)], logger: logger)
            configuration.maximumGracefulShutdownDuration = Duration.seconds(600)
            let group = ServiceGroup(configuration: configuration)
            // What was taken in is made, and can be asked for until then. A second signal ends the program at once.
            let interrupts = Interrupts { _ in
                Task {
                    await desk.drain()
                    await group.triggerGracefulShutdown()
                }
            }
            defer { interrupts.stop() }
            do {
                try await group.run()
            } catch let error as AudioLDM2Error {
                throw error
            } catch let error as IOError {
                let reason = String(cString: strerror(error.errnoCode)).lowercased()
                throw AudioLDM2Error(.configuration, "\(host):\(port) cannot be listened at: \(reason)")
            } catch is SocketAddressError {
                throw AudioLDM2Error(
                    .configuration, "\(host.debugDescription) is not known: choose an address or a name of this machine"
                )
            } catch {
                throw AudioLDM2Error(.configuration, "the server ended: \(error)")
            }
        }
    }

    /// Forgets old jobs, whether anybody asks for something or not.
    struct DeskService: Service {
        let desk: JobDesk

        func run() async throws {
            try? await cancelWhenGracefulShutdown {
                while true {
                    try await Task.sleep(for: .seconds(60))
                    await desk.tidy()
                }
            }
        }
    }
#endif
