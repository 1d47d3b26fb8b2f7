import CFaults
import Foundation

/// One run of a command in a folder of its own, with what happens to it on its way.
struct TracedRun {
    var folder: String
    var program: String
    var arguments: [String]
    var environment: [String: String] = [:]
    var limits: [(resource: Int32, value: UInt)] = []
    var user: UInt32 = 0
    var fault: Fault?
    var number = 0
    var refusesUnnamed = false
    /// Milliseconds.
    var deadline: Int32 = 15_000
    /// Called at the call that the fault meets, or at every one that counts.
    var atCall: (() -> Void)?

    /// What every command is given, and nothing else of the bench's own environment.
    static func environment(_ folder: String) -> [String: String] {
        var all = ["AUDIOLDM2_DEVICE": "cpu", "TMPDIR": folder + "/tmp", "HOME": folder, "PATH": "/usr/bin:/bin"]
        // A trace of a crash takes seconds to write; that there was one is seen without.
        all["SWIFT_BACKTRACE"] = "enable=no"
        for name in ["LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "AUDIOLDM2_MUTANT"] {
            if let value = ProcessInfo.processInfo.environment[name] { all[name] = value }
        }
        return all
    }

    /// - Parameter started: called on another thread as soon as there is a process.
    func run(started: UnsafeMutablePointer<Int32>? = nil) throws -> faults_outcome {
        let words = Self.texts([program] + arguments)
        let settings = Self.texts(Self.environment(folder).merging(environment) { $1 }.map { "\($0)=\($1)" })
        let names = Self.texts([folder, folder + "/stdout", folder + "/stderr"])
        defer { for text in words + settings + names { free(text) } }
        let limits = limits.map { faults_limit(resource: $0.resource, value: $0.value) }
        let box = CallBox(atCall)
        return try withExtendedLifetime(box) {
            try words.withUnsafeBufferPointer { words in
                try settings.withUnsafeBufferPointer { settings in
                    try limits.withUnsafeBufferPointer { limits in
                        var plan = faults_plan()
                        plan.arguments = words.baseAddress
                        plan.environment = settings.baseAddress
                        plan.folder = UnsafePointer(names[0])
                        plan.output = UnsafePointer(names[1])
                        plan.errors = UnsafePointer(names[2])
                        plan.limits = limits.baseAddress
                        plan.limit_count = limits.count
                        plan.user = user
                        plan.kinds = fault?.kinds ?? 0
                        plan.action = number == 0 || fault == nil ? FAULTS_COUNT : fault?.action ?? FAULTS_COUNT
                        plan.number = number
                        plan.onwards = fault?.onwards ?? false
                        plan.code = fault?.code ?? 0
                        plan.refuses_unnamed = refusesUnnamed
                        plan.deadline = deadline
                        if atCall != nil {
                            plan.call = { context in
                                context.map { Unmanaged<CallBox>.fromOpaque($0).takeUnretainedValue().body?() }
                            }
                            plan.context = Unmanaged.passUnretained(box).toOpaque()
                        }
                        var outcome = faults_outcome()
                        let code = faults_run(&plan, &outcome, started)
                        guard code == 0 else {
                            throw BenchError("\(program): cannot be traced: \(String(cString: strerror(code)))")
                        }
                        return outcome
                    }
                }
            }
        }
    }

    /// As C has lists of texts: with a null pointer at the end.
    private static func texts(_ strings: [String]) -> [UnsafeMutablePointer<CChar>?] {
        strings.map { strdup($0) } + [nil]
    }

    private final class CallBox {
        let body: (() -> Void)?
        init(_ body: (() -> Void)?) { self.body = body }
    }
}

extension faults_outcome {
    /// Which call the fault met.
    var placeText: String { Self.text(place) }

    /// A name that was given to a file before it was on the disk; empty for none.
    var unsyncedText: String { Self.text(unsynced) }

    private static func text<Bytes>(_ bytes: Bytes) -> String {
        withUnsafeBytes(of: bytes) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
