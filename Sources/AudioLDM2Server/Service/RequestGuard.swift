#if Server
    import AudioLDM2
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
                if error.status == 401 { response.headers[.wwwAuthenticate] = "Bearer" }
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
            // What is refused may have a body that nobody wants to wait for.
            if response.status.code >= 400, request.hasBody { response.headers[.connection] = "close" }
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
                guard let name, HostName.isLoopback(name) || name == boundHost else {
                    throw OrderError(
                        403,
                        "this server is called localhost, not \(host.prefix(100).debugDescription): ask for that name")
                }
            }
            if let origin = request.headers[.origin], origin != "http://\(host)", origin != "https://\(host)" {
                throw OrderError(403, "pages of \(origin.prefix(100).debugDescription) may not use this server")
            }
            // Of browsers that say so.
            if request.method != .get, let site = HTTPField.Name("Sec-Fetch-Site"),
                request.headers[site] == "cross-site"
            {
                throw OrderError(403, "pages of other sites may not use this server")
            }
            guard let keys, !Self.isPublic(request.uri.path) else { return }
            let other = HTTPField.Name("xi-api-key").flatMap { request.headers[$0] }
            guard let key = Self.bearer(request.headers[.authorization]) ?? other, keys.contains(key) else {
                throw OrderError(401, "a key is needed: Authorization: Bearer KEY")
            }
        }

        /// The key of "Bearer KEY", whose first word knows no case.
        private static func bearer(_ header: String?) -> String? {
            guard let header, header.prefix(7).lowercased() == "bearer " else { return nil }
            return String(header.dropFirst(7))
        }

        /// The page, which asks for the key itself, and whether the server lives; a key is needed for all else. By parts, as the
        /// router finds its way.
        private static func isPublic(_ path: String) -> Bool {
            let parts = path.split(separator: "/")
            return parts == ["health"] || PageFile.all.contains { $0.path.split(separator: "/") == parts }
        }

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

    extension Request {
        fileprivate var hasBody: Bool {
            headers[.transferEncoding] != nil || (headers[.contentLength] ?? "0") != "0"
        }
    }
#endif
