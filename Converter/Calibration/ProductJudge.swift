import AudioLDM2Diagnostics
import Compute
import Tensors
import WeightFile

/// Measures what a component's products lose, on what they were seen to read.
struct ProductJudge {
    let weights: CheckpointWeights
    let records: [String: ProductRecord]
    let requirements: [String: WeightRequirement]
    let backend: CPUBackend

    func record(_ path: String) -> ProductRecord? { records["\(weights.name).\(path)"] }

    /// ‖ours − exact‖ / ‖exact‖ of what a product makes, residuals left out; with the attention that reads it where it
    /// makes the queries, keys and values of the UNet's or the VAE's. Nil for a product that was not seen.
    func error(_ path: String, _ plan: WeightPlan) throws -> Double? {
        guard let record = record(path), let requirement = requirements[path] else { return nil }
        let exact = WeightPlan(format: .float32, activation: .float)
        return try Self.relativeError(
            results(record, requirement, plan), results(record, requirement, exact), path: "\(weights.name).\(path)")
    }

    /// What a product makes of its record with a weight as planned, brought back from what the plan changes.
    private func results(
        _ record: ProductRecord, _ requirement: WeightRequirement, _ plan: WeightPlan
    ) throws -> [Float] {
        let data = try weights.temporary(requirement.path, role: requirement.role, plan)
        let weight = try backend.prepare(data)
        defer { backend.trim() }
        if let attention = record.attention, requirement.path.hasSuffix("to_qkv.weight") {
            return try attended(record, requirement, weight, plan, attention)
        }
        var results: [Float] = []
        if !record.rows.isEmpty {
            let x = try input(record.rows, [1, record.rows.count / record.channels, 1, record.channels], plan)
            results += try product(x, weight, geometry: nil).values()
        }
        for piece in record.pieces {
            let x = try input(piece.values, piece.shape, plan)
            results += try product(x, weight, geometry: record.geometry).values()
        }
        unscale(&results, by: plan.change.rows)
        return results
    }

    private func product(_ x: Tensor, _ weight: any Weight, geometry: ConvolutionGeometry?) throws -> Tensor {
        guard var geometry else {
            if case .matrix = weight.description.role { return try backend.linear(x, weight, Epilogue()) }
            return try backend.convolution(x, weight, ConvolutionGeometry(), Epilogue())
        }
        // As much larger as the whole was.
        if geometry.resizedHeight != nil { geometry.resizedHeight = 2 * x.shape[1] }
        return try backend.convolution(x, weight, geometry, Epilogue())
    }

    /// Inputs as the plan's columns expect them.
    private func input(_ values: [Float], _ shape: Shape, _ plan: WeightPlan) throws -> Tensor {
        var values = values
        let columns = plan.change.columns
        if !columns.isEmpty {
            let inverses = columns.map { 1 / $0 }
            for first in stride(from: 0, to: values.count, by: columns.count) {
                for column in columns.indices { values[first + column] *= inverses[column] }
            }
        }
        return try backend.upload(values, shape)
    }

    private func unscale(_ results: inout [Float], by rows: [Float]) {
        guard !rows.isEmpty else { return }
        let inverses = rows.map { 1 / $0 }
        for first in stride(from: 0, to: results.count, by: rows.count) {
            for row in rows.indices { results[first + row] *= inverses[row] }
        }
    }

    /// The kept rows' attention to each other.
    private func attended(
        _ record: ProductRecord, _ requirement: WeightRequirement, _ weight: any Weight, _ plan: WeightPlan,
        _ attention: (heads: Int, scale: Float)
    ) throws -> [Float] {
        let x = try input(record.rows, [1, record.rows.count / record.channels, record.channels], plan)
        let bias = try bias(of: requirement, plan)
        let qkv = try backend.linear(x, weight, Epilogue(bias: bias))
        let width = requirement.role.outputs / 3
        let arithmetic: ActivationMode = weight.description.quantizesInput ? .quantized : .float
        var results = try backend.attention(
            AttentionInput(
                query: Columns(qkv, from: 0, width: width), key: Columns(qkv, from: width, width: width),
                value: Columns(qkv, from: 2 * width, width: width), heads: attention.heads, scale: attention.scale,
                arithmetic: arithmetic)
        ).values()
        unscale(&results, by: Array(plan.change.rows.dropFirst(2 * width)))
        return results
    }

    /// What a cross-attention loses by its queries, keys and values.
    func crossError(
        queries: (path: String, plan: WeightPlan), context: (path: String, plan: WeightPlan)
    ) throws -> Double? {
        guard let q = record(queries.path), let kv = record(context.path), let attention = q.attention,
            let qRole = requirements[queries.path]?.role, let kvRole = requirements[context.path]?.role
        else { return nil }
        func attended(_ queryPlan: WeightPlan, _ contextPlan: WeightPlan) throws -> [Float] {
            defer { backend.trim() }
            func projected(_ record: ProductRecord, _ path: String, _ role: WeightRole, _ plan: WeightPlan) throws -> (
                Tensor, WeightDescription
            ) {
                let weight = try backend.prepare(weights.temporary(path, role: role, plan))
                let x = try input(record.rows, [1, record.rows.count / record.channels, record.channels], plan)
                return (try backend.linear(x, weight, Epilogue()), weight.description)
            }
            let (query, _) = try projected(q, queries.path, qRole, queryPlan)
            let (keysAndValues, description) = try projected(kv, context.path, kvRole, contextPlan)
            let width = qRole.outputs
            var results = try backend.attention(
                AttentionInput(
                    query: Columns(query), key: Columns(keysAndValues, from: 0, width: width),
                    value: Columns(keysAndValues, from: width, width: width), heads: attention.heads,
                    scale: attention.scale, arithmetic: description.quantizesInput ? .quantized : .float)
            ).values()
            unscale(&results, by: Array(contextPlan.change.rows.dropFirst(width)))
            return results
        }
        let exact = WeightPlan(format: .float32, activation: .float)
        return try Self.relativeError(
            attended(queries.plan, context.plan), attended(exact, exact), path: "\(weights.name).\(context.path)")
    }

    private func bias(of requirement: WeightRequirement, _ plan: WeightPlan) throws -> (any Weight)? {
        let path = requirement.path.dropLast("weight".count) + "bias"
        guard let bias = requirements[String(path)] else { return nil }
        var biasPlan = WeightPlan(format: .float32, activation: .float)
        if !plan.change.rows.isEmpty {
            biasPlan.change.multiply(
                rows: 0..<bias.role.rowCount, of: bias.role.rowCount, by: plan.change.rows)
        }
        return try backend.prepare(weights.temporary(bias.path, role: bias.role, biasPlan))
    }

    /// Largest magnitude of each output of a product, of what it was seen to read.
    func outputMaxima(_ path: String) throws -> [Float]? {
        guard let record = record(path), let requirement = requirements[path], !record.rows.isEmpty else { return nil }
        let data = try weights.temporary(
            path, role: requirement.role, WeightPlan(format: .float32, activation: .float))
        let x = try backend.upload(record.rows, [record.rows.count / record.channels, record.channels])
        let results = try backend.linear(x, backend.prepare(data), Epilogue()).values()
        let outputs = requirement.role.outputs
        var maxima = [Float](repeating: 0, count: outputs)
        for first in stride(from: 0, to: results.count, by: outputs) {
            for output in 0..<outputs { maxima[output] = max(maxima[output], abs(results[first + output])) }
        }
        return maxima
    }

    private static func relativeError(_ a: [Float], _ b: [Float], path: String) throws -> Double {
        let (difference, norm) = Comparison.squaredNorms(a, b)
        guard norm.isFinite else { throw CalibrationError.notFinite(product: path) }
        guard norm > 0 else { return 0 }
        let error = (difference / norm).squareRoot()
        return error.isFinite ? error : .infinity
    }
}

/// A checkpoint that cannot be calibrated.
package enum CalibrationError: Error, CustomStringConvertible, Sendable, Equatable {
    case notFinite(product: String)

    package var description: String {
        switch self {
        case .notFinite(let product):
            "\(product): what it reads or makes of the calibration's prompts is infinite or not a number; the checkpoint is "
                + "damaged or its training diverged (--no-calibrate converts it all the same)"
        }
    }
}
