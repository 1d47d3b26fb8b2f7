import AudioLDM2
import AudioLDM2Diagnostics
import Tensors
import WeightFile

/// Fits the weights of one component to what its products were seen to read.
struct ComponentFitting {
    typealias Plan = @Sendable (WeightRequirement) -> WeightPlan

    private let requirements: [WeightRequirement]
    private let judge: ProductJudge
    private let target: Double
    private let roles: [String: WeightRole]
    private let standard: [String: WeightPlan]

    init(_ requirements: [WeightRequirement], _ judge: ProductJudge, target: Double) {
        (self.requirements, self.judge, self.target) = (requirements, judge, target)
        roles = Dictionary(requirements.map { ($0.path, $0.role) }) { first, _ in first }
        standard = Dictionary(requirements.map { ($0.path, WeightPlan.standard($0)) }) { first, _ in first }
    }

    /// - Parameter measure: the component's error with weights as planned.
    /// - Returns: what was done, and how weights are to be stored that are not stored as ever.
    func fit(
        _ measure: (@escaping Plan) throws -> StageError
    ) throws -> (CalibrationReport.Component, [String: WeightPlan]) {
        func measured(_ plans: [String: WeightPlan]) throws -> StageError {
            let (all, standard) = (plans, standard)
            return try measure { all[$0.path] ?? standard[$0.path] ?? .standard($0) }
        }
        let before = try measured([:])
        var (after, plans, kept) = (before, [String: WeightPlan](), [KeptLayers.Layer]())
        let (changes, moves) = try move()
        let fitted = fitted(changes)
        let error = try measured(fitted)
        let isFitted = error.relativeError <= MoveSearch.worthwhile * before.relativeError
        if isFitted { (after, plans) = (error, fitted) }
        if after.largest > target {
            var layers = KeptLayers(try self.layers(plans))
            let base = plans
            func combined(_ layers: [KeptLayers.Layer]) -> [String: WeightPlan] {
                layers.filter { $0.chosen > 0 }.reduce(into: base) { $0[$1.path] = $1.plans[$1.chosen] }
            }
            after = try layers.reach(target, from: after, refines: isSmall, error: \.largest) {
                try measured(combined($0))
            }
            plans = combined(layers.layers)
            kept = layers.layers.filter { $0.chosen > 0 }
        }
        let component = CalibrationReport.Component(
            name: before.component, compared: before.name, errorBefore: before.relativeError,
            errorAfter: after.relativeError, largestAfter: after.largest, target: target, moves: isFitted ? moves : 0,
            kept: kept.map { .init(weight: $0.path, storage: $0.plans[$0.chosen].storage, error: $0.errors[0]) },
            addedBytes: kept.reduce(0) { $0 + addedBytes($1) }, peaks: peaks)
        return (component, plans)
    }

    // MARK: Moves

    /// What moves change, and how many were made.
    private func move() throws -> (changes: [String: WeightChange], count: Int) {
        let search = MoveSearch(judge: judge, roles: roles) { plan($0, [:]) }
        var changes: [String: WeightChange] = [:]
        var count = 0
        for move in ChannelMoves(requirements).all where try search.run(move, &changes) { count += 1 }
        return (changes, count)
    }

    /// The plans of weights that moves change, and of those in int8, whose scales are chosen by what they are multiplied
    /// with.
    private func fitted(_ changes: [String: WeightChange]) -> [String: WeightPlan] {
        var plans: [String: WeightPlan] = [:]
        for requirement in requirements {
            var plan = plan(requirement.path, [:])
            plan.change = changes[requirement.path] ?? WeightChange()
            if plan.format == .int8 {
                plan.importance = judge.record(requirement.path)?.importance(changed: plan.change.columns)
            }
            guard !plan.change.isEmpty || plan.importance != nil else { continue }
            plans[requirement.path] = plan
        }
        return plans
    }

    private func plan(_ path: String, _ plans: [String: WeightPlan]) -> WeightPlan {
        plans[path] ?? standard[path] ?? WeightPlan(format: .float32, activation: .float)
    }

    // MARK: Layers

    /// All products that could be stored better, with what each way costs.
    private func layers(_ plans: [String: WeightPlan]) throws -> [KeptLayers.Layer] {
        let shares = ResidualShares(judge: judge)
        let moved = Set(ChannelMoves(requirements).all.flatMap(\.readers))
        return try requirements.compactMap { requirement in
            guard let record = judge.record(requirement.path) else { return nil }
            var ways = [plan(requirement.path, plans)]
            guard ways[0].format == .int8 else { return nil }
            if ways[0].activation == .quantized {
                if !moved.contains(requirement.path), let scaled = try scaled(ways[0], requirement) {
                    ways.append(scaled)
                }
                ways.append(ways[0].with(.int8, .float))
            }
            ways.append(ways[0].with(.float16, .float))
            try Task.checkCancellation()
            let errors = try ways.map { try judge.error(requirement.path, $0) ?? 0 }
            return KeptLayers.Layer(
                path: requirement.path, plans: ways, errors: errors, share: shares.share(requirement.path),
                products: Double(record.positions) * Double(requirement.role.shape.count))
        }
    }

    /// The plan with factors on the input's channels that leaves the least error; nil if their ranges differ too little.
    private func scaled(_ plan: WeightPlan, _ requirement: WeightRequirement) throws -> WeightPlan? {
        let search = MoveSearch(judge: judge, roles: roles) { _ in plan }
        var best: (error: Double, plan: WeightPlan)?
        for scales in try search.inputScales(requirement.path, plan.change) ?? [] {
            var scaled = plan.with(.int8, .scaled)
            scaled.inputScales = scales
            scaled.importance = judge.record(requirement.path)?.importance(
                changed: plan.change.columns.isEmpty ? scales : zip(plan.change.columns, scales).map { $0 * $1 })
            guard let error = try judge.error(requirement.path, scaled), error < best?.error ?? .infinity else {
                continue
            }
            best = (error, scaled)
        }
        return best?.plan
    }

    /// Whether the component is measured in little time.
    private var isSmall: Bool { requirements.reduce(0) { $0 + $1.role.shape.count } < 64_000_000 }

    private func addedBytes(_ layer: KeptLayers.Layer) -> Int {
        guard let role = roles[layer.path] else { return 0 }
        func bytes(_ plan: WeightPlan) -> Int {
            WeightDescription(role: role, format: plan.format, activation: plan.activation).byteCount
        }
        return bytes(layer.plans[layer.chosen]) - bytes(layer.plans[0])
    }

    // MARK: Peaks

    private static let peakCount = 3

    /// The products whose inputs' channels differ most in range.
    private var peaks: [CalibrationReport.Peak] {
        let all = requirements.compactMap { requirement -> CalibrationReport.Peak? in
            guard let maxima = judge.record(requirement.path)?.maxima.sorted(), let largest = maxima.last else {
                return nil
            }
            return .init(weight: requirement.path, largest: largest, median: maxima[maxima.count / 2])
        }
        // Stable: of equal ones the earlier comes first.
        let order = all.indices.sorted { (all[$1].spread, $0) < (all[$0].spread, $1) }
        return order.prefix(Self.peakCount).map { all[$0] }
    }
}

extension CalibrationReport.Peak {
    fileprivate var spread: Float { median > 0 ? largest / median : 0 }
}

extension WeightPlan {
    /// What a weight gets without calibration.
    static func standard(_ requirement: WeightRequirement) -> WeightPlan {
        let policy = PrecisionPolicy(.int8)
        let format = policy.candidates(for: requirement)[0]
        var plan = WeightPlan(
            format: format, activation: policy.description(of: requirement, as: format).activation)
        plan.limit = PrecisionPolicy.int8ErrorLimit
        return plan
    }

    /// For people.
    var storage: CalibrationReport.Storage {
        switch (format, activation) {
        case (.int8, .scaled): .scaled
        case (.int8, _): .weightOnly
        default: .float16
        }
    }

    /// The same weight in another form, whatever its own numbers lose.
    func with(_ format: WeightFormat, _ activation: ActivationMode) -> WeightPlan {
        var plan = self
        (plan.format, plan.activation) = (format, activation)
        return plan
    }
}
