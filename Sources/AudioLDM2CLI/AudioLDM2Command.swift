import ArgumentParser
import AudioLDM2
import Terminal

@main
enum Program {
    static func main() { CommandProgram(AudioLDM2Command.self, leastMemory: MemoryPlan.leastForAnyWork).run() }
}

struct AudioLDM2Command: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audioldm2",
        abstract: "Text to sound and music with AudioLDM 2, offline.",
        discussion: """
            A small model comes with this program. Larger ones are single files made from published checkpoints by \
            audioldm2-convert.

            EXAMPLES
              audioldm2 generate "heavy rain" --output rain.wav
              audioldm2 generate "a dog barking" --model audioldm2.aldm --output dog.wav
              audioldm2 inspect audioldm2.aldm
              audioldm2 verify audioldm2.aldm --golden golden.safetensors
            """,
        version: AudioLDM2Pipeline.version,
        subcommands: [
            GenerateCommand.self, BatchCommand.self, EncodeCommand.self, LanguageOfAudioCommand.self,
            TransformCommand.self, InpaintCommand.self, ExtendCommand.self,
            UpsampleCommand.self, SpectrogramCommand.self, InspectCommand.self, VerifyCommand.self, ScoreCommand.self,
            EvaluateCommand.self, ListeningTestCommand.self, TraceCommand.self, BenchCommand.self,
        ])
}
