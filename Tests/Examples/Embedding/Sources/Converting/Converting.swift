import AudioLDM2
import AudioLDM2Converter
import Foundation

/// Makes a model file of a checkpoint folder: `Converting CHECKPOINT MODEL.aldm`.
@main
struct Converting {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3 else { return print("usage: Converting CHECKPOINT MODEL.aldm") }
        let model = URL(fileURLWithPath: arguments[2])
        let converter = try await ModelConverter(
            checkpointAt: URL(fileURLWithPath: arguments[1]), options: .init(weights: .int8))
        let summary = try await converter.convert(to: model) { progress in
            print("\(Int(100 * progress.share)) % \(progress.component)")
        }
        print("\(summary.parameters) parameters in \(summary.fileBytes) bytes")
        for note in summary.missing { print("note: \(note)") }
        let inspection = try ModelInspection(modelAt: model.path)
        print("\(inspection.family): can \(inspection.abilities.map(\.rawValue).joined(separator: ", "))")
    }
}
