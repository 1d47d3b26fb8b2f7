import FuzzDriver
import FuzzTargets
@preconcurrency import Glibc

// Fuzz TARGET FILE…    reads inputs, or all in folders, and tells what came of each that went wrong
// Fuzz TARGET -…       libFuzzer with its own options, if it was linked
// Fuzz --list          names of targets, with the longest inputs and dictionaries
// Fuzz --pack FILE     a whole pack of an input of pack-mended, on the standard output

setvbuf(stdout, nil, _IOLBF, 0)
var arguments = Array(CommandLine.arguments.dropFirst())
// libFuzzer starts this program again to merge inputs, and knows nothing of targets.
if let name = Engine.targetOfParent, arguments.first?.hasPrefix("-") == true { arguments.insert(name, at: 0) }
switch arguments.first {
case "--list":
    for target in FuzzTarget.all {
        print(target.name, target.longest, target.dictionary ?? "-", target.summary, separator: "\t")
    }
case "--pack" where arguments.count == 2:
    let pack = FuzzTarget.wholePack(try InputReader.bytes(arguments[1]))
    fwrite(pack, 1, pack.count, stdout)
case let name?:
    guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
        print("no target \(name); there are \(FuzzTarget.all.map(\.name).joined(separator: ", "))")
        exit(64)
    }
    if arguments.dropFirst().contains(where: { $0.hasPrefix("-") }) {
        exit(Engine.run(target, Array(arguments.dropFirst())))
    }
    let status = try Replay(target).run(Array(arguments.dropFirst()))
    FuzzScratch.remove()
    exit(status)
case nil:
    print("usage: Fuzz TARGET FILE… | Fuzz TARGET -LIBFUZZER_OPTION… | Fuzz --list | Fuzz --pack FILE")
    exit(64)
}
