import Synchronization
import WeightFile

/// How much the denoiser works on at once.
package struct Batching: Sendable, Hashable {
    package var guidance = MemoryPlan.Guidance.together
    /// At most.
    package var sounds = 1
}

/// How a run of the stages treats memory.
package enum MemoryUse: Sendable {
    /// Everything resident, one sound after the other.
    case unplanned
    /// Nothing is computed: the run finds out what it would need.
    case planning(MemoryRecord, Batching)
    case planned(ExecutionPlan)

    package var batching: Batching {
        switch self {
        case .unplanned: Batching()
        case .planning(_, let batching): batching
        case .planned(let plan): plan.batching
        }
    }

    /// Whether nothing is computed.
    package var isPlanning: Bool { if case .planning = self { true } else { false } }

    /// Steps after which a loop needs no more memory than before.
    package var stepLimit: Int { isPlanning ? Self.plannedSteps : .max }

    /// Steps, and windows of a long sound, that are gone through to find out what memory all of them need.
    package static let plannedSteps = 6

    /// Where a component's weights are, and how much memory activations may hold before unused memory is given back.
    package func use(of component: String) -> (residency: WeightResidency, keeping: Int) {
        switch self {
        case .unplanned: (.resident, .max)
        case .planning(let record, _): (.planned(WeightUses()), record.keeping[component] ?? .max)
        case .planned(let plan): (plan.residency[component] ?? .resident, plan.keeping[component] ?? .max)
        }
    }

    /// Whether a component stays loaded after its work.
    package func keeps(_ component: String) -> Bool {
        if case .planned(let plan) = self { plan.kept.contains(component) } else { false }
    }

    /// Says what a component took.
    package func note(_ component: String, _ residency: WeightResidency, activationBytes: Int) {
        switch (self, residency) {
        case (.planning(let record, _), .planned(let uses)):
            record.add(MemoryRecord.Stage(component: component, uses: uses, activationBytes: activationBytes))
        case (.planned(let plan), _):
            plan.record.add(
                MemoryRecord.Stage(component: component, uses: WeightUses(), activationBytes: activationBytes))
        default: break
        }
    }
}

/// What a run without computing found out.
package final class MemoryRecord: Sendable {
    package struct Stage: Sendable {
        package let component: String
        package let uses: WeightUses
        /// Peak.
        package let activationBytes: Int
    }

    /// How much memory each component's activations may hold before unused memory is given back.
    package let keeping: [String: Int]
    private let recorded = Mutex<[Stage]>([])

    package init(keeping: [String: Int] = [:]) { self.keeping = keeping }

    /// By component.
    package var activationBytes: [String: Int] {
        Dictionary(uniqueKeysWithValues: stages.map { ($0.component, $0.activationBytes) })
    }

    /// In the order of the work, so far; of a component that works several times, the most that it took.
    package var stages: [Stage] { recorded.withLock { $0 } }

    package func add(_ stage: Stage) {
        recorded.withLock { stages in
            guard let place = stages.firstIndex(where: { $0.component == stage.component }) else {
                return stages.append(stage)
            }
            if stages[place].activationBytes < stage.activationBytes { stages[place] = stage }
        }
    }
}

/// A plan as it is carried out.
package struct ExecutionPlan: Sendable {
    package var summary: MemoryPlan
    package var batching: Batching { Batching(guidance: summary.guidance, sounds: summary.sounds) }
    /// By component.
    package var residency: [String: WeightResidency]
    package var keeping: [String: Int]
    /// Components that stay loaded after their work.
    package var kept: Set<String>
    /// What the stages that have been carried out took.
    package let record = MemoryRecord()
}
