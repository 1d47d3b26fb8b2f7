import CFaults
import Foundation

/// What must hold after a run, whatever happened to it: each file is the old one or the new one, whole; nothing else is left;
/// the exit status and one clear line say what became of the work; and none of it takes long.
struct Judge {
    let folder: RunFolder
    let reference: Reference
    /// Signal that was sent, if that was the fault.
    var signal: Int32?
    /// Whether the system refused to map memory, so that Swift's runtime may have had to end the process. (What the allocator
    /// refuses, Sources/CAllocations says.)
    var refusesMemory = false
    /// Whether the system's error is one that programs have to work on after.
    var isHarmless = false
    /// Whether there are no threads any more: Dispatch waits until there are.
    var refusesThreads = false
    /// Whether a file that is not complete could not be removed.
    var keepsPartialFiles = false
    /// Whether standard error may not have taken the message, or not all of it.
    var silencesErrors = false

    /// Longer than the work itself, in seconds.
    private static let patience = 5.0
    private static let crashes: Set<Int32> = [SIGABRT, SIGILL, SIGSEGV, SIGTRAP, SIGBUS, SIGFPE]
    /// What no message for users holds.
    private static let forbidden = [
        "Fatal error", "Assertion", "Program crashed", "Backtrac", "terminate called", "Optional(", "Foundation.",
        "Swift.", "NSCocoa", "couldn’t be completed", "could not be completed",
    ]

    func verdict(_ outcome: faults_outcome) -> Verdict {
        if outcome.timed_out, refusesThreads {
            return fileFault(mustBeNew: false).map { .finding($0) } ?? .runtime
        }
        if outcome.timed_out || outcome.seconds > reference.seconds + Self.patience {
            return .finding("takes more than \(Int(outcome.seconds)) s\(said)")
        }
        let ending = ending(outcome)
        if case .finding = ending { return ending }
        if let fault = fileFault(mustBeNew: outcome.status == 0) { return .finding(fault + said) }
        let leftovers = folder.leftovers().filter { name in
            // What a signal that cannot be caught, or a crash, may leave: the next command removes it.
            !((outcome.signal != 0 || keepsPartialFiles) && isPartial(name))
        }
        guard leftovers.isEmpty else { return .finding("leaves \(leftovers.joined(separator: ", "))\(said)") }
        return ending
    }

    private func isPartial(_ name: String) -> Bool {
        name.split(separator: "/").last.map { $0.hasPrefix(".audioldm2-") && $0.hasSuffix(".partial") } ?? false
    }

    private var said: String {
        let errors = folder.errors
        return errors.isEmpty ? "; it says nothing" : "; it says: \(errors.prefix(300))"
    }

    // MARK: How it ended

    private func ending(_ outcome: faults_outcome) -> Verdict {
        if outcome.signal != 0 {
            if outcome.signal == signal { return outcome.signal == SIGKILL ? .killed : .stopped }
            if refusesMemory, Self.crashes.contains(outcome.signal) { return .runtime }
            return .finding("ends by signal \(outcome.signal)\(said)")
        }
        switch outcome.status {
        case 0: return .worked
        case 1 where isHarmless: return .finding("does not work on\(said)")
        case 1: return messageFault().map { .finding($0 + said) } ?? .refused
        case 127: return .loader
        case 128...255 where signal.map { outcome.status == 128 + $0 } ?? false:
            if folder.errors.contains("nothing was written"), fileFault(mustBeNew: false, mustBeOld: true) != nil {
                return .finding("has written something\(said)")
            }
            return .stopped
        default: return .finding("exits with \(outcome.status)\(said)")
        }
    }

    /// What is wrong with what is said on standard error.
    private func messageFault() -> String? {
        let errors = folder.errors
        if silencesErrors { return nil }
        if let word = Self.forbidden.first(where: errors.contains) { return "its message has \"\(word)\"" }
        let lines = errors.split(separator: "\n")
        let (errorLines, others) = (
            lines.filter { $0.hasPrefix("Error: ") }, lines.filter { !$0.hasPrefix("Error: ") }
        )
        if folder.scenario.hasSeveralErrors { return lines.isEmpty ? "does not say why it failed" : nil }
        if errorLines.count != 1 { return "has \(errorLines.count) messages" }
        if lines.last?.hasPrefix("Error: ") != true { return "says more after its message" }
        if others.contains(where: { !$0.hasPrefix("warning: ") && !$0.hasPrefix("note: ") }) {
            return "says other things before its message"
        }
        return errorLines[0].count > 600 ? "its message has \(errorLines[0].count) characters" : nil
    }

    // MARK: What is there

    private func fileFault(mustBeNew: Bool, mustBeOld: Bool = false) -> String? {
        for output in folder.scenario.outputs {
            guard let fault = fault(of: output, mustBeNew: mustBeNew, mustBeOld: mustBeOld) else { continue }
            return "\(output) \(fault)"
        }
        return nil
    }

    private func fault(of output: String, mustBeNew: Bool, mustBeOld: Bool) -> String? {
        let found = folder.contents(output)
        if output == "stdout" {
            if !mustBeNew { return nil }
            return reference.isNew(output, found) ? nil : "is not what it prints else"
        }
        if folder.scenario.journals.contains(output) { return journalFault(found, mustBeWhole: mustBeNew) }
        let old: Data? = folder.variant == .fresh ? nil : RunFolder.oldContents
        if mustBeNew { return reference.isNew(output, found) ? nil : "is not whole, though it says so" }
        if found == old { return nil }
        if mustBeOld { return "is not the old one" }
        if reference.isNew(output, found) { return nil }
        return found == nil ? "is gone" : "is neither the old one nor the new one"
    }

    private func journalFault(_ found: Data?, mustBeWhole: Bool) -> String? {
        guard let found else { return mustBeWhole ? "is not there" : nil }
        var lines = found.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        // What a killed process was writing has no end.
        let last = lines.popLast() ?? Data()
        if !last.isEmpty, signal != SIGKILL { return "ends within a line" }
        let isSound = lines.allSatisfy { (try? JSONSerialization.jsonObject(with: $0)) != nil }
        if !isSound { return "has a line that is none" }
        return mustBeWhole && lines.count < reference.lineCount ? "lacks lines" : nil
    }
}

/// What a scenario makes where nothing fails.
struct Reference {
    private let outputs: [String: Data]
    /// Outputs that are others each time, such as times that were measured.
    private let inexactOutputs: Set<String>
    let seconds: Double
    /// Of journals.
    let lineCount: Int

    /// - Throws: `BenchError` if the scenario does not work.
    init(_ bench: Bench, _ scenario: Scenario, refusesUnnamed: Bool = false, environment: [String: String] = [:])
        throws
    {
        func make() throws -> (RunFolder, [String: Data], Double) {
            let folder = try RunFolder(bench, scenario, .fresh)
            var run = bench.run(folder)
            run.environment = environment
            run.deadline = 120_000
            let outcome = try run.run()
            guard outcome.status == 0 else {
                throw BenchError("\(scenario.name) does not work at all: \(outcome.status) \(folder.errors)")
            }
            let pairs = scenario.outputs.compactMap { name in folder.contents(name).map { (name, $0) } }
            return (folder, Dictionary(pairs) { $1 }, outcome.seconds)
        }
        let (_, first, _) = try make()
        let (_, second, time) = try make()
        outputs = first
        inexactOutputs = Set(scenario.outputs.filter { first[$0] != second[$0] || first[$0] == nil })
            .subtracting(scenario.journals)
        seconds = time
        lineCount = scenario.journals.compactMap { first[$0]?.count { $0 == UInt8(ascii: "\n") } }.max() ?? 0
        if !inexactOutputs.isEmpty {
            print("note: \(scenario.name): differs from run to run: \(inexactOutputs.sorted())")
        }
    }

    /// What a run without faults has made.
    init(_ folder: RunFolder, _ outcome: faults_outcome) {
        self.init(
            outputs: Dictionary(folder.scenario.outputs.compactMap { name in folder.contents(name).map { (name, $0) } })
            {
                $1
            }, inexactOutputs: [], seconds: outcome.seconds, lineCount: 0)
    }

    private init(outputs: [String: Data], inexactOutputs: Set<String>, seconds: Double, lineCount: Int) {
        (self.outputs, self.inexactOutputs) = (outputs, inexactOutputs)
        (self.seconds, self.lineCount) = (seconds, lineCount)
    }

    /// The same where any contents will do.
    var inexact: Reference {
        Reference(outputs: outputs, inexactOutputs: Set(outputs.keys), seconds: seconds, lineCount: lineCount)
    }

    func isNew(_ output: String, _ found: Data?) -> Bool {
        guard inexactOutputs.contains(output) else { return found == outputs[output] }
        return found?.isEmpty == false && found != RunFolder.oldContents
    }
}

extension Bench {
    /// A run of a scenario's command in its folder.
    func run(_ folder: RunFolder) -> TracedRun {
        TracedRun(
            folder: folder.path, program: "\(material.products)/\(folder.scenario.product)",
            arguments: folder.scenario.arguments)
    }

    /// How to do one thing again.
    func again(_ scenario: String, _ fault: String, _ number: Int) -> String {
        "make faults ARGUMENTS='--scenario \(scenario) --fault \(fault) --number \(number)'"
    }
}
