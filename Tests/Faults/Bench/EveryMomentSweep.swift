import CFaults
import Foundation

/// Looks at what is there before every single system call of a run, as if the process were killed at that moment: each file
/// is the old one or the new one. `kill` and `kill-anywhere` do kill it, at fewer moments.
struct EveryMomentSweep: Sweep {
    var names: [String] { ["every-moment"] }

    func run(_ bench: Bench) throws {
        guard bench.includes(fault: names[0], isQuick: true) else { return }
        for scenario in Scenario.all(bench.material)
        where bench.includes(scenario: scenario.name, isQuick: scenario.isQuick) && !files(scenario).isEmpty {
            let reference = try Reference(bench, scenario)
            for variant in bench.options.quick ? scenario.variants.suffix(1) : scenario.variants[...] {
                try look(bench, scenario, variant, reference)
            }
        }
    }

    private func files(_ scenario: Scenario) -> [String] {
        scenario.outputs.filter { $0 != "stdout" && !scenario.journals.contains($0) }
    }

    private func look(
        _ bench: Bench, _ scenario: Scenario, _ variant: Scenario.Variant, _ reference: Reference
    ) throws {
        let folder = try RunFolder(bench, scenario, variant)
        var run = bench.run(folder)
        run.fault = Fault(name: names[0], kinds: FAULTS_ANY.rawValue, action: FAULTS_COUNT)
        run.refusesUnnamed = variant == .named
        run.deadline = 60_000
        var watch = FileWatch(folder, files(scenario), reference)
        run.atCall = { watch.look() }
        let outcome = try run.run()
        var verdict = Verdict.worked
        if let fault = watch.fault { verdict = .finding("\(variant.rawValue): \(fault)") }
        if !outcome.unsyncedText.isEmpty { verdict = .unsynced(outcome.unsyncedText) }
        if outcome.status != 0 { verdict = .finding("does not work under the tracer: \(folder.errors)") }
        bench.tally.note(verdict, "every-moment", again: bench.again(scenario.name, names[0], 0))
        print("\(scenario.name) (\(variant.rawValue)): looked at before each of \(outcome.calls) calls")
    }
}

/// Files that are looked at again and again, and read when they are others than before.
private struct FileWatch {
    private let folder: RunFolder
    private let files: [String]
    private let reference: Reference
    private var known: [String: stat] = [:]
    private(set) var fault: String?

    init(_ folder: RunFolder, _ files: [String], _ reference: Reference) {
        (self.folder, self.files, self.reference) = (folder, files, reference)
    }

    mutating func look() {
        guard fault == nil else { return }
        for file in files {
            var status = stat()
            let isThere = stat("\(folder.path)/\(file)", &status) == 0
            if !isThere {
                if folder.variant != .fresh || known[file] != nil { fault = "\(file) is gone for a moment" }
                continue
            }
            if let last = known[file], last.st_ino == status.st_ino, last.st_size == status.st_size,
                last.st_mtim.tv_sec == status.st_mtim.tv_sec, last.st_mtim.tv_nsec == status.st_mtim.tv_nsec
            {
                continue
            }
            known[file] = status
            let found = folder.contents(file)
            let isOld = folder.variant != .fresh && found == RunFolder.oldContents
            if !isOld, !reference.isNew(file, found) { fault = "\(file) is neither old nor new for a moment" }
        }
    }
}
