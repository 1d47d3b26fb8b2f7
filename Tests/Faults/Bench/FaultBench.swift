import ArgumentParser
import CFaults
@preconcurrency import Foundation
import TestSupport

/// Runs our commands while the system fails them: each call that can fail does so once, in turn, and what must hold then is
/// checked.
@main
struct FaultBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "FaultBench",
        abstract: "Let system calls, memory, disks and limits fail under our commands, and check what is left.")

    @Option(help: "Folder of the commands, as they were built.") var products: String
    @Option(help: "The library that stands before the allocator.") var allocator: String
    @Option(help: "Folder of the fixtures.") var fixtures = "Tests/Fixtures"
    @Option(help: "Where runs have their folders; made, and removed at the end.") var work: String?
    @Option(help: "Only this scenario, or those that begin so: convert*; several by several options.") var scenario:
        [String] = []
    @Option(help: "Only this fault, or those that begin so: write*; several by several options.") var fault: [String] =
        []
    @Option(help: "Only this call, and all that its run says.") var number: Int?
    @Option(help: "Calls that fail of each kind in each scenario, at the most.") var most = 24
    @Option(help: "Seed of which calls those are.") var seed: UInt64 = 1
    @Flag(help: "A few minutes: few scenarios, few calls.") var quick = false
    @Flag(help: "Every call of every scenario: days.") var all = false
    @Flag(help: "Name scenarios and faults, and make no trouble.") var list = false

    func run() throws {
        // Before there are threads: a small disk of its own, if root lets us.
        let canMount = geteuid() == 0 && faults_own_mounts() == 0
        setvbuf(stdout, nil, Int32(_IOLBF), 0)
        let bench = try Bench(self, canMount: canMount)
        defer { bench.material.remove() }
        for sweep in Sweeps.all { try sweep.run(bench) }
        if list {
            print("Scenarios:\n  " + bench.known.joined(separator: "\n  "))
            print("Faults:\n  " + Sweeps.all.flatMap(\.names).joined(separator: "\n  "))
            return
        }
        if bench.tally.isEmpty {
            print("Error: nothing was run: --scenario, --fault and --number go with nothing that --list names")
            throw ExitCode.validationFailure
        }
        bench.tally.printTable()
        guard bench.tally.findings == 0 else { throw ExitCode.failure }
    }
}

/// What all sweeps share.
final class Bench {
    let options: FaultBench
    let canMount: Bool
    let material: Material
    let tally = Tally()
    /// Of the calls that are chosen.
    var random: SplitMix
    /// Scenarios that were asked about.
    private(set) var known: [String] = []

    init(_ options: FaultBench, canMount: Bool) throws {
        self.options = options
        self.canMount = canMount
        material = try Material(options)
        random = SplitMix(seed: options.seed)
    }

    private static func matches(_ name: String, _ wanted: String) -> Bool {
        wanted.hasSuffix("*") ? name.hasPrefix(wanted.dropLast()) : name == wanted
    }

    func includes(scenario: String, isQuick: Bool) -> Bool {
        if !known.contains(scenario) { known.append(scenario) }
        if options.list { return false }
        if !options.scenario.isEmpty { return options.scenario.contains { Self.matches(scenario, $0) } }
        return isQuick || !options.quick
    }

    func includes(fault: String, isQuick: Bool) -> Bool {
        if options.list { return true }
        if !options.fault.isEmpty { return options.fault.contains { Self.matches(fault, $0) } }
        return isQuick || !options.quick
    }

    /// Which of `count` calls fail: all of few; else the first, the last, and others by chance.
    func numbers(of count: Int, most: Int? = nil) -> [Int] {
        if let number = options.number { return number <= count ? [number] : [] }
        let limit = options.all ? Int.max : min(most ?? .max, options.quick ? 3 : options.most)
        guard count > limit else { return Array(0..<count).map { $0 + 1 } }
        var chosen: Set = limit > 1 ? [1, count] : [count]
        for step in 0..<limit / 5 { chosen.formUnion([1 + step, count - step]) }
        while chosen.count < limit { chosen.insert(Int.random(in: 1...count, using: &random)) }
        return chosen.sorted()
    }
}

/// One way to make trouble.
protocol Sweep {
    /// What it can be narrowed to.
    var names: [String] { get }
    func run(_ bench: Bench) throws
}

enum Sweeps {
    static var all: [any Sweep] {
        [
            CallSweep(), EveryMomentSweep(), LimitSweep(), SmallDiskSweep(), ChangedFileSweep(), AllocationSweep(),
            ServerSweep(),
        ]
    }
}
