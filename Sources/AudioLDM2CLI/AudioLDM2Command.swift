import ArgumentParser
import AudioLDM2
import Foundation
import Terminal

@main
enum Program {
    /// Not async itself: without memory for a thread's stack, that would wait forever for the thread.
    static func main() {
        if let limit = MemoryPlan.processLimit, limit < MemoryPlan.leastForAnyWork {
            AudioLDM2Command.exit(
                withError: AudioLDM2Error(
                    .outOfMemory,
                    "this process may take \(MemoryPlan.mebibytes(limit)) of memory (ulimit -d, prlimit --data); "
                        + "\(MemoryPlan.mebibytes(MemoryPlan.leastForAnyWork)) is the least for any work"))
        }
        limitStacks()
        Task {
            await runCommand()
            do {
                try finishOutput()
                exit(EXIT_SUCCESS)
            } catch {
                exit(EXIT_FAILURE)
            }
        }
        dispatchMain()
    }

    /// What ArgumentParser's own `main` does, but for two messages that would show the usage of all commands together: the
    /// name of none, and options that turn out not to go together when the command is at work.
    private static func runCommand() async {
        if let name = CommandLine.arguments.dropFirst().first, !AudioLDM2Command.knows(name) {
            refuse("there is no command '\(name)'", help: "audioldm2 --help")
        }
        do {
            var command = try AudioLDM2Command.parseAsRoot()
            do {
                if var command = command as? any AsyncParsableCommand {
                    try await command.run()
                } else {
                    try command.run()
                }
            } catch let error as ValidationError {
                let name = type(of: command).configuration.commandName ?? ""
                refuse(error.message, help: "audioldm2 \(name) --help")
            }
        } catch {
            AudioLDM2Command.exit(withError: error)
        }
    }

    private static func refuse(_ message: String, help: String) -> Never {
        printNote("Error: \(message)\nSee '\(help)' for more information.")
        exit(ExitCode.validationFailure.rawValue)
    }

    /// Threads that nobody gave a size get 1 MiB of stack, not the system's 8: under a limit all of it counts.
    private static func limitStacks() {
        // A GNU extension, which Swift's module of the C library leaves out.
        typealias SetDefault = @convention(c) (UnsafePointer<pthread_attr_t>) -> Int32
        var attributes = pthread_attr_t()
        guard let symbol = dlsym(nil, "pthread_setattr_default_np"), pthread_attr_init(&attributes) == 0 else { return }
        defer { pthread_attr_destroy(&attributes) }
        guard pthread_attr_setstacksize(&attributes, 1 << 20) == 0 else { return }
        _ = unsafeBitCast(symbol, to: SetDefault.self)(&attributes)
    }
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
            TraceCommand.self, BenchCommand.self,
        ])

    /// Whether a command line's first word is a command or an option.
    static func knows(_ word: String) -> Bool {
        word.hasPrefix("-") || word == "help"
            || configuration.subcommands.contains { $0.configuration.commandName == word }
    }
}
