import ArgumentParser
import AudioLDM2
import CommandOptions
import SoundServer
import Terminal

@main
enum Program {
    static func main() { CommandProgram(ServerCommand.self, leastMemory: MemoryPlan.leastForAnyWork).run() }
}

struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audioldm2-server",
        abstract: "Serve AudioLDM 2: a page for browsers, and an HTTP interface for programs.",
        discussion: """
            Sounds are made one after the other, or several alike together, each with all cores; requests wait in a queue. The \
            page is at the address that is printed; /openapi.yaml says what programs can ask for. Nothing is fetched from \
            anywhere, and no path that a client names is opened.

            Only this machine can reach it unless --host says otherwise; then give it keys (--api-key-file). SIGTERM or Ctrl-C: \
            what was taken in is made, then the server ends; a second one ends it at once. Half of --memory-limit is for \
            weights that stay in memory.

            EXAMPLES
              audioldm2-server
              audioldm2-server -m audioldm2.aldm -m speech.aldm --memory-limit 1G
              audioldm2-server --host 0.0.0.0 --port 80 --api-key-file keys.txt
            """,
        version: AudioLDM2Pipeline.version)

    @Option(help: "The address to listen at.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen at; 0 for any that is free.")
    var port = 8080

    @OptionGroup var models: ModelsOption

    @Option(
        help: ArgumentHelp(
            "A file with a key in each line: requests need one of them as 'Authorization: Bearer KEY'.",
            valueName: "file"), completion: .file())
    var apiKeyFile: String?

    @OptionGroup var memory: MemoryOption

    @OptionGroup var computing: ComputeOptions

    @Option(help: "Jobs that may wait; more are answered with 503.")
    var maxWaiting = ServerLimits().waitingJobs

    @Option(help: "Length of a sound at most, in seconds.")
    var maxSeconds = ServerLimits().seconds

    @Option(
        help:
            "Work of a sound at most: seconds × steps × candidates; others wait while it is made.")
    var maxWork = ServerLimits().work

    @Option(help: "Size of a request at most. Default: 64M.", transform: MemoryOption.bytes)
    var maxUpload = ServerLimits().bodyBytes

    @Flag(name: [.short, .long], help: "Print nothing but errors.")
    var quiet = false

    @Flag(name: [.short, .long], help: "Log every request.")
    var verbose = false

    func validate() throws {
        guard (0...65535).contains(port) else { throw ValidationError("--port \(port): choose 0 to 65535.") }
        guard (1...10_000).contains(maxWaiting) else {
            throw ValidationError("--max-waiting \(maxWaiting): choose 1 to 10000.")
        }
        guard SoundOptions.secondsRange.contains(maxSeconds) else {
            throw ValidationError("--max-seconds \(maxSeconds): choose 0.1 to 3600.")
        }
        guard maxWork >= 1 else { throw ValidationError("--max-work \(maxWork): choose at least 1.") }
        guard !(quiet && verbose) else { throw ValidationError("--quiet and --verbose: choose one.") }
        guard maxUpload >= 1 << 10 else { throw ValidationError("--max-upload: choose at least 1K.") }
    }

    var limits: ServerLimits {
        var limits = ServerLimits()
        limits.waitingJobs = maxWaiting
        limits.seconds = maxSeconds
        limits.work = maxWork
        limits.bodyBytes = maxUpload
        limits.allBodyBytes = max(limits.allBodyBytes, maxUpload)
        limits.memoryLimit = memory.limit
        return limits
    }

    /// Opens the models.
    /// - Throws: `AudioLDM2Error`.
    func opened() async throws -> [ServedModel] {
        var opened: [ServedModel] = []
        for path in try models.paths {
            let model = try await ServedModel(
                opening: path, threads: computing.threads, device: computing.device,
                // Half of a limit for weights that stay: the work needs the rest.
                weightBudget: memory.limit.map { $0 / 2 } ?? .max, memoryLimit: memory.limit)
            try model.requireMemory(memory.limit)
            guard !opened.contains(where: { $0.name == model.name }) else {
                throw AudioLDM2Error(
                    .invalidOption, "two models are called \(model.name): clients could not tell them apart")
            }
            opened.append(model)
        }
        return opened
    }

    func run() async throws {
        #if Server
            try await serve()
        #else
            throw AudioLDM2Error(
                .configuration,
                "this program was built without its HTTP server: build it with swift build -c release --traits Server, or make serve"
            )
        #endif
    }
}
