import Foundation
import FuzzTargets
import TestSupport
import Testing

/// Inputs that fuzzing found, each of which once reached something new or was read wrongly: all are read or refused, within
/// the limits of time and memory.
@Suite struct CorpusTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fuzzing/Corpus")

    @Test(arguments: FuzzTarget.all.map(\.name)) func keptInputs(of target: String) throws {
        let folder = Self.folder.appendingPathComponent(target)
        let count = try FileManager.default.contentsOfDirectory(atPath: folder.path).count
        #expect(count > 0)
        // In a process of its own: what crashes is named by the last line of its errors, and its memory is nobody else's.
        let outcome = try CommandRun("Fuzz", [target, folder.path])
        let last = outcome.errors.split(separator: "\n").last ?? ""
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.status > 1 ? "crashed at \(last)" : "")")
        #expect(outcome.output.hasPrefix("\(target): \(count) inputs, "), "\(outcome.output)")
    }

    @Test func everyFolderIsATarget() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(folders) == Set(FuzzTarget.all.map(\.name)))
    }

    /// Most inputs are wrong, but not all of any target: else only its first check would be tested. A whole checkpoint in folders is
    /// larger than an input. One after another, as fuzzing reads them: their files lie in one folder.
    @Test(.serialized, arguments: FuzzTarget.all.filter { $0.name != "checkpoint" })
    func someInputsAreRead(_ target: FuzzTarget) throws {
        let folder = Self.folder.appendingPathComponent(target.name)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        let read = try files.contains { file in
            target.run([UInt8](try Data(contentsOf: folder.appendingPathComponent(file)))).refusal == nil
        }
        #expect(read)
    }
}
