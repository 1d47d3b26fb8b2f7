import Foundation

/// The folder of one run: `out` for what it writes, `tmp` as its folder for temporary files, and its standard streams.
struct RunFolder {
    let path: String
    let scenario: Scenario
    let variant: Scenario.Variant

    static let oldContents = Data("what was there before".utf8)

    /// Made anew, with old files where the variant has them.
    init(_ bench: Bench, _ scenario: Scenario, _ variant: Scenario.Variant) throws {
        path = bench.material.runs + "/run"
        _ = Self.older
        self.scenario = scenario
        self.variant = variant
        let manager = FileManager.default
        try? manager.removeItem(atPath: path)
        for name in ["out", "tmp"] {
            try manager.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
        }
        guard variant != .fresh else { return }
        for output in files { try Self.oldContents.write(to: URL(fileURLWithPath: "\(path)/\(output)")) }
    }

    /// Outputs that are files.
    var files: [String] { scenario.outputs.filter { $0 != "stdout" } }

    func contents(_ name: String) -> Data? { FileManager.default.contents(atPath: "\(path)/\(name)") }

    var errors: String { String(decoding: contents("stderr") ?? Data(), as: UTF8.self) }

    var printed: String { String(decoding: contents("stdout") ?? Data(), as: UTF8.self) }

    /// What is there and should not be, but for what was written on the standard streams.
    func leftovers() -> [String] {
        let known = Set(files + ["stdout", "stderr", "out", "tmp", "report"])
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []
        return names.filter { !known.contains($0) }.sorted() + Self.shared()
    }

    /// What was there before anything was run.
    private static let older = Set(sharedNames())

    /// Names of ours where all processes share a folder; those of tests that run beside us begin otherwise.
    private static func shared() -> [String] { sharedNames().filter { !older.contains($0) } }

    private static func sharedNames() -> [String] {
        ["/tmp", "/dev/shm"].flatMap { folder in
            ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
                .filter { $0.hasPrefix(".audioldm2-") || $0.wholeMatch(of: /audioldm2-[0-9]+-[0-9]+\.wav/) != nil }
                .map { "\(folder)/\($0)" }
        }
    }

    /// Makes what a process left look as if it were two minutes old.
    func age() {
        for name in leftovers() where name.hasPrefix("out/") {
            try? FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -120)], ofItemAtPath: "\(path)/\(name)")
        }
    }
}
