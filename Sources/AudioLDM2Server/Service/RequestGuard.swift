#if Server
    import AudioLDM2
    import FoundationEssentials
    import HTTPTypes
    import Hummingbird
    import Logging
    import SoundServer

    /// Who may ask, what pages may do with answers, and what errors look like.
    struct RequestGuard<Context: RequestContext>: RouterMiddleware {
        let keys: APIKeys?
        let boundHost: String
        let methods: RouteMethods
        let logger: Logger

        func handle(
            _ request: Request, context: Context, next: (Request, Context) async throws -> Response
        ) async throws -> Response {
            let start = ContinuousClock.now
            var response: Response
            do {
                try check(request)
                response = try await next(request, context)
            } catch let error as OrderError {
                response = Response(error)
            } catch let error as HTTPError {
                let allowed = methods.allowed(at: request.uri.path).map(\.rawValue).joined(separator: ", ")
                if error.status == .notFound, !allowed.isEmpty {
                    response = Response(OrderError(405, "\(request.method) is not for this path; it has \(allowed)"))
                    response.headers[.allow] = allowed
                } else {
                    response = Response(OrderError(error.status.code, error.body ?? error.status.reasonPhrase))
                }
            }
            for (name, value) in Self.headers { response.headers[name] = value }
            // The path may hold a job's number, which is a secret; the pattern that it fits holds none.
            logger.info(
                "\(request.method) \(context.endpointPath ?? "?") \(response.status.code) \(ContinuousClock.now - start)"
            )
            return response
        }

        /// - Throws: `OrderError`.
        private func check(_ request: Request) throws {
            let host = request.head.authority ?? ""
            // Another site's name that leads to this machine: without keys, its pages could ask in its visitor's name.
            if keys == nil, HostName.isLoopback(boundHost) {
                let name = HostName.name(of: host)
                guard HostName.isLoopback(name) || name == boundHost else {
                    throw OrderError(403, "this server is called localhost, not \(host.debugDescription)")
                }
            }
            if let origin = request.headers[.origin], origin != "http://\(host)", origin != "https://\(host)" {
                throw OrderError(403, "pages of \(origin.debugDescription) may not use this server")
            }
            guard let keys, Self.needsKey(request.uri.path) else { return }
            let bearer = request.headers[.authorization].flatMap { $0.hasPrefix("Bearer ") ? $0.dropFirst(7) : nil }
            let other = HTTPField.Name("xi-api-key").flatMap { request.headers[$0] }
            guard let key = bearer.map(String.init) ?? other, keys.contains(key) else {
                throw OrderError(401, "a key is needed: Authorization: Bearer KEY")
            }
        }

        /// The page itself asks for the key; whether the server lives is no secret.
        private static func needsKey(_ path: String) -> Bool { path.hasPrefix("/v1/") || path == "/metrics" }

        /// Nothing from elsewhere, nothing inline, in nobody's frame.
        private static var headers: [(HTTPField.Name, String)] {
            [
                (
                    .contentSecurityPolicy,
                    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
                        + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
                ),
                (.xContentTypeOptions, "nosniff"),
            ]
                + [
                    ("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer"),
                    ("Cross-Origin-Resource-Policy", "same-origin"),
                ]
                .compactMap { name, value in HTTPField.Name(name).map { ($0, value) } }
        }
    }

    /// Names of machines.
    enum HostName {
        /// "localhost" of "localhost:8080", "::1" of "[::1]:8080".
        static func name(of authority: String) -> String {
            if authority.hasPrefix("[") { return String(authority.dropFirst().prefix { $0 != "]" }) }
            return String(authority.prefix { $0 != ":" })
        }

        /// Whether a name means the machine itself.
        static func isLoopback(_ name: String) -> Bool {
            name == "localhost" || name == "::1"
                || (name.hasPrefix("127.") && name.allSatisfy { $0.isNumber || $0 == "." })
        }
    }

    extension Response {
        /// An error as OpenAI's clients read it.
        init(_ error: OrderError) {
            struct Body: Encodable {
                struct Inner: Encodable {
                    let message: String
                    let type: String
                    let code: Int
                }
                let error: Inner
            }
            let type =
                error.status < 500 ? "invalid_request_error" : error.status == 503 ? "overloaded" : "server_error"
            var response = Response.json(
                Body(error: .init(message: error.message, type: type, code: error.status)),
                status: .init(code: error.status))
            if let seconds = error.retryAfter { response.headers[.retryAfter] = "\(seconds)" }
            self = response
        }

        /// A value as JSON.
        static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let data = (try? encoder.encode(value)) ?? Data("{}".utf8)
            return Response(
                status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
                body: .init(byteBuffer: ByteBuffer(bytes: data)))
        }
    }
#endif
