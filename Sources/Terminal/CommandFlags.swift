import ArgumentParser
import FoundationEssentials

/// The flags of a command and its subcommands, as ArgumentParser describes them to other programs.
enum CommandFlags {
    /// - Returns: "-q", "--loop" …: what is a flag of one command and an option of none; empty if it cannot be found out.
    static func names(of root: any ParsableCommand.Type) -> Set<String> {
        guard let tool = try? JSONDecoder().decode(Tool.self, from: Data(root._dumpHelp().utf8)) else { return [] }
        let arguments = tool.command.all
        let flags = arguments.filter { $0.kind == "flag" }.flatMap { $0.names ?? [] }
        let options = arguments.filter { $0.kind == "option" }.flatMap { $0.names ?? [] }
        return Set(flags.map(\.text)).subtracting(options.map(\.text))
    }

    private struct Tool: Decodable {
        let command: Command
    }

    private struct Command: Decodable {
        let subcommands: [Command]?
        let arguments: [Argument]?

        var all: [Argument] { (arguments ?? []) + (subcommands ?? []).flatMap(\.all) }
    }

    private struct Argument: Decodable {
        let kind: String
        let names: [Name]?
    }

    private struct Name: Decodable {
        let kind: String
        let name: String

        var text: String { (kind == "long" ? "--" : "-") + name }
    }
}
