import Checkpoints
import Foundation
import TestSupport
import Testing

/// Files made to harm: every one is refused with an error, quickly, in little memory.
@Suite struct HostileTorchFileTests {
    private struct Case {
        let name: String
        let bytes: [UInt8]
    }

    /// Reads a file to its last number.
    private static func read(_ bytes: [UInt8], in folder: TemporaryFolder) throws {
        let file = try TorchFile(path: folder.write(bytes, to: "model.pth"), name: "model.pth")
        for key in file.tensors.keys { _ = try file.values(key) }
    }

    @Test func allAreRefused() throws {
        let folder = try TemporaryFolder()
        let cases = Self.globals + Self.machines + Self.bombs + Self.views + Self.archives + Self.legacies
        #expect(cases.count >= 1000)
        let memory = ResidentMemory.bytes()
        for hostile in cases {
            let start = Self.processorSeconds()
            #expect(throws: CheckpointError.self, "\(hostile.name) was accepted") {
                try Self.read(hostile.bytes, in: folder)
            }
            let time = Self.processorSeconds() - start
            #expect(time < 1, "\(hostile.name) took \(time) s")
        }
        #expect(ResidentMemory.bytes() - memory < 500 << 20)
    }

    /// Damage at random places: what is accepted can be read, what is refused throws, nothing crashes.
    @Test(arguments: ["zip", "legacy", "protocol4", "trainer"]) func mutations(name: String) throws {
        let folder = try TemporaryFolder()
        let path = Fixtures.folder("Torch").appendingPathComponent("\(name).pth").path
        let original = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        try Self.read(original, in: folder)
        var random = SplitMix(seed: 11)
        for _ in 0..<400 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 2: bytes.removeSubrange(place..<min(place + 9, bytes.count))
                default: bytes.insert(contentsOf: bytes[place..<min(place + 9, bytes.count)], at: place)
                }
            }
            do { try Self.read(bytes, in: folder) } catch is CheckpointError {}
        }
    }

    /// Of this thread: other work on the machine does not count.
    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// A pickle in a sound zip file.
    private static func pickle(_ name: String, _ bytes: [UInt8]) -> Case {
        Case(name: name, bytes: ZipBuilder.checkpoint(bytes).encoded())
    }

    /// One good tensor, and `extra` beside it.
    private static func beside(_ name: String, _ extra: (inout PickleBuilder) -> Void) -> Case {
        var builder = PickleBuilder()
        builder.op("}")
        builder.text("w")
        builder.tensor()
        builder.op("s")
        builder.text("extra")
        extra(&builder)
        builder.op("s")
        builder.op(".")
        return pickle(name, builder.bytes)
    }

    // MARK: Names

    private static let globals: [Case] = {
        let modules = [
            "os", "posix", "nt", "subprocess", "builtins", "__builtin__", "sys", "importlib", "runpy", "pickle",
            "torch",
            "torch.hub", "torch.jit", "torch.serialization", "torch._utils", "torch.storage", "numpy", "operator",
            "functools", "collections", "shutil", "socket", "ctypes", "webbrowser", "pty", "code", "types",
        ]
        let names = [
            "system", "popen", "Popen", "call", "eval", "exec", "open", "getattr", "__import__", "import_module",
            "run_path", "load", "loads", "_load_from_bytes", "apply", "partial", "defaultdict", "rmtree", "CDLL",
            "OrderedDict.__init__", "FunctionType", "object",
        ]
        let ways: [(String, (inout PickleBuilder, String, String) -> Void)] = [
            ("global", { $0.global($1, $2) }),
            (
                "call",
                {
                    $0.global($1, $2)
                    $0.tuple { $0.text("id > /tmp/hostile") }
                    $0.op("R")
                }
            ),
            (
                "stack",
                {
                    $0.text($1)
                    $0.text($2)
                    $0.op(0x93)
                    $0.op(")")
                    $0.op(0x81)
                }
            ),
        ]
        // Nothing runs in these: what they hold is passed over.
        let inert: Set = ["functools.partial", "collections.defaultdict"]
        let named = modules.flatMap { module in
            names.enumerated().filter { !inert.contains("\(module).\($0.element)") }.map { index, name in
                let (way, write) = ways[index % ways.count]
                return beside("\(way) \(module).\(name)") { write(&$0, module, name) }
            }
        }
        // A name that is refused is refused inside of what is passed over, too.
        let wrapped = [("functools", "partial"), ("argparse", "Namespace"), ("numpy.core.multiarray", "_reconstruct")]
            .map {
                (module, name) in
                beside("os.system in \(module).\(name)") {
                    $0.global(module, name)
                    $0.tuple { $0.global("os", "system") }
                    $0.op("R")
                }
            }
        return named + wrapped
    }()

    // MARK: Bombs

    /// A few bytes, again and again, that copy a hundred thousand values.
    private static let bombs: [Case] = {
        let constructors = [
            ("collections", "OrderedDict"), ("builtins", "set"), ("__builtin__", "set"), ("torch", "Size"),
        ]
        return constructors.flatMap { module, name in
            // Kept or dropped, and of sets a copy that gets one more item.
            [("kept", ""), ("dropped", "0"), ("added to", name == "set" ? "(N\u{90}" : "")].map { way, end in
                beside("copies of \(module).\(name), \(way)") { builder in
                    builder.global(module, name)
                    builder.op("q", [1])
                    builder.op("]")
                    builder.op("(")
                    builder.bytes += Array("K\u{1}K\u{2}".utf8) + [0x86] + Array("q\u{3}".utf8)
                    for _ in 0..<100_000 { builder.op("h", [3]) }
                    builder.op("e")
                    builder.op("q", [2])
                    for _ in 0..<50_000 {
                        builder.bytes += Array("h\u{1}h\u{2}".utf8) + [0x85] + Array("R".utf8)
                        builder.bytes += end.unicodeScalars.map { UInt8($0.value) }
                    }
                    builder.op("N")
                }
            }
        }
    }()

    // MARK: Operations

    private static let machines: [Case] = {
        var cases: [Case] = []
        let unknown = (UInt8.min...UInt8.max).filter { code in ![UInt8](machineCodes).contains(code) }
        cases += unknown.map { code in beside("operation \(code)") { $0.op(code) } }
        for depth in [65, 100, 1000, 100_000, 500_000] {
            for (open, close) in [("]", "a"), ("(", "t"), ("(", "l")] as [(Character, Character)] {
                cases.append(
                    beside("\(depth) deep \(open)\(close)") { builder in
                        for _ in 0..<depth { builder.op(open) }
                        for _ in 0..<depth - (close == "a" ? 1 : 0) { builder.op(close) }
                    })
            }
        }
        cases.append(
            beside("list in itself") {
                $0.op("]")
                $0.op("q", [9])
                $0.op("h", [9])
                $0.op("a")
            })
        cases.append(
            beside("lists in each other") {
                for operation in ["]q\u{1}", "]q\u{2}", "h\u{1}a", "h\u{1}h\u{2}a"] {
                    $0.bytes += Array(operation.utf8)
                }
                $0.op("0")
            })
        cases.append(pickle("dictionary in itself", Array("}q\u{1}X\u{1}\0\0\0ah\u{1}s.".utf8)))
        cases.append(
            pickle(
                "doubling tuples",
                [0x29] + (0..<200).flatMap { _ in [0x32, 0x86] as [UInt8] } + Array("0}.".utf8)))
        for count: UInt32 in [1 << 20, 1 << 28, 1 << 31, .max] {
            for code in ["X", "T", "B"] as [Character] {
                cases.append(beside("\(code) of \(count) bytes") { $0.op(code, count.littleEndianBytes) })
            }
            cases.append(beside("long of \(count) bytes") { $0.bytes += [0x8B] + count.littleEndianBytes })
            cases.append(beside("memory \(count)") { $0.op("j", count.littleEndianBytes) })
        }
        for size: UInt64 in [1 << 20, 1 << 40, 1 << 62, 1 << 63, .max] {
            for code: UInt8 in [0x8D, 0x8E, 0x96] {
                cases.append(beside("\(code) of \(size) bytes") { $0.bytes += [code] + size.littleEndianBytes })
            }
        }
        cases.append(pickle("endless", Array(repeating: UInt8(ascii: "N"), count: 6_000_000)))
        cases.append(pickle("endless marks", Array(repeating: UInt8(ascii: "("), count: 6_000_000)))
        cases.append(pickle("endless lists", Array(repeating: UInt8(ascii: "]"), count: 6_000_000)))
        for text in [
            "", ".", "0.", "1.", "t.", "u.", "a.", "R.", "b.", "Q.", "q\u{1}.", "h\u{1}.", "(.", "N.", "NN.", "}N.",
        ] {
            cases.append(pickle("short \(text)", Array(text.utf8)))
        }
        for callable in ["N", "X\u{1}\0\0\0a", "]", "K\u{1}", "ctorch\nFloatStorage\n", "ctorch\nTensor\n"] {
            for arguments in [")", "N", "]", "(Nt", "(X\u{1}\0\0\0at"] {
                cases.append(
                    beside("\(callable) of \(arguments)") { $0.bytes += Array("\(callable)\(arguments)R".utf8) })
            }
        }
        for function in ["_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter"] {
            for arguments in [")", "(Nt", "(NNNNt", "(K\u{1}K\u{1}))t", "(NNNNNNNt"] {
                cases.append(
                    beside("\(function)\(arguments)") {
                        $0.global("torch._utils", function)
                        $0.bytes += Array("\(arguments)R".utf8)
                    })
            }
        }
        return cases
    }()

    /// The operations that pickles of tensors need.
    private static let machineCodes: [UInt8] =
        Array(
            "(012FIJKLMNQRTUVX]abcdeghjlpqrstu}).GBC".utf8.filter { $0 != UInt8(ascii: "d") && $0 != UInt8(ascii: "e") }
        )
        + [0x64, 0x65, 0x80, 0x81, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x91]
        + [0x93, 0x94, 0x95, 0x96]

    // MARK: Views

    private static let views: [Case] = {
        var cases: [Case] = []
        let big = [5, 1 << 20, 1 << 31, 1 << 40, 1 << 62, .max, -1, .min]
        for value in big {
            cases.append(pickle("offset \(value)", PickleBuilder.dictionary { $0.tensor(offset: value) }))
            cases.append(pickle("extent \(value)", PickleBuilder.dictionary { $0.tensor([value, 2]) }))
            cases.append(pickle("extent 2, \(value)", PickleBuilder.dictionary { $0.tensor([2, value]) }))
            cases.append(pickle("stride \(value)", PickleBuilder.dictionary { $0.tensor(strides: [value, 1]) }))
            cases.append(pickle("count \(value)", PickleBuilder.dictionary { $0.tensor(count: value) }))
            cases.append(
                pickle("repeated \(value)", PickleBuilder.dictionary { $0.tensor([value, 1 << 21], strides: [0, 0]) }))
        }
        for shape in [[2], [2, 2, 2], []] {
            cases.append(pickle("rank \(shape.count)", PickleBuilder.dictionary { $0.tensor(shape) }))
        }
        let many = Array(repeating: 1, count: 65)
        cases.append(pickle("65 axes", PickleBuilder.dictionary { $0.tensor(many, strides: many) }))
        for type in ["DoubleStorage", "HalfStorage", "QInt8Storage", "TypedStorage", "UntypedStorage", "X"] {
            cases.append(pickle(type, PickleBuilder.dictionary { $0.tensor(type: type) }))
        }
        for key in ["1", "", "../data.pkl", "0/", "00", "\u{0}"] {
            cases.append(pickle("storage \(key)", PickleBuilder.dictionary { $0.tensor(key: key) }))
        }
        cases.append(
            beside("one storage in two ways") { $0.tensor([2], strides: [1], count: 2, type: "DoubleStorage") })
        let good = PickleBuilder.dictionary { $0.tensor() }
        for size in [0, 4, 15, 17, 32] {
            let storage = Array(repeating: UInt8(0), count: size)
            cases.append(Case(name: "\(size) bytes", bytes: ZipBuilder.checkpoint(good, storage: storage).encoded()))
        }
        return cases
    }()

    // MARK: Archives

    private static let archives: [Case] = {
        var cases: [Case] = []
        let good = ZipBuilder.checkpoint(PickleBuilder.dictionary { $0.tensor() })
        func add(_ name: String, _ change: (inout ZipBuilder) -> Void) {
            var builder = good
            change(&builder)
            cases.append(Case(name: name, bytes: builder.encoded()))
        }
        for record in 0..<2 {
            for bit in 0..<32 {
                add("checksum \(record) \(bit)") {
                    $0.records[record].checksum = ZipBuilder.crc($0.records[record].bytes) ^ 1 << UInt32(bit)
                }
            }
            for isLarge in [true, false] {
                for offset: UInt64 in [1, 10, 1 << 20, 1 << 31, 1 << 32, 1 << 63, .max]
                where isLarge || offset < 1 << 32 {
                    add("offset \(record) \(offset)") {
                        $0.records[record].claimedOffset = offset
                        $0.records[record].isLarge = isLarge
                    }
                }
                for size: UInt64 in [0, 15, 1000, 1 << 31, 1 << 32, 1 << 40, 1 << 63, .max]
                where isLarge || size < 1 << 32 {
                    add("size \(record) \(size)") {
                        $0.records[record].claimedSize = size
                        $0.records[record].isLarge = isLarge
                    }
                }
            }
            for method: UInt16 in [8, 9, 12, 14, 93, 99] { add("method") { $0.records[record].method = method } }
            add("encrypted") { $0.records[record].flags = 1 }
            add("two names") { $0.records[record].localName = "archive/data/1" }
            add("another's place") { $0.records[record].claimedOffset = record == 0 ? 30 : 0 }
        }
        add("twice") { $0.records.append($0.records[1]) }
        add("one record under two names") {
            $0.records.append($0.records[1])
            $0.records[2].name = "archive/data/1"
            $0.records[2].localName = "archive/data/1"
            $0.records[2].claimedOffset = 30
        }
        add("two pickles") { $0.records.append(.init(name: "other/data.pkl", bytes: $0.records[0].bytes)) }
        add("no pickle") { $0.records.removeFirst() }
        add("big-endian") { $0.records.append(.init(name: "archive/byteorder", bytes: Array("big".utf8))) }
        for value: UInt64 in [0, 1, 3, 1000, 0xFFFE, 0xFFFF] { add("count \(value)") { $0.claimedCount = value } }
        for value: UInt64 in [0, 1, 1 << 16, 1 << 31, 0xFFFF_FFFF] {
            add("table size \(value)") { $0.claimedTableSize = value }
            add("table offset \(value)") { $0.claimedTableOffset = value }
        }
        for value: UInt64 in [0, 1, 1 << 20, 1 << 33, 1 << 62, 1 << 63, .max] {
            add("64-bit count \(value)") { $0.largeEnd = (value, nil, nil, nil) }
            add("64-bit size \(value)") { $0.largeEnd = (nil, value, nil, nil) }
            add("64-bit offset \(value)") { $0.largeEnd = (nil, nil, value, nil) }
            add("64-bit place \(value)") { $0.largeEnd = (nil, nil, nil, value) }
        }
        let bytes = good.encoded()
        for count in stride(from: 0, to: bytes.count, by: 7) {
            cases.append(Case(name: "cut at \(count)", bytes: Array(bytes[..<count])))
        }
        return cases
    }()

    // MARK: The older format

    private static let legacies: [Case] = {
        let path = Fixtures.folder("Torch").appendingPathComponent("legacy.pth").path
        let good = [UInt8]((try? Data(contentsOf: URL(fileURLWithPath: path))) ?? Data())
        return stride(from: 1, to: good.count, by: 23).map {
            Case(name: "older, cut at \($0)", bytes: Array(good[..<$0]))
        }
    }()
}
