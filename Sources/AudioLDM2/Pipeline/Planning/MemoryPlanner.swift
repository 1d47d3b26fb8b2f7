import Platform
import Tensors
import WeightFile

/// Finds out what some work needs by running it without computing, and the fastest way of holding weights and activations
/// that stays within a limit.
struct MemoryPlanner<Opened: OpenedModel> {
    /// As the work will run in; only the index of its model is read.
    let context: StageContext<Opened>
    /// In bytes; nil for none.
    private let limit: Int?
    /// Of sounds, before, within and after the work.
    let soundBytes: Int
    /// From what is best to what takes least.
    private let batchings: [Batching]
    /// Runs all stages, each in `GenerationContext.with`.
    let run: (StageContext<Opened>) throws -> Void

    /// - Parameters:
    ///   - limit: in bytes; nil for none but the system's.
    ///   - sounds: that can be denoised at once.
    init(
        context: StageContext<Opened>, limit: Int?, soundBytes: Int, isGuided: Bool = false, sounds: Int = 1,
        run: @escaping (StageContext<Opened>) throws -> Void
    ) {
        self.context = context
        self.soundBytes = soundBytes
        self.run = run
        self.limit = [limit, Self.systemLimit(context)].compactMap(\.self).min()
        // OpenBLAS rounds a row's sums by what is computed beside it, so there a batch must stay what it is.
        let isFixed = context.backend.reservedBytes > 0
        let most = isFixed ? 1 : min(sounds, Self.mostSounds)
        batchings =
            sequence(first: most) { $0 > 1 ? ($0 + 1) / 2 : nil }.map { Batching(sounds: $0) }
            + (isGuided && !isFixed ? [Batching(guidance: .apart)] : [])
    }

    /// What the device can give, with what is kept of it, which can be let go; or what the system allows this process.
    private static func systemLimit(_ context: StageContext<Opened>) -> Int? {
        let backend = context.backend
        guard backend.holdsWeights else { return MemoryPlan.processLimit }
        let kept = context.shelf?.parts.compactMap { context.model.pack.component($0)?.deviceBytes } ?? []
        return backend.availableBytes.map { $0 + kept.reduce(0, +) }
    }

    /// Beyond these, batches gain nothing.
    private static var mostSounds: Int { 8 }

    /// Within the limit; and within what memory there is now, if that can be done: it comes and goes as others work, so that
    /// too little of it is no reason to refuse.
    /// - Throws: `AudioLDM2Error` of kind `.outOfMemory`, with the least that would do, if the limit is too low.
    func plan() throws -> ExecutionPlan {
        var found: [(batching: Batching, needs: [StageNeed])] = []
        let plan = try plan(within: limit, &found)
        guard !context.backend.holdsWeights, let available = MemoryLimit.available,
            plan.summary.peakBytes > available
        else { return plan }
        if let leaner = try best(within: available - baseBytes - Self.comfort, limit: available, &found) {
            return leaner
        }
        return try best(within: leastBytes(found), limit: limit, &found) ?? plan
    }

    private func plan(
        within limit: Int?, _ found: inout [(batching: Batching, needs: [StageNeed])]
    ) throws -> ExecutionPlan {
        if let plan = try best(within: limit.map { $0 - baseBytes - Self.comfort }, limit: limit, &found) {
            return plan
        }
        let room = (limit ?? .max) - baseBytes
        let least = leastBytes(found)
        // Just above the least there is room, but not for what is not counted: as at the least.
        if room - Self.slack >= least, let plan = try best(within: least, limit: limit, &found) {
            return plan
        }
        throw AudioLDM2Error(
            .outOfMemory,
            "this sound needs at least \(MemoryPlan.mebibytes(least + baseBytes + Self.slack)) of memory, and "
                + "\(MemoryPlan.mebibytes(limit ?? 0)) are allowed; choose a shorter sound or a higher limit")
    }

    /// What stages need in any case.
    private func leastBytes(_ found: [(batching: Batching, needs: [StageNeed])]) -> Int {
        found.map { $0.needs.map(\.leastBytes).max() ?? 0 }.min() ?? 0
    }

    /// - Parameters:
    ///   - budget: for stages, in bytes; nil for what nobody minds.
    ///   - limit: that the plan is said to be within.
    ///   - found: what was found out, for the next call.
    /// - Returns: nil if no plan stays within the budget.
    private func best(
        within budget: Int?, limit: Int?, _ found: inout [(batching: Batching, needs: [StageNeed])]
    ) throws -> ExecutionPlan? {
        var plans: [(hardship: Int, plan: ExecutionPlan)] = []
        for (number, batching) in batchings.enumerated() where !plans.contains(where: { $0.hardship == 0 }) {
            if number == found.count { found.append((batching, try needs(batching))) }
            let needs = found[number].needs
            for choice in choicesToKeep(among: needs) {
                let kept = choice.parts
                let keptBytes =
                    needs.filter { kept.contains($0.name) }.reduce(0) { $0 + $1.heldBytes } + choice.otherBytes
                let holdings = needs.compactMap { need -> StageHolding? in
                    let isKept = kept.contains(need.name)
                    guard let budget else {
                        return need.comfortable(within: Self.comfortableActivations, isKept: isKept)
                    }
                    return need.holding(
                        within: budget - keptBytes + (isKept ? need.heldBytes : 0), isKept: isKept)
                }
                guard holdings.count == needs.count else { continue }
                plans.append(
                    (holdings.reduce(0) { $0 + $1.hardship }, try execution(holdings, batching, choice, limit: limit)))
            }
        }
        let best = plans.map(\.hardship).min()
        return plans.first { $0.hardship == best }?.plan
    }

    /// The components that may stay loaded, from the most that the shelf has room for to none, which must do if memory does not:
    /// those of this work first, then what other work left there.
    private func choicesToKeep(among needs: [StageNeed]) -> [KeptParts] {
        guard let shelf = context.shelf, shelf.budget > 0 else { return [KeptParts()] }
        var own = KeptParts()
        var held = 0
        for need in needs where need.heldBytes <= shelf.budget - held {
            held += need.heldBytes
            own.parts.insert(need.name)
        }
        var all = own
        for part in shelf.parts.subtracting(needs.map(\.name)).sorted() {
            guard let component = context.model.pack.component(part) else { continue }
            let bytes = context.backend.holdsWeights ? component.deviceBytes : component.residentBytes
            guard bytes <= shelf.budget - held else { continue }
            held += bytes
            all.others.insert(part)
            all.otherBytes += bytes
        }
        return [all, own, KeptParts()]
    }

    /// What stages leave to others may lie in buffers that are a little too large, depending on what was kept.
    private static var slack: Int { 1 << 20 }

    /// What the allocator keeps in pieces that nothing fits into, and what threads that meet take at the same time: seen up to
    /// 6 MiB, more where more is held.
    private static var comfort: Int { 8 << 20 }

    /// Activations that nobody minds, when no limit was given.
    private static var comfortableActivations: Int { 384 << 20 }

    /// What each stage takes if memory is kept for reuse, and if it is not.
    private func needs(_ batching: Batching) throws -> [StageNeed] {
        let roomy = try record(batching, keeping: [:])
        let lean = try record(batching, keeping: Dictionary(uniqueKeysWithValues: roomy.map { ($0.component, 0) }))
        return try zip(roomy, lean).map { roomy, lean in
            let component = try context.model.pack.requiredComponent(roomy.component)
            let weights = context.backend.holdsWeights ? nil : StageWeights(component, uses: roomy.uses)
            return StageNeed(
                name: roomy.component, weights: weights, heldBytes: weights?.residentBytes ?? component.deviceBytes,
                activationBytes: roomy.activationBytes, leanActivationBytes: lean.activationBytes)
        }
    }

    private func record(_ batching: Batching, keeping: [String: Int]) throws -> [MemoryRecord.Stage] {
        let record = MemoryRecord(keeping: keeping)
        try run(
            StageContext(
                model: context.model, backend: try context.backend.counting(),
                cancellation: context.cancellation, memory: .planning(record, batching)))
        return record.stages
    }

    /// With activations as they are when each stage is held so.
    private func execution(
        _ holdings: [StageHolding], _ batching: Batching, _ choice: KeptParts, limit: Int?
    ) throws -> ExecutionPlan {
        let keeping = Dictionary(uniqueKeysWithValues: holdings.map { ($0.name, $0.keeping) })
        let stages = try zip(holdings, record(batching, keeping: keeping)).map { $0.summary(of: $1.activationBytes) }
        return ExecutionPlan(
            summary: MemoryPlan(
                limitBytes: limit, guidance: batching.guidance, sounds: batching.sounds,
                baseBytes: baseBytes + choice.otherBytes,
                stages: stages),
            residency: Dictionary(uniqueKeysWithValues: holdings.map { ($0.name, $0.residency) }), keeping: keeping,
            kept: choice.others.union(holdings.filter(\.isKept).map(\.name)))
    }

    /// The program itself, what each thread has, and sounds.
    private var baseBytes: Int {
        if context.backend.holdsWeights { return 0 }
        return 24 << 20 + context.backend.reservedBytes + context.backend.threadCount * (3 << 20) + soundBytes
    }
}

/// What stays on the shelf.
private struct KeptParts {
    /// Parts that the work itself uses.
    var parts = Set<String>()
    /// Parts that other work left there, and what they take.
    var others = Set<String>()
    var otherBytes = 0
}

/// What one stage needs, and the ways of giving it that.
private struct StageNeed {
    let name: String
    /// Nil if the backend holds them, among its activations.
    let weights: StageWeights?
    /// What its weights take if all of them are held.
    let heldBytes: Int
    let activationBytes: Int
    /// If unused memory is given back at once.
    let leanActivationBytes: Int

    var leastBytes: Int { leanActivationBytes + (weights?.leastBytes ?? 0) }

    /// The least hard that stays within `budget` bytes, or nil.
    /// - Parameter isKept: whether weights stay after the work, which those that come and go cannot.
    func holding(within budget: Int, isKept: Bool) -> StageHolding? {
        for (hardship, activations, keeping) in [(0, activationBytes, Int.max), (2, leanActivationBytes, 0)] {
            let room = budget - activations
            if weights?.residentBytes ?? 0 <= room { return resident(hardship, keeping: keeping, isKept: isKept) }
            if !isKept, let weights, let (streaming, bytes) = weights.streaming(within: room) {
                return StageHolding(
                    name: name, hardship: hardship + 1, residency: .streamed(streaming), weightBytes: bytes,
                    mappedBytes: weights.mappedBytes, isKept: false, keptBytes: 0, keeping: keeping)
            }
        }
        return nil
    }

    /// Weights in memory, and memory kept for reuse if activations take no more than `limit` bytes.
    func comfortable(within limit: Int, isKept: Bool) -> StageHolding {
        activationBytes <= limit
            ? resident(0, keeping: .max, isKept: isKept) : resident(2, keeping: 0, isKept: isKept)
    }

    private func resident(_ hardship: Int, keeping: Int, isKept: Bool) -> StageHolding {
        StageHolding(
            name: name, hardship: hardship, residency: .resident, weightBytes: weights?.residentBytes ?? 0,
            mappedBytes: weights?.mappedBytes ?? 0, isKept: isKept, keptBytes: isKept ? heldBytes : 0,
            keeping: keeping)
    }
}

/// How one stage is given what it needs.
private struct StageHolding {
    let name: String
    /// 0 is the fastest.
    let hardship: Int
    let residency: WeightResidency
    let weightBytes: Int
    let mappedBytes: Int
    /// Whether its weights stay after the work, and what of memory they take then.
    let isKept: Bool
    let keptBytes: Int
    let keeping: Int

    func summary(of activationBytes: Int) -> MemoryPlan.Stage {
        var weights = MemoryPlan.Weights.resident
        if case .streamed = residency { weights = .streamed }
        return MemoryPlan.Stage(
            name: name, weights: weights, weightBytes: weightBytes, mappedBytes: mappedBytes,
            keptBytes: keptBytes, activationBytes: activationBytes)
    }
}

extension PackComponent {
    /// What the host's memory takes for its weights: raw ones are used in place in the file.
    var residentBytes: Int { tensors.filter(\.isCompressed).reduce(0) { $0 + $1.memoryByteCount } }

    /// What a device's memory takes for its weights: tables stay on the host.
    var deviceBytes: Int {
        tensors.reduce(0) { sum, tensor in
            if case .table = tensor.description.role { return sum }
            return sum + tensor.byteCount
        }
    }
}
