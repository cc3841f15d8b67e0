// What the command line says.

struct BenchOptions: Sendable {
    var count = 100_000
    var repeats = 3
    var scale = 1.0
    var seed: UInt64 = 20_240_917
    var stores = BenchRun.storeNames
    /// Ids of workloads; empty: all.
    var only: [String] = []
    var directory: String?
    var saves = false
    /// Measures live queries instead.
    var isLive = false
    /// Measures the space of a store that is overwritten instead.
    var isSpace = false
    /// Measures what the order of use costs a read instead.
    var isAccess = false
    /// Measures what a schema costs a write instead.
    var isValidation = false
    /// Measures what sealed fields cost instead.
    var isSealed = false
    var wantsHelp = false

    static let help = """
        Measures OfflineStore beside GRDB and SQLite, in one process and in turns.

        USAGE: offline-bench [options]
          --count N        documents that fill each store (100000)
          --repeats N      fresh stores, all workloads again (3)
          --only A,B       these workloads: \(ids.prefix(6).joined(separator: ", ")),
                           \(ids.dropFirst(6).joined(separator: ", "))
          --stores A,B     these stores (\(BenchRun.storeNames.joined(separator: ",")))
          --scale X        X times as many operations after the bulk insert (1)
          --seed N         other documents and questions
          --directory P    where the stores are put for the run (Benchmarks/.build/stores)
          --live           what live queries cost a commit, instead of all that
          --space          the folder and the reads of a store that is overwritten, with and without compaction, instead
          --access         what the order of use, for lru, costs a read, instead
          --validation     what a schema that records must fulfil costs an insert, instead
          --sealed         what sealed fields cost writes, reads and queries, instead
          --save           write the figures to Benchmarks/results/ as well
        """

    private static let ids = Workload.all(Dataset(count: 1, seed: 0), scale: 1).map(\.id)

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            switch name {
            case "--help", "-h": wantsHelp = true
            case "--save": saves = true
            case "--live": isLive = true
            case "--space": isSpace = true
            case "--access": isAccess = true
            case "--validation": isValidation = true
            case "--sealed": isSealed = true
            default:
                guard let value = rest.popFirst() else {
                    throw BenchError("\(name) needs a value, or is unknown: see --help")
                }
                try set(name, value)
            }
        }
    }

    func includes(_ id: String) -> Bool { only.isEmpty || only.contains(id) }

    private mutating func set(_ name: String, _ value: String) throws {
        switch name {
        case "--count": count = try BenchOptions.number(name, value, 1...100_000_000)
        case "--repeats": repeats = try BenchOptions.number(name, value, 1...1000)
        case "--only": only = try BenchOptions.names(name, value, of: BenchOptions.ids)
        case "--stores": stores = try BenchOptions.names(name, value, of: BenchRun.storeNames)
        case "--directory": directory = value
        case "--scale":
            guard let number = Double(value), number > 0, number <= 1000 else {
                throw BenchError("\(name) takes a number above 0, 1000 at most, not \(value)")
            }
            scale = number
        case "--seed":
            guard let number = UInt64(value) else { throw BenchError("\(name): \(value)?") }
            seed = number
        default: throw BenchError("unknown option \(name): see --help")
        }
    }

    private static func number(
        _ name: String, _ value: String, _ range: ClosedRange<Int>
    ) throws -> Int {
        guard let number = Int(value), range.contains(number) else {
            throw BenchError("\(name) takes a number from \(range.lowerBound), not \(value)")
        }
        return number
    }

    private static func names(_ name: String, _ value: String, of all: [String]) throws -> [String]
    {
        let names = value.split(separator: ",").map(String.init)
        for wanted in names where !all.contains(wanted) {
            throw BenchError("\(name): no \(wanted); there are \(all.joined(separator: ", "))")
        }
        return names
    }
}
