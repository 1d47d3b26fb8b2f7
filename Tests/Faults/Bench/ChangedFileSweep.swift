import CFaults
import Foundation

/// Models, checkpoints and sounds that somebody cuts, overwrites, replaces or removes while they are used: the same result, or
/// a message; no crash, and no other result.
struct ChangedFileSweep: Sweep {
    private enum Change: String, CaseIterable {
        case cut, emptied, overwritten, replaced, removed

        func apply(to path: String) throws {
            func require(_ result: Int32) throws {
                guard result == 0 else { throw BenchError("\(path): cannot be \(rawValue): errno \(errno)") }
            }
            guard let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int else {
                throw BenchError("\(path): has no size")
            }
            switch self {
            case .cut: try require(truncate(path, off_t(size / 3)))
            case .emptied: try require(truncate(path, 0))
            case .overwritten:
                let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
                try file.seek(toOffset: UInt64(size / 10))
                try file.write(contentsOf: Data(repeating: 0x11, count: size * 8 / 10))
                try file.close()
            case .replaced:
                try Data("another".utf8).write(to: URL(fileURLWithPath: path + ".new"))
                try require(rename(path + ".new", path))
            case .removed: try require(unlink(path))
            }
        }
    }

    private struct Subject {
        let name: String
        let scenario: Scenario
        /// What is changed, and where it is copied from.
        let file, source: String
        /// Calls that the changes come before.
        let kinds: UInt32
        var isQuick = false
        /// Changes that are not noticed: what is read then is what it is.
        var unnoticed: Set<Change> = []
    }

    var names: [String] { Change.allCases.map { "file-\($0.rawValue)" } }

    func run(_ bench: Bench) throws {
        for subject in subjects(bench) where bench.includes(scenario: subject.name, isQuick: subject.isQuick) {
            let changes = Change.allCases.filter { bench.includes(fault: "file-\($0.rawValue)", isQuick: true) }
            guard !changes.isEmpty else { return }
            let (whole, first) = try run(bench, subject, nil, 0)
            guard first.status == 0, subject.scenario.outputs.allSatisfy({ whole.contents($0) != nil }) else {
                throw BenchError("\(subject.name) does not work at all: \(first.status) \(whole.errors)")
            }
            let reference = Reference(whole, first)
            let count = first.calls
            for change in changes {
                for number in bench.numbers(of: count) where number > 0 {
                    let (folder, outcome) = try run(bench, subject, change, number)
                    let isNoticed = !outcome.was_met || !subject.unnoticed.contains(change)
                    let judged = Judge(folder: folder, reference: isNoticed ? reference : reference.inexact)
                    var verdict = judged.verdict(outcome)
                    if !outcome.was_met { verdict = verdict.ofUnmet }
                    if case .finding(let text) = verdict { verdict = .finding("\(subject.name): \(text)") }
                    bench.tally.note(
                        verdict, "file-\(change.rawValue)",
                        again: bench.again(subject.name, "file-\(change.rawValue)", number))
                }
            }
        }
    }

    private func subjects(_ bench: Bench) -> [Subject] {
        let material = bench.material
        func generate(_ name: String, _ model: String, quick: Bool = false) -> Subject {
            Subject(
                name: name,
                scenario: Scenario(
                    name: name, product: "audioldm2",
                    arguments: [
                        "generate", "a", "-m", "input", "-o", "out/a.wav", "--seconds", "0.3", "--steps", "3", "--seed",
                        "1", "--threads", "2", "-q",
                    ], outputs: ["out/a.wav"]), file: "input", source: model,
                // Raw weights are used where they are in the file, long after the last call that is about it.
                kinds: FAULTS_ANY.rawValue, isQuick: quick)
        }
        return [
            generate("changed-raw-model", material.rawModel, quick: true),
            generate("changed-model", material.model),
            Subject(
                name: "changed-checkpoint",
                scenario: Scenario(
                    name: "changed-checkpoint", product: "audioldm2-convert",
                    arguments: ["input", "-o", "out/a.aldm", "-q", "--no-calibrate"], outputs: ["out/a.aldm"]),
                file: "input/unet/diffusion_pytorch_model.safetensors", source: material.checkpoint,
                kinds: FAULTS_READ.rawValue, unnoticed: [.overwritten]),
            Subject(
                name: "changed-sound",
                scenario: Scenario(
                    name: "changed-sound", product: "audioldm2",
                    arguments: ["spectrogram", "input", "-o", "out/a.png"], outputs: ["out/a.png"]), file: "input",
                source: material.sound, kinds: FAULTS_READ.rawValue | FAULTS_OPEN.rawValue,
                unnoticed: [.cut, .overwritten]),
        ]
    }

    private func run(
        _ bench: Bench, _ subject: Subject, _ change: Change?, _ number: Int
    ) throws -> (folder: RunFolder, outcome: faults_outcome) {
        let folder = try RunFolder(bench, subject.scenario, .fresh)
        // Beside the folder of the run, which must stay as the command leaves it.
        let beside = bench.material.runs + "/input"
        try? FileManager.default.removeItem(atPath: beside)
        try FileManager.default.copyItem(atPath: subject.source, toPath: beside)
        var run = bench.run(folder)
        run.arguments = run.arguments.map { $0 == "input" ? beside : $0 }
        run.fault = Fault(name: "change", kinds: subject.kinds, action: FAULTS_CALL)
        run.number = number
        let path = bench.material.runs + "/" + subject.file
        var applied = Result<Void, any Error>.success(())
        if let change { run.atCall = { applied = Result { try change.apply(to: path) } } }
        let outcome = try run.run()
        try applied.get()
        return (folder, outcome)
    }
}
