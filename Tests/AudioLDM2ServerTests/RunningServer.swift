#if Server
    import Foundation
    import TestSupport

    /// A server that was built beside the tests, at a port of its own.
    final class RunningServer: @unchecked Sendable {
        // Unchecked: a process and its port, which do not change.
        private let process = Process()
        let port: Int
        let folder: TemporaryFolder

        /// - Throws: `Failure` if it does not say where it listens.
        init(_ arguments: [String] = []) throws {
            folder = try TemporaryFolder()
            let products = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            process.executableURL = products.appendingPathComponent("audioldm2-server")
            process.arguments = ["--port", "0", "--threads", "2", "--device", "cpu"] + arguments
            process.environment = ProcessInfo.processInfo.environment.merging(["TMPDIR": folder.file("")]) { $1 }
            let output = Pipe()
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            try process.run()
            var text = ""
            while !text.contains("\n") {
                let data = output.fileHandleForReading.availableData
                guard !data.isEmpty else { throw Failure(text) }
                text += String(decoding: data, as: UTF8.self)
            }
            guard let match = text.firstMatch(of: /http:\/\/[^:]+:([0-9]+)\//), let port = Int(match.output.1) else {
                throw Failure(text)
            }
            self.port = port
        }

        struct Failure: Error {
            let text: String
            init(_ text: String) { self.text = text }
        }

        deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

        /// Sends a signal, and waits for the end.
        /// - Returns: the exit status; negative for a signal that ended it.
        func end(by signal: Int32) -> Int32 {
            kill(process.processIdentifier, signal)
            process.waitUntilExit()
            return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
        }

        /// Its memory in bytes.
        var residentBytes: Int { ResidentMemory.bytes(of: process.processIdentifier) }

        /// A connection to it.
        func connect() throws -> Connection { try Connection(port: port) }

        /// One request on a connection of its own.
        func ask(
            _ method: String, _ path: String, json: String? = nil, headers: [String: String] = [:], body: Data = Data()
        ) throws -> Answer {
            let connection = try connect()
            var headers = headers
            if json != nil { headers["Content-Type"] = "application/json" }
            let body = json.map { Data($0.utf8) } ?? body
            let host = headers.removeValue(forKey: "Host") ?? "localhost:\(port)"
            var text =
                "\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\nContent-Length: \(body.count)\r\n"
            for (name, value) in headers { text += "\(name): \(value)\r\n" }
            try connection.send(Data((text + "\r\n").utf8) + body)
            return try Answer(connection.readAll())
        }
    }

    /// A socket: what clients that misbehave need.
    final class Connection {
        private let socket: Int32

        init(port: Int) throws {
            socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            let status = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard status == 0 else { throw RunningServer.Failure("cannot connect") }
        }

        deinit { Glibc.close(socket) }

        func send(_ data: Data) throws {
            var rest = data[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes {
                    Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }

        /// The next bytes; empty at the end.
        func read() -> Data {
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            let count = recv(socket, &bytes, bytes.count, 0)
            return Data(bytes.prefix(max(count, 0)))
        }

        func readAll() -> Data {
            var all = Data()
            while true {
                let next = read()
                if next.isEmpty { return all }
                all += next
            }
        }
    }

    /// A response.
    struct Answer {
        let status: Int
        let headers: [String: String]
        let body: Data

        init(_ data: Data) throws {
            guard let end = data.firstRange(of: Data("\r\n\r\n".utf8)) else {
                throw RunningServer.Failure("no response: \(String(decoding: data.prefix(200), as: UTF8.self))")
            }
            let lines = String(decoding: data[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
            status = lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            headers = lines.dropFirst().reduce(into: [:]) { headers, line in
                let pair = line.split(separator: ":", maxSplits: 1)
                if pair.count == 2 { headers[pair[0].lowercased()] = pair[1].trimmingCharacters(in: .whitespaces) }
            }
            let rest = data[end.upperBound...]
            body = headers["transfer-encoding"] == "chunked" ? Self.unchunked(rest) : Data(rest)
        }

        var text: String { String(decoding: body, as: UTF8.self) }

        private static func unchunked(_ data: Data) -> Data {
            var (rest, all) = (data[...], Data())
            while let line = rest.firstRange(of: Data("\r\n".utf8)),
                let count = Int(String(decoding: rest[..<line.lowerBound], as: UTF8.self), radix: 16), count > 0
            {
                all += rest[line.upperBound...].prefix(count)
                rest = rest[line.upperBound...].dropFirst(count + 2)
            }
            return all
        }
    }
#endif
