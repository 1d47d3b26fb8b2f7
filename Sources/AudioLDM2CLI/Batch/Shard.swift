import ArgumentParser
import FoundationEssentials
import Glibc

/// One of several equal parts of the lines.
struct Shard: CustomStringConvertible, Sendable {
    var part = 1
    var count = 1

    init() {}

    /// - Parameter text: "I/N", or "auto" for what a cluster says.
    /// - Throws: `ValidationError`.
    @Sendable init(text: String) throws {
        if text == "auto" {
            guard let shard = Self.ofCluster else {
                throw ValidationError(
                    "neither SLURM_ARRAY_TASK_ID, _MIN and _COUNT (of tasks that are evenly spaced) nor JOB_COMPLETION_INDEX and "
                        + "AUDIOLDM2_SHARDS say which part this is; give it as I/N.")
            }
            self = shard
            return
        }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let part = parts[0], let count = parts[1], let shard = Shard(part, of: count) else {
            throw ValidationError("choose I/N with I from 1 to N, such as 2/8, or auto.")
        }
        self = shard
    }

    private init?(_ part: Int, of count: Int) {
        guard count >= 1, 1...count ~= part else { return nil }
        (self.part, self.count) = (part, count)
    }

    /// Of a task of Slurm's job arrays (`sbatch --array=1-4`, `0-30:10`), or a pod of an indexed Job of Kubernetes.
    private static var ofCluster: Shard? {
        if let task = number("SLURM_ARRAY_TASK_ID") {
            guard let first = number("SLURM_ARRAY_TASK_MIN"), let count = number("SLURM_ARRAY_TASK_COUNT") else {
                return nil
            }
            let step = number("SLURM_ARRAY_TASK_STEP") ?? 1
            let (distance, overflow) = task.subtractingReportingOverflow(first)
            // Tasks that are not evenly spaced, as in 1,2,7, have no places in a row.
            guard !overflow, step > 0, distance >= 0, distance % step == 0, distance / step < count else { return nil }
            return Shard(distance / step + 1, of: count)
        }
        guard let index = number("JOB_COMPLETION_INDEX"), index >= 0, index < .max,
            let count = number("AUDIOLDM2_SHARDS")
        else { return nil }
        return Shard(index + 1, of: count)
    }

    private static func number(_ variable: String) -> Int? {
        getenv(variable).flatMap { Int(String(cString: $0)) }
    }

    var description: String { "\(part)/\(count)" }

    /// - Parameter number: from 1.
    func contains(line number: Int) -> Bool { (number - 1) % count == part - 1 }

    var manifestName: String { count == 1 ? "manifest.jsonl" : "manifest-\(part)-of-\(count).jsonl" }
}
