import AudioLDM2

/// A program of somebody else's that makes a sound: `Embedding MODEL.aldm "PROMPT" OUTPUT.wav`.
@main
struct Embedding {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4 else {
            print("usage: Embedding MODEL.aldm \"PROMPT\" OUTPUT.wav")
            return
        }
        let pipeline = try AudioLDM2Pipeline(modelAt: arguments[1])
        let options = GenerationOptions(seconds: 2.5, numInferenceSteps: 10, seed: 1)
        for try await event in pipeline.events(arguments[2], options: options) {
            switch event {
            case .plan(let plan):
                print(plan)
            case .progress(let progress):
                print("\(progress.stage.rawValue) \(progress.completed)/\(progress.total)")
            case .warning(let text):
                print("warning: \(text)")
            case .finished(let result):
                try result.clip.write(to: arguments[3])
                print("\(result.clip.samples.count) samples at \(result.clip.sampleRate) Hz")
            }
        }
    }
}
