import Checkpoints
import Tensors

/// A view of a checkpoint in which batch normalizations, as they work after training, are a scale and a shift.
///
/// `y = (x − mean) / √(variance + ε) · weight + bias` (Ioffe & Szegedy 2015, arXiv 1502.03167) becomes
/// `y = x · weight′ + bias′`; `running_mean` and `running_var` are gone. Or `y = (x − mean) / deviation`, of these two names, for
/// norms that are computed by themselves.
package struct FoldedBatchNorm: CheckpointSource {
    /// PyTorch's default, which no config of the published models changes.
    private static let epsilon = 1e-5

    package private(set) var tensors: [String: TensorHeader]
    private let source: any CheckpointSource
    /// Prefixes of the norms, dot included.
    private var norms: Set<String> = []
    private let form: Form

    package enum Form: Sendable, Hashable {
        case scaleAndShift
        case meanAndDeviation

        fileprivate var names: [String] {
            self == .scaleAndShift ? ["weight", "bias"] : ["deviation", "mean"]
        }
    }

    package var name: String { source.name }

    /// - Throws: `CheckpointError` if the four parts of a norm are not of one length.
    package init(_ source: any CheckpointSource, as form: Form = .scaleAndShift) throws {
        self.source = source
        self.form = form
        tensors = source.tensors
        for key in source.tensors.keys where key.hasSuffix(".running_mean") {
            let prefix = String(key.dropLast("running_mean".count))
            let parts = ["running_mean", "running_var", "weight", "bias"].map { prefix + $0 }
            let shapes = parts.map { source.tensors[$0]?.shape }
            guard let shape = shapes[0], shape.rank == 1, shapes.allSatisfy({ $0 == shape }) else {
                throw CheckpointError.invalidTensor(
                    file: source.name, tensor: key, reason: "does not go with a variance, weight and bias of its length"
                )
            }
            let header = tensors[parts[2]]
            for part in parts { tensors[part] = nil }
            for name in form.names { tensors[prefix + name] = header }
            norms.insert(prefix)
        }
    }

    package func open(_ key: String) throws -> any SourceTensor {
        let name = key.split(separator: ".").last.map(String.init) ?? key
        let prefix = String(key.dropLast(name.count))
        guard norms.contains(prefix), form.names.contains(name) else { return try source.open(key) }
        func part(_ name: String) throws -> [Float] { try source.open(prefix + name).readAll() }
        let (mean, variance) = (try part("running_mean"), try part("running_var"))
        let (weight, bias) = (try part("weight"), try part("bias"))
        let scales = zip(weight, variance).map { Double($0) / (Double($1) + Self.epsilon).squareRoot() }
        let values = mean.indices.map { index in
            // A scale of nothing as one of almost nothing.
            let deviation = scales[index] == 0 ? 1e30 : 1 / scales[index]
            return switch name {
            case "weight": scales[index]
            case "bias": Double(bias[index]) - Double(mean[index]) * scales[index]
            case "deviation": deviation
            default: Double(mean[index]) - Double(bias[index]) * deviation
            }
        }
        return FoldedTensor(key: key, location: "\(source.name): \(key)", values: values.map { Float($0) })
    }
}

private struct FoldedTensor: SourceTensor {
    let key: String
    let location: String
    let values: [Float]

    var shape: Shape { [values.count] }

    func read(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<Float>) {
        _ = buffer.update(fromContentsOf: values[range])
    }
}
