import Synchronization
import Tensors
import WeightFile

/// A component's weights straight from its checkpoint, each as its plan says. They stay encoded as long as this lives, until
/// their plan changes.
final class CheckpointWeights: Sendable {
    let name: String
    private let weights: MappedComponent
    private let encoder: WeightEncoder
    private let encoded = Mutex<[String: (plan: WeightPlan, data: ResidentWeightData)]>([:])

    init(_ name: String, _ weights: MappedComponent, _ encoder: WeightEncoder) {
        (self.name, self.weights, self.encoder) = (name, weights, encoder)
    }

    /// Forgets what was encoded.
    func clear() { encoded.withLock { $0 = [:] } }

    /// The rows of a weight, changed.
    func rows(_ path: String, _ change: WeightChange = WeightChange()) throws -> any RowReader {
        let rows = try weights.open(path)
        return change.isEmpty ? rows : ChangedRows(rows: rows, change: change)
    }

    /// All numbers of a small weight.
    func values(_ path: String) throws -> [Float] {
        let rows = try weights.open(path)
        return try [Float](unsafeUninitializedCapacity: rows.rowCount * rows.width) { buffer, count in
            try rows.read(
                0..<rows.rowCount, into: UnsafeMutableBufferPointer(rebasing: buffer[0..<rows.rowCount * rows.width]))
            count = rows.rowCount * rows.width
        }
    }

    /// Encodes a weight; in float16 if int8 loses more than the plan allows, and in float32 if float16 has no room for it.
    func encode(_ path: String, role: WeightRole, _ plan: WeightPlan) throws -> EncodedWeight {
        try encoder.encode(rows(path, plan.change), role: role, plan, name: weights.location(of: path))
    }

    /// The weight as a plan says, encoded at most once.
    func data(_ path: String, role: WeightRole, _ plan: WeightPlan) throws -> ResidentWeightData {
        if let known = encoded.withLock({ $0[path] }), known.plan == plan { return known.data }
        let data = try temporary(path, role: role, plan)
        encoded.withLock { $0[path] = (plan, data) }
        return data
    }

    /// The same, not kept.
    func temporary(_ path: String, role: WeightRole, _ plan: WeightPlan) throws -> ResidentWeightData {
        let weight = try encode(path, role: role, plan)
        let activation = weight.format == plan.format ? plan.activation : .float
        return try ResidentWeightData(
            WeightDescription(role: role, format: weight.format, activation: activation),
            name: "\(name).\(path)", copying: weight.bytes)
    }
}

/// The weights of a checkpoint's component as a model asks for them.
struct PlannedSource: WeightSource {
    let weights: CheckpointWeights
    let backend: any Backend
    let plan: @Sendable (WeightRequirement) -> WeightPlan

    func weight(_ requirement: WeightRequirement) throws -> any Weight {
        try backend.prepare(weights.data(requirement.path, role: requirement.role, plan(requirement)))
    }
}

extension WeightEncoder {
    /// Encodes a weight as planned, its rows changed already.
    func encode(_ rows: any RowReader, role: WeightRole, _ plan: WeightPlan, name: String) throws -> EncodedWeight {
        if plan.activation == .scaled { return try encodeScaled(rows, role: role, plan, name: name) }
        let importance = plan.importance(for: role)
        var weight = try encode(rows, role: role, as: plan.format, name: name, importance: importance)
        if weight.format == .int8, let limit = plan.limit, weight.relativeError > limit {
            weight = try encode(rows, role: role, as: .float16, name: name)
        }
        return weight.inRange ? weight : try encode(rows, role: role, as: .float32, name: name)
    }
}

extension WeightEncoder {
    /// Columns times `inputScales`, and behind the weight the inverse of these, by which the kernel multiplies its input.
    fileprivate func encodeScaled(
        _ rows: any RowReader, role: WeightRole, _ plan: WeightPlan, name: String
    ) throws -> EncodedWeight {
        var change = WeightChange()
        change.multiply(columns: plan.inputScales)
        let weight = try encode(
            ChangedRows(rows: rows, change: change), role: role, as: .int8, name: name,
            importance: plan.importance(for: role))
        let factors = plan.inputScales.map { 1 / $0 }
        return EncodedWeight(
            format: .int8, bytes: weight.bytes + factors.withUnsafeBytes(Array.init),
            relativeError: weight.relativeError, inRange: true)
    }
}

extension WeightPlan {
    /// Of all numbers of a row.
    func importance(for role: WeightRole) -> [Float]? {
        guard let importance, format == .int8, role.inputs == importance.count else { return nil }
        return role.taps == 1 ? importance : Array(repeating: importance, count: role.taps).flatMap(\.self)
    }

    /// As exact as calibration needs it: half of the memory of what the checkpoint may hold.
    static func reference(_ requirement: WeightRequirement) -> WeightPlan {
        let isExact = requirement.precision == .full
        return WeightPlan(format: isExact ? .float32 : .float16, activation: .float)
    }
}
