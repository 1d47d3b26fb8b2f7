import CFaults
import Foundation

/// The server while calls fail: it says why it cannot start, or works on. At most one request suffers, and the next one is
/// answered with the right sound.
struct ServerSweep: Sweep {
    private let faults: [Fault] = [
        Fault(name: "server-sockets", kinds: FAULTS_SOCKET.rawValue, code: ENOBUFS),
        Fault(name: "server-open", kinds: FAULTS_OPEN.rawValue, code: EMFILE),
        Fault(name: "server-read", kinds: FAULTS_READ.rawValue, code: EIO),
        Fault(name: "server-write", kinds: FAULTS_WRITE.rawValue, code: EIO),
        Fault(name: "server-map", kinds: FAULTS_MAP.rawValue, code: ENOMEM),
        Fault(name: "server-thread", kinds: FAULTS_THREAD.rawValue, code: EAGAIN),
        Fault(
            name: "server-end", kinds: FAULTS_SOCKET.rawValue | FAULTS_WRITE.rawValue, action: FAULTS_SIGNAL,
            code: SIGTERM),
    ]

    var names: [String] { faults.map(\.name) }

    func run(_ bench: Bench) throws {
        guard bench.includes(scenario: "server", isQuick: false) else { return }
        let chosen = faults.filter { bench.includes(fault: $0.name, isQuick: false) }
        guard !chosen.isEmpty else { return }
        guard FileManager.default.fileExists(atPath: bench.material.products + "/audioldm2-server") else {
            print("note: server: was not built (swift build --traits Server)")
            return
        }
        let whole = try Visit(bench, nil, 0)
        guard let sound = whole.answers.first ?? nil, whole.outcome.status == 0 else {
            throw BenchError("audioldm2-server does not work at all: \(whole.outcome.status) \(whole.folder.errors)")
        }
        for fault in chosen {
            let count = try Visit(bench, fault, 0).outcome.calls
            for number in bench.numbers(of: count, most: 16) {
                let visit = try Visit(bench, fault, number)
                let none = Fault(name: "none", kinds: 0)
                var verdict =
                    visit.outcome.was_met
                    ? judge(visit, fault, sound, whole) : judge(visit, none, sound, whole).ofUnmet
                if case .finding(let text) = verdict { verdict = .finding("\(visit.outcome.placeText): \(text)") }
                bench.tally.note(verdict, fault.name, again: bench.again("server", fault.name, number))
            }
        }
    }

    private func judge(_ visit: Visit, _ fault: Fault, _ sound: Data, _ whole: Visit) -> Verdict {
        let outcome = visit.outcome
        let said = "; it says: \(visit.folder.errors.prefix(300))"
        // Nobody knows its port, and so asks it for nothing.
        let isUnknown = outcome.placeText.hasSuffix("/stdout")
        if outcome.timed_out || !isUnknown && outcome.seconds > whole.outcome.seconds + 6 {
            return .finding("takes \(outcome.seconds) s" + said)
        }
        // Asked twice, it ends at once, as the system ends programs: what it had taken in is not made.
        if fault.action == FAULTS_SIGNAL, outcome.signal == fault.code { return .stopped }
        if outcome.signal != 0 {
            // NIO stops the program if one of its own threads is refused, right after as many were to be had.
            let isTaken = fault.kinds == FAULTS_THREAD.rawValue && !visit.wasListening
            return isTaken || fault.kinds == FAULTS_MAP.rawValue
                ? .runtime : .finding("ends by signal \(outcome.signal)" + said)
        }
        if outcome.status == 127 { return .loader }
        let leftovers = visit.folder.leftovers()
        if !leftovers.isEmpty { return .finding("leaves \(leftovers)") }
        if outcome.status == 1 {
            let lines = visit.folder.errors.split(separator: "\n")
            if lines.last?.hasPrefix("Error: ") != true { return .finding("does not say why it ends" + said) }
            return visit.wasListening && fault.action != FAULTS_SIGNAL
                ? .finding("ends because of one call" + said) : .refused
        }
        if fault.action == FAULTS_SIGNAL, [0, 128 + SIGTERM].contains(outcome.status) { return .stopped }
        guard outcome.status == 0 else { return .finding("exits with \(outcome.status)" + said) }
        let right = visit.answers.filter { $0 == sound }.count
        return visit.answers.last == sound && right >= visit.answers.count - 1
            ? .worked : .finding("answers \(right) of \(visit.answers.count) requests" + said)
    }
}

/// A server that is started, asked for three sounds, one after the other, for a fourth if the last one failed, and asked to end.
private struct Visit {
    let folder: RunFolder
    let outcome: faults_outcome
    /// Sounds that were sent; nil for what was no sound.
    let answers: [Data?]
    let wasListening: Bool

    init(_ bench: Bench, _ fault: Fault?, _ number: Int) throws {
        let scenario = Scenario(
            name: "server", product: "audioldm2-server",
            arguments: ["--port", "0", "--threads", "2", "--device", "cpu", "-m", bench.material.model], outputs: [])
        folder = try RunFolder(bench, scenario, .fresh)
        var run = bench.run(folder)
        (run.fault, run.number, run.deadline) = (fault, number, 40_000)
        let process = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
        process.initialize(to: 0)
        defer { process.deallocate() }
        let ended = DispatchSemaphore(value: 0)
        nonisolated(unsafe) var result: Result<faults_outcome, any Error>?
        nonisolated(unsafe) let started = process
        nonisolated(unsafe) let tracedRun = run
        // The thread that starts a process is the one that traces it.
        Thread.detachNewThread {
            result = Result { try tracedRun.run(started: started) }
            ended.signal()
        }
        var port: UInt16?
        for _ in 0..<1000 where port == nil {
            port = folder.printed.firstMatch(of: /http:\/\/[^:]+:([0-9]+)\//).flatMap { UInt16($0.output.1) }
            if port == nil, ended.wait(timeout: .now() + 0.01) == .success {
                ended.signal()
                break
            }
        }
        wasListening = port != nil
        var answers = port.map { port in (0..<3).map { _ in SoundRequest.ask(port) } } ?? []
        // After one that suffers, another.
        if let port, answers.last != answers.first || answers.last == .some(nil) {
            answers.append(SoundRequest.ask(port))
        }
        self.answers = answers
        if process.pointee > 0 { kill(process.pointee, SIGTERM) }
        ended.wait()
        guard let result else { throw BenchError("audioldm2-server was not started") }
        outcome = try result.get()
    }
}

/// One sound of a server.
private enum SoundRequest {
    private static let body = #"{"input": "a", "audio_length": 0.3, "num_inference_steps": 1, "seed": 1}"#

    /// - Returns: what it sends with status 200; nil if it sends something else.
    static func ask(_ port: UInt16) -> Data? {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { return nil }
        defer { close(socket) }
        var patience = timeval(tv_sec: 6, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        let head =
            "POST /v1/audio/generate HTTP/1.1\r\nHost: localhost:\(port)\r\nConnection: close\r\n"
            + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        let text = Array((head + body).utf8)
        guard status == 0, send(socket, text, text.count, Int32(MSG_NOSIGNAL)) == text.count else {
            return nil
        }
        var all = Data()
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = recv(socket, &block, block.count, 0), count > 0 { all += block.prefix(count) }
        guard all.starts(with: Data("HTTP/1.1 200".utf8)), let end = all.firstRange(of: Data("\r\n\r\n".utf8)) else {
            return nil
        }
        return Data(all[end.upperBound...])
    }
}
