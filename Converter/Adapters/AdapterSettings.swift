import Checkpoints
import Files
import FoundationEssentials
import Text

/// How strongly an adapter's layers work, where it says so outside of its tensors: PEFT's `adapter_config.json`, or what diffusers
/// writes into a file's metadata.
struct AdapterSettings {
    /// Fields, by the component that they are of; "" for all.
    private var fields: [String: [String: JSONValue]] = [:]
    /// Of some layers, by the component that they are of, in the order in which they are tried.
    private var alphas: [String: [(pattern: NamePattern, value: JSONValue)]] = [:]
    private let file: String

    /// - Throws: `CheckpointError` for a description that cannot be read.
    init(of source: any CheckpointSource, beside path: String) throws {
        let config = FileName.folder(of: path) + "/adapter_config.json"
        file = config
        if path.hasSuffix("/adapter_model.safetensors") || path.hasSuffix("/adapter_model.bin"),
            FileName.exists(config)
        {
            fields[""] = try JSONFile.object(path: config, name: config)
            return
        }
        guard let text = (source as? SafetensorsFile)?.metadata["lora_adapter_metadata"] else { return }
        guard let object = (try? JSONValue(reading: Data(text.utf8)))?.object else {
            throw CheckpointError.malformed(file: source.name, reason: "its lora_adapter_metadata is no JSON object")
        }
        for (name, value) in object {
            let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
            if parts.count == 2 { fields[parts[0], default: [:]][parts[1]] = value }
        }
    }

    /// - Parameter alpha: which the tensors say themselves.
    /// - Returns: by what the product of a layer's matrices is multiplied.
    /// - Throws: `CheckpointError.invalidField`.
    mutating func scale(of module: String, in component: String?, rank: Int, alpha own: Double?) throws -> Double {
        let own = own.map { $0 / Double(rank) }
        guard let fields = fields[component ?? ""] ?? fields[""] else { return own ?? 1 }
        if fields["use_dora"] == .bool(true) {
            throw CheckpointError.invalidField(
                file: file, field: "use_dora", reason: "is true; such an adapter cannot be merged here")
        }
        if let own { return own }
        func number(_ value: JSONValue?) throws -> Double? {
            guard let value, value != .null else { return nil }
            guard case .number(let known) = value, let number = known, number.isFinite else {
                throw CheckpointError.invalidField(file: file, field: "lora_alpha", reason: "is no number")
            }
            return number
        }
        var alpha = try number(fields["lora_alpha"])
        for (pattern, value) in try alphas(of: component ?? "", fields) where pattern.matches(module) {
            alpha = try number(value)
            break
        }
        guard let alpha else { return 1 }
        let root = fields["use_rslora"] == .bool(true)
        return alpha / (root ? Double(rank).squareRoot() : Double(rank))
    }

    private mutating func alphas(
        of component: String, _ fields: [String: JSONValue]
    ) throws -> [(pattern: NamePattern, value: JSONValue)] {
        if let known = alphas[component] { return known }
        let entries = (fields["alpha_pattern"]?.object ?? [:]).sorted { $0.key < $1.key }
        let patterns = try entries.map { text, value in
            guard let pattern = NamePattern("(.*\\.)?(" + text + ")") else {
                throw CheckpointError.invalidField(
                    file: file, field: "alpha_pattern",
                    reason: "has the pattern \(text.quoted), which is none that is known here")
            }
            return (pattern, value)
        }
        alphas[component] = patterns
        return patterns
    }
}
