import CFaults
import Foundation

/// Limits that the system sets on a process: of file sizes, files, memory, addresses and processes.
struct LimitSweep: Sweep {
    private struct Limit {
        let name: String
        let resource: Int32
        let values: [UInt]
        var refusesMemory = false
        /// Root has any number of processes.
        var needsUser = false
    }

    /// Beside which nobody runs anything.
    private static let user: UInt32 = 65_321

    private static let scenarios = ["generate-wav", "convert", "batch"]

    private static func steps(_ values: StrideTo<UInt>) -> [UInt] { Array(values) }

    private let limits = [
        Limit(
            name: "limit-file-size", resource: RLIMIT_FSIZE.number,
            values: [0, 1, 100, 4096, 8192, 65536, 1 << 20, 2 << 20]),
        Limit(name: "limit-files", resource: RLIMIT_NOFILE.number, values: steps(stride(from: 0, to: 32, by: 1))),
        Limit(
            name: "limit-data", resource: RLIMIT_DATA.number,
            values: steps(stride(from: 1 << 20, to: 100 << 20, by: 3 << 20)), refusesMemory: true),
        Limit(
            name: "limit-addresses", resource: RLIMIT_AS.number,
            values: steps(stride(from: 20 << 20, to: 900 << 20, by: 20 << 20)), refusesMemory: true),
        Limit(
            name: "limit-processes", resource: __RLIMIT_NPROC.number, values: steps(stride(from: 0, to: 16, by: 1)),
            needsUser: true),
    ]

    var names: [String] { limits.map(\.name) }

    func run(_ bench: Bench) throws {
        let chosen = limits.filter { bench.includes(fault: $0.name, isQuick: true) }
        guard !chosen.isEmpty else { return }
        for scenario in Scenario.all(bench.material) where Self.scenarios.contains(scenario.name) {
            guard bench.includes(scenario: scenario.name, isQuick: scenario.name == Self.scenarios[0]) else { continue }
            let reference = try Reference(bench, scenario)
            for limit in chosen { try sweep(bench, scenario, limit, reference) }
        }
    }

    private func sweep(_ bench: Bench, _ scenario: Scenario, _ limit: Limit, _ reference: Reference) throws {
        if limit.needsUser, try !canBeUser(bench, scenario) {
            print("note: \(limit.name): needs root, and commands that others may run")
            return
        }
        for number in bench.numbers(of: limit.values.count, most: bench.options.quick ? nil : .max) {
            let value = limit.values[number - 1]
            let folder = try RunFolder(bench, scenario, scenario.journals.isEmpty ? .replacing : .fresh)
            var run = bench.run(folder)
            run.limits = [(limit.resource, value)]
            if limit.needsUser { try give(folder, to: &run) }
            let outcome = try run.run()
            var judge = Judge(folder: folder, reference: reference)
            judge.refusesMemory = limit.refusesMemory
            // Standard error is a file, too.
            judge.silencesErrors = limit.resource == RLIMIT_FSIZE.number && value < 512
            var verdict = judge.verdict(outcome)
            if case .finding(let text) = verdict { verdict = .finding("\(scenario.name), \(value): \(text)") }
            bench.tally.note(verdict, limit.name, again: bench.again(scenario.name, limit.name, number))
        }
    }

    private func give(_ folder: RunFolder, to run: inout TracedRun) throws {
        run.user = Self.user
        for name in ["", "/out", "/tmp"] { chmod(folder.path + name, 0o777) }
        for file in folder.files { chown("\(folder.path)/\(file)", Self.user, Self.user) }
    }

    private func canBeUser(_ bench: Bench, _ scenario: Scenario) throws -> Bool {
        guard geteuid() == 0 else { return false }
        let folder = try RunFolder(bench, scenario, .fresh)
        var run = bench.run(folder)
        try give(folder, to: &run)
        return try run.run().status == 0
    }
}

extension __rlimit_resource {
    fileprivate var number: Int32 { Int32(rawValue) }
}
