import AudioLDM2
import AudioLDM2DefaultModel

/// Makes a sound: `Embedding "PROMPT" OUTPUT.wav [MODEL.aldm]`.
@main
struct Embedding {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard (3...4).contains(arguments.count) else {
            print("usage: Embedding \"PROMPT\" OUTPUT.wav [MODEL.aldm]")
            return
        }
        let model = try arguments.count == 4 ? arguments[3] : DefaultModel.path()
        let pipeline = try await AudioLDM2Pipeline(modelAt: model)
        let options = SoundOptions(seconds: 2.5, numInferenceSteps: 10, seed: 1)
        for try await event in pipeline.events(arguments[1], options: options) {
            switch event {
            case .plan(let plan):
                print(plan)
            case .progress(let progress):
                print("\(progress.stage.rawValue) \(progress.completed)/\(progress.total)")
            case .warning(let warning):
                print("warning: \(warning)")
            case .failed(let failure):
                throw failure.error
            case .finished(let result):
                try result.clip.write(to: arguments[2], record: result.record)
                print("\(result.clip.samples.count) samples at \(result.clip.sampleRate) Hz")
            @unknown default:
                break
            }
        }
    }
}
