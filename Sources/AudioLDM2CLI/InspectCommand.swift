import ArgumentParser
import AudioLDM2
import CommandOptions
import Glibc
import Terminal
import Text

struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Say what a model file is, can and contains, or check that it is undamaged.",
        discussion: """
            Shows the family of the model, what it can be used for (generate, speak, edit, score, hear, judge), its networks, and \
            where it comes from.

            EXAMPLES
              audioldm2 inspect
              audioldm2 inspect audioldm2.aldm
              audioldm2 inspect --classes
              audioldm2 inspect audioldm2.aldm --tensors
              audioldm2 inspect audioldm2.aldm --check
              audioldm2 inspect audioldm2.aldm --plan --seconds 30 --memory-limit 256M

            The model that ships says which classes of sounds it was trained on; published checkpoints don't say.
            """)

    @OptionGroup var model: ModelArgument

    @Flag(help: "List the classes of sounds that the model was trained on, each with a prompt for it.")
    var classes = false

    @Flag(help: "List every tensor.")
    var tensors = false

    @Flag(help: "Read the whole file and compare every part with its checksum.")
    var check = false

    @Flag(help: "Show how much memory making a sound takes, and how, and what the system allows.")
    var plan = false

    @Option(parsing: .unconditional, help: "Length of the planned sound. Default: what the model was trained on.")
    var seconds: Double?

    @OptionGroup var memory: MemoryOption

    @OptionGroup var computing: ComputeOptions

    @Flag(help: "Print JSON for programs.")
    var json = false

    @Flag(name: [.short, .long], help: "Show no progress.")
    var quiet = false

    func validate() throws {
        guard plan || (seconds == nil && memory.limit == nil && computing.threads == nil) else {
            throw ValidationError("--seconds, --memory-limit and --threads belong to --plan.")
        }
        guard !plan || !(check || tensors || classes) else {
            throw ValidationError(
                "--plan says something else than --check, --classes and --tensors: ask for them one by one.")
        }
        guard !(classes && tensors) else { throw ValidationError("Ask for --classes and --tensors one by one.") }
    }

    func run() async throws {
        if plan { return try await printPlan() }
        let inspection = try ModelInspection(modelAt: model.path)
        if check {
            let line = ProgressLine(quiet: quiet)
            defer { line.clear() }
            try ModelInspection.check(modelAt: model.path) { line.show("checking", share: $0) }
        }
        if json {
            return print(try Terminal.json(Report(model: inspection, check: check ? "passed" : nil)))
        }
        if classes { printClasses(inspection) } else { printTable(inspection) }
        if check { print("every part matches its checksum") }
    }

    /// A model's contents, and what checking it found: damage is an error.
    private struct Report: Encodable {
        let model: ModelInspection
        let check: String?

        private enum CodingKeys: String, CodingKey { case check }

        func encode(to encoder: any Encoder) throws {
            try model.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encodeIfPresent(check, forKey: .check)
        }
    }

    private func printPlan() async throws {
        let pipeline = try await computing.pipeline(modelAt: model.path, quiet: quiet)
        let plan = try pipeline.memoryPlan(options: SoundOptions(seconds: seconds, memoryLimit: memory.limit))
        let limits = SystemLimits.current
        if json {
            return print(try Terminal.json(PlanReport(plan: plan, threads: pipeline.threads, system: limits)))
        }
        func row(_ name: String, _ cells: [String]) {
            print(padded(name, 18) + cells.map { padded($0, 13) }.joined())
        }
        row("", ["total", "weights", "activations", "in the file"])
        row("base", [MemoryPlan.mebibytes(plan.baseBytes)])
        for stage in plan.stages {
            row(
                stage.name,
                [stage.bytes, stage.weightBytes, stage.activationBytes, stage.mappedBytes].map(MemoryPlan.mebibytes)
                    + [stage.weights == .streamed ? "weights decompressed ahead of use" : ""])
        }
        print("threads: \(pipeline.threads)")
        print(limits)
        print(plan)
    }

    /// A plan, and what the system allows.
    private struct PlanReport: Encodable {
        let plan: MemoryPlan
        let threads: Int
        let system: SystemLimits

        private enum CodingKeys: String, CodingKey { case threads, system }

        func encode(to encoder: any Encoder) throws {
            try plan.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(threads, forKey: .threads)
            try container.encode(system, forKey: .system)
        }
    }

    private func printTable(_ inspection: ModelInspection) {
        print("\(inspection.path): \(megabytes(inspection.fileBytes)), hash \(inspection.hash)")
        print(padded("family", 18) + inspection.family)
        print(padded("can", 18) + inspection.abilities.map(\.rawValue).joined(separator: ", "))
        for component in inspection.components {
            let formats = component.parametersByFormat.sorted { $0.value > $1.value }
                .map { format, count in
                    let share = Double(count) / Double(max(component.parameters, 1))
                    return "\(format) " + String(printf: "%.1f %%", 100 * share)
                }
                .joined(separator: ", ")
            print(
                padded(component.name, 18) + padded(component.className, 32)
                    + padded(String(printf: "%.2f M", Double(component.parameters) / 1e6), 11)
                    + padded(megabytes(component.storedBytes), 11)
                    + (component.tensors.isEmpty ? "left out" : formats))
            if tensors { for tensor in component.tensors { printRow(tensor) } }
        }
        for (name, bytes) in inspection.blobs.sorted(by: { $0.key < $1.key }) {
            print(padded(name, 18) + megabytes(bytes))
        }
        if !inspection.defaults.description.isEmpty { print(padded("defaults", 18) + inspection.defaults.description) }
        if let calibration = inspection.calibration { print(calibration) }
        for note in inspection.provenance where note.key != "family" { print(padded(note.key, 18) + note.value) }
    }

    private func printClasses(_ inspection: ModelInspection) {
        guard !inspection.classes.isEmpty else {
            return print("\(inspection.path): does not say which sounds it was trained on")
        }
        for sound in inspection.classes { print(padded(sound.name, 18) + sound.phrase) }
    }

    private func printRow(_ tensor: ModelInspection.TensorEntry) {
        let shape = "[" + tensor.shape.map(String.init).joined(separator: ", ") + "]"
        let isProduct = tensor.format == "int8" && tensor.activations != "float"
        let format = isProduct ? tensor.format + " × int8" : tensor.format
        print("  " + padded(tensor.name, 70) + padded(shape, 22) + padded(format, 16) + "\(tensor.storedBytes) bytes")
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text.count < width ? text + String(repeating: " ", count: width - text.count) : text + " "
    }
}
