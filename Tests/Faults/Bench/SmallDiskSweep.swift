import CFaults
import Foundation

/// Disks that are full: small ones in memory, which only root can have. `write-disk-full` does without.
struct SmallDiskSweep: Sweep {
    var names: [String] { ["small-disk", "small-temporary-disk"] }

    func run(_ bench: Bench) throws {
        guard bench.canMount else {
            if !bench.options.quick { print("note: small-disk: needs root") }
            return
        }
        for scenario in Scenario.all(bench.material)
        where bench.includes(scenario: scenario.name, isQuick: scenario.isQuick) && scenario.outputs != ["stdout"] {
            let chosen = names.filter { bench.includes(fault: $0, isQuick: true) }
            guard !chosen.isEmpty else { return }
            let reference = try Reference(bench, scenario)
            for name in chosen {
                let sizes: [Int] = name == names[0] ? [8 << 10, 12 << 10, 64 << 10, 1 << 20, 64 << 20] : [4 << 10]
                for number in bench.numbers(of: sizes.count) {
                    let place = name == names[0] ? "out" : "tmp"
                    let verdict = try meet(bench, scenario, place, sizes[number - 1], reference)
                    bench.tally.note(verdict, name, again: bench.again(scenario.name, name, number))
                }
            }
        }
    }

    private func meet(
        _ bench: Bench, _ scenario: Scenario, _ place: String, _ size: Int, _ reference: Reference
    ) throws -> Verdict {
        let folder = try RunFolder(bench, scenario, scenario.journals.isEmpty ? .replacing : .fresh)
        let disk = "\(folder.path)/\(place)"
        guard faults_mount_small(disk, size) == 0 else { throw BenchError("\(disk): no disk can be put there") }
        defer { _ = faults_unmount(disk) }
        if place == "out", folder.variant != .fresh {
            for file in folder.files {
                try RunFolder.oldContents.write(to: URL(fileURLWithPath: "\(folder.path)/\(file)"))
            }
        }
        let outcome = try bench.run(folder).run()
        let verdict = Judge(folder: folder, reference: reference).verdict(outcome)
        guard case .finding(let text) = verdict else { return verdict }
        return .finding("\(scenario.name), \(size) bytes at \(place): \(text)")
    }
}
