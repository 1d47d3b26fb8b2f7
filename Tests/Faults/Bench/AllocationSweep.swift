import CFaults
import Foundation

/// Memory that is refused: of every caller of the allocator its first request, its last one and some between; then
/// everything from a request on.
struct AllocationSweep: Sweep {
    var names: [String] { ["memory-once", "memory-large", "memory-from-here"] }

    func run(_ bench: Bench) throws {
        for scenario in scenarios(bench) where bench.includes(scenario: scenario.name, isQuick: scenario.isQuick) {
            guard names.contains(where: { bench.includes(fault: $0, isQuick: true) }) else { return }
            let reference = try Reference(bench, scenario)
            let report = try report(bench, scenario)
            print("\(scenario.name): \(report.callers.count) callers of the allocator, \(report.total) requests")
            if bench.includes(fault: names[0], isQuick: true) {
                // In a minute there is time for one of each library.
                let callers = bench.options.quick ? report.busiest : report.callers
                for caller in callers { try once(bench, scenario, caller, reference) }
            }
            for (name, least, onwards) in [(names[1], 1 << 16, false), (names[2], 0, true)]
            where bench.includes(fault: name, isQuick: true) {
                let total = least > 0 ? report.largeTotal : report.total
                for number in bench.numbers(of: total) {
                    var settings = ["FAULTS_NUMBER": "\(number)", "FAULTS_LEAST": "\(least)"]
                    if onwards { settings["FAULTS_FROM"] = "1" }
                    let verdict = try meet(bench, scenario, settings, reference)
                    bench.tally.note(verdict, name, again: bench.again(scenario.name, name, number))
                }
            }
        }
    }

    private func scenarios(_ bench: Bench) -> [Scenario] {
        let kept = ["convert", "transform", "batch", "generate-flac", "generate-ogg", "generate-mp3"]
        let shipped = Scenario(
            name: "generate-shipped", product: "audioldm2",
            arguments: [
                "generate", "heavy rain", "-o", "out/a.wav", "--seconds", "1", "--steps", "2", "--seed", "1",
                "--threads", "2", "-q",
            ], outputs: ["out/a.wav"], isQuick: true, variants: [.replacing])
        return [shipped]
            + Scenario.all(bench.material).filter { kept.contains($0.name) }.map { scenario in
                var scenario = scenario
                scenario.isQuick = false
                return scenario
            }
    }

    private func once(_ bench: Bench, _ scenario: Scenario, _ caller: Caller, _ reference: Reference) throws {
        for number in bench.numbers(of: caller.count, most: bench.options.quick ? 1 : 6) {
            let settings = ["FAULTS_CALLER": caller.address, "FAULTS_NUMBER": "\(number)"]
            var verdict = try meet(bench, scenario, settings, reference)
            if case .finding(let text) = verdict {
                verdict = .finding("\(caller.address) of \(caller.library), request \(number): \(text)")
            }
            bench.tally.note(
                verdict, "memory-once \(caller.library)", again: bench.again(scenario.name, "memory-once", number))
        }
    }

    private func prepared(_ bench: Bench, _ folder: RunFolder, _ settings: [String: String]) -> TracedRun {
        var run = bench.run(folder)
        run.environment = settings.merging([
            "LD_PRELOAD": bench.material.allocator, "FAULTS_REPORT": folder.path + "/report",
        ]) { $1 }
        return run
    }

    private func meet(
        _ bench: Bench, _ scenario: Scenario, _ settings: [String: String], _ reference: Reference
    ) throws -> Verdict {
        let folder = try RunFolder(bench, scenario, scenario.variants.contains(.replacing) ? .replacing : .fresh)
        let outcome = try prepared(bench, folder, settings).run()
        let verdict = Judge(folder: folder, reference: reference).verdict(outcome)
        let isMet = folder.contents("report")?.starts(with: Data("met".utf8)) == true
        return isMet ? verdict : verdict.ofUnmet
    }

    private func report(_ bench: Bench, _ scenario: Scenario) throws -> Report {
        let folder = try RunFolder(bench, scenario, .fresh)
        let outcome = try prepared(bench, folder, ["FAULTS_NUMBER": "0"]).run()
        guard outcome.status == 0, let text = folder.contents("report") else {
            throw BenchError("\(scenario.name) does not work under the counting allocator: \(folder.errors)")
        }
        return Report(String(decoding: text, as: UTF8.self))
    }
}

/// Who asks the allocator for memory.
private struct Caller {
    let address: String
    let library: String
    let count: Int
    /// Of one request, in bytes.
    let most: Int
}

private struct Report {
    let callers: [Caller]
    /// Of each library the caller that asks most often.
    var busiest: [Caller] {
        Dictionary(grouping: callers, by: \.library).values.compactMap { $0.max { $0.count < $1.count } }
            .sorted { $0.library < $1.library }
    }
    var total: Int { callers.map(\.count).reduce(0, +) }
    /// No more than requests of 64 KiB and more: of callers that have some.
    var largeTotal: Int { callers.filter { $0.most >= 1 << 16 }.map { min($0.count, 400) }.reduce(0, +) }

    init(_ text: String) {
        let lines = text.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true) }
        let places = lines.filter { !$0[0].hasPrefix("0x") && $0.count > 5 }.compactMap { fields in
            let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            return ends.count == 2 ? (range: ends[0]..<ends[1], name: fields[5].split(separator: "/").last ?? "") : nil
        }
        callers = lines.compactMap { fields in
            guard fields[0].hasPrefix("0x"), fields.count == 4, let address = UInt(fields[0].dropFirst(2), radix: 16),
                let count = Int(fields[1]), let most = Int(fields[3])
            else { return nil }
            let library = places.first { $0.range.contains(address) }?.name ?? "?"
            return Caller(address: String(fields[0]), library: String(library), count: count, most: most)
        }.sorted { ($0.library, $0.address) < ($1.library, $1.address) }
    }
}
