#if Server
    import FoundationEssentials
    import Hummingbird
    import Synchronization

    /// Adds routes, and remembers which methods each path has.
    struct RouteBook {
        let router: Router<BasicRequestContext>
        let methods: RouteMethods

        /// - Parameter path: with ":id" for what differs.
        func on(
            _ method: HTTPRequest.Method, _ path: String,
            _ answer: @escaping @Sendable (Request, BasicRequestContext) async throws -> Response
        ) {
            router.on(RouterPath(path), method: method, use: answer)
            methods.add(method, path)
        }
    }

    /// Methods by path, so that a wrong one is told from a wrong path.
    final class RouteMethods: Sendable {
        private let all = Mutex<[[Substring]: [HTTPRequest.Method]]>([:])

        func add(_ method: HTTPRequest.Method, _ path: String) {
            all.withLock { $0[path.split(separator: "/"), default: []].append(method) }
        }

        /// Methods that a path has; empty for a path that there is not.
        func allowed(at path: String) -> [HTTPRequest.Method] {
            let parts = path.split(separator: "/")
            return all.withLock { all in
                all.first { pattern, _ in
                    pattern.count == parts.count && zip(pattern, parts).allSatisfy { $0.hasPrefix(":") || $0 == $1 }
                }?.value ?? []
            }
        }
    }
#endif
