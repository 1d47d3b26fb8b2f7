import CFaults
import Foundation

/// Each call of each kind that a scenario makes fails once, in turn; or the process gets a signal there.
struct CallSweep: Sweep {
    var names: [String] { Fault.all.map(\.name) }

    func run(_ bench: Bench) throws {
        for scenario in Scenario.all(bench.material)
        where bench.includes(scenario: scenario.name, isQuick: scenario.isQuick) {
            let faults = Fault.all.filter { bench.includes(fault: $0.name, isQuick: $0.isQuick) }
            guard !faults.isEmpty else { continue }
            let start = Date()
            let before = bench.tally.findings
            let reference = try Reference(bench, scenario)
            var runs = 0
            for variant in scenario.variants where !bench.options.quick || variant == scenario.variants.last {
                let isFirst = bench.options.quick || variant == scenario.variants.first
                runs += try sweep(bench, scenario, variant, faults.filter { isFirst || $0.isOfDisk }, reference)
            }
            let seconds = Int(Date().timeIntervalSince(start))
            print("\(scenario.name): \(runs) runs in \(seconds) s, \(bench.tally.findings - before) findings")
        }
    }

    private func sweep(
        _ bench: Bench, _ scenario: Scenario, _ variant: Scenario.Variant, _ faults: [Fault], _ reference: Reference
    ) throws -> Int {
        var counts: [UInt32: Int] = [:]
        var runs = 0
        var uncalled: [String] = []
        for fault in faults {
            let count = try counts[fault.kinds] ?? count(bench, scenario, variant, fault, reference)
            counts[fault.kinds] = count
            if count == 0 { uncalled.append(fault.name) }
            for number in bench.numbers(of: count, most: fault.most) {
                runs += 1
                let verdict = try meet(bench, scenario, variant, fault, number, reference)
                bench.tally.note(verdict, fault.name, again: bench.again(scenario.name, fault.name, number))
            }
        }
        if !uncalled.isEmpty {
            print("note: \(scenario.name) (\(variant.rawValue)): no call for \(uncalled.joined(separator: ", "))")
        }
        return runs
    }

    private func prepared(_ bench: Bench, _ folder: RunFolder, _ fault: Fault) -> TracedRun {
        var run = bench.run(folder)
        run.fault = fault
        run.refusesUnnamed = folder.variant == .named
        return run
    }

    /// How many calls of a kind there are. What must hold without any fault is checked on the way: nothing is given a name
    /// before it is on the disk.
    private func count(
        _ bench: Bench, _ scenario: Scenario, _ variant: Scenario.Variant, _ fault: Fault, _ reference: Reference
    ) throws -> Int {
        let folder = try RunFolder(bench, scenario, variant)
        let outcome = try prepared(bench, folder, fault).run()
        var verdict = Judge(folder: folder, reference: reference).verdict(outcome)
        if case .worked = verdict {
            if !outcome.unsyncedText.isEmpty {
                verdict = .unsynced(outcome.unsyncedText)
            } else if outcome.unsynced_folders > 0 {
                verdict = .finding("a new name is not on the disk at the end")
            }
        } else if case .refused = verdict {
            verdict = .finding("does not work without any fault: \(folder.errors)")
        }
        bench.tally.note(verdict, "none", again: bench.again(scenario.name, fault.name, 0))
        return outcome.calls
    }

    private func meet(
        _ bench: Bench, _ scenario: Scenario, _ variant: Scenario.Variant, _ fault: Fault, _ number: Int,
        _ reference: Reference
    ) throws -> Verdict {
        let folder = try RunFolder(bench, scenario, variant)
        var run = prepared(bench, folder, fault)
        run.number = number
        let outcome = try run.run()
        if bench.options.number != nil {
            print("\(outcome.placeText): status \(outcome.status), signal \(outcome.signal), \(outcome.seconds) s")
            print(folder.errors, folder.leftovers())
        }
        guard outcome.was_met else {
            return Judge(folder: folder, reference: reference).verdict(outcome).ofUnmet
        }
        // A library that cannot be opened, read or mapped is one that is not there.
        let isOfLibrary = outcome.placeText.contains(".so") || fault.kinds == FAULTS_MAP.rawValue
        let reference = scenario.usesOpenBLAS && isOfLibrary ? reference.inexact : reference
        var judge = Judge(folder: folder, reference: reference)
        judge.signal = fault.action == FAULTS_SIGNAL ? fault.code : nil
        judge.refusesMemory = fault.kinds == FAULTS_MAP.rawValue
        judge.refusesThreads = fault.onwards && fault.kinds == FAULTS_THREAD.rawValue
        judge.keepsPartialFiles = fault.kinds == FAULTS_NAME.rawValue
        // The C library's streams do not go on after EINTR, which they never see: no handler of ours returns.
        let isStream = fault.code == EINTR && outcome.placeText.hasSuffix("/stdout")
        judge.isHarmless = fault.isHarmless && !isStream
        judge.silencesErrors =
            outcome.placeText.hasSuffix("/stderr") || (fault.onwards && fault.kinds & FAULTS_WRITE.rawValue != 0)
        var verdict = judge.verdict(outcome)
        if !outcome.unsyncedText.isEmpty { verdict = .unsynced(outcome.unsyncedText) }
        if case .finding(let text) = verdict { return .finding(at(outcome, variant, text)) }
        verdict = try goingOn(bench, folder, verdict, reference)
        if case .finding(let text) = verdict { return .finding(at(outcome, variant, text)) }
        return verdict
    }

    private func at(_ outcome: faults_outcome, _ variant: Scenario.Variant, _ text: String) -> String {
        "\(outcome.placeText) (\(variant.rawValue)): \(text)"
    }

    /// What a killed process left is gone after the next command, and a batch goes on where it stopped.
    private func goingOn(
        _ bench: Bench, _ folder: RunFolder, _ verdict: Verdict, _ reference: Reference
    ) throws -> Verdict {
        if case .worked = verdict { return verdict }
        guard !folder.leftovers().isEmpty || !folder.scenario.journals.isEmpty else { return verdict }
        folder.age()
        let outcome = try bench.run(folder).run()
        let next = Judge(folder: folder, reference: reference).verdict(outcome)
        if case .worked = next { return verdict }
        return .finding("the next command does not put it right: \(next) \(folder.errors)")
    }
}
