// An engine on a simulated disk, beside a model of dictionaries that does what the engine should.
import OfflineBytes
import OfflineEngine
import StorageSimulation
import Testing

/// Index keys of the test's records: tree 1 has the first two bytes, tree 2 the length, of records that aren't empty.
final class TestDerivation: IndexDerivation {
    func load(_ collection: CollectionDescription) throws {}
    func extendNames(of collection: UInt32, with names: [String]) throws {}

    func derive(
        collection: UInt32, key: UnsafeRawBufferPointer, record: UnsafeRawBufferPointer,
        into entries: inout IndexEntries
    ) throws {
        for (index, bytes) in unsafe Self.keys(Array(key), Array(record)) {
            entries.append(index: index, key: bytes)
        }
    }

    static func keys(_ key: [UInt8], _ record: [UInt8]) -> [(UInt32, [UInt8])] {
        var keys: [(UInt32, [UInt8])] = [(1, Array(record.prefix(2)) + key)]
        if !record.isEmpty {
            var length: [UInt8] = []
            length.appendBig(UInt32(record.count))
            keys.append((2, length + key))
        }
        return keys
    }
}

/// All records of all collections.
struct EngineModel: Equatable {
    var collections: [UInt32: [[UInt8]: [UInt8]]] = [:]

    /// What an index tree must hold.
    func entries(_ collection: UInt32, _ index: UInt32) -> [[UInt8]] {
        var entries: [[UInt8]] = []
        for (key, record) in collections[collection] ?? [:] {
            for (tree, bytes) in TestDerivation.keys(key, record) where tree == index {
                entries.append(bytes)
            }
        }
        return entries.sorted { ByteOrder.compare($0, $1) < 0 }
    }
}

/// One change of a random transaction.
enum EngineStep {
    case put(UInt32, key: [UInt8], record: [UInt8])
    case remove(UInt32, key: [UInt8])
    case names(UInt32, [String])
    case clear(UInt32)
}

/// Drives an engine and the model together.
struct EngineHarness {
    var system: SimulatedFileSystem
    var engine: Engine
    var model = EngineModel()
    var options: EngineOptions
    static let folder = "/store.offline"
    static let collections: [UInt32] = [1, 2, 5]

    /// Bounds so low that files end, transactions are staged and nodes split within a few steps.
    static var smallOptions: EngineOptions {
        var options = EngineOptions()
        options.logFileBytesMin = 8 << 10
        options.stagedTransactionBytes = 6 << 10
        options.stagedNodeBytes = 12 << 10
        options.checkpointOperations = 150
        options.automaticCheckpoints = false
        return options
    }

    /// The same, with the same calls in every run: no log file is made in the background.
    static var steadyOptions: EngineOptions {
        var options = smallOptions
        options.preparesLogFiles = false
        return options
    }

    init(_ system: SimulatedFileSystem, options: EngineOptions = smallOptions) throws {
        self.system = system
        self.options = options
        engine = try Self.open(system, options)
        if engine.stateNow.collections.isEmpty { try define() }
    }

    static func open(_ system: any FileSystem, _ options: EngineOptions) throws -> Engine {
        try Engine.open(system, folder: folder, options: options, derivation: TestDerivation())
    }

    func define() throws {
        try engine.define(
            Self.collections.map {
                CollectionDescription(
                    id: $0, definition: [7, UInt8($0)], indexes: [1, 2], names: [])
            }, applicationVersion: 3
        ) { _, _ in }
    }

    mutating func reopen() throws { engine = try Self.open(system, options) }

    /// Applies steps in one transaction and waits for it.
    mutating func commit(_ steps: [EngineStep]) throws {
        let transaction = try begin()
        for step in steps { try Self.apply(step, to: transaction) }
        try Self.commit(transaction)
        model.apply(steps)
    }

    func begin(_ collections: [UInt32] = collections) throws -> WriteTransaction {
        try engine.begin(collections)
    }

    static func commit(_ transaction: WriteTransaction) throws {
        let outcome = Monitor<EngineError??>(nil)
        try transaction.commit(appended: {}) { failure in
            outcome.withLock { $0 = .some(failure) }
            outcome.wakeAll()
        }
        if let failure = outcome.wait({ $0 }) ?? nil { throw failure }
    }

    static func apply(_ step: EngineStep, to transaction: WriteTransaction) throws {
        switch step {
        case .put(let collection, let key, let record):
            let old = try read(key, of: collection, in: transaction)
            _ = try unsafe key.withUnsafeBytes { keyBytes in
                try unsafe record.withUnsafeBytes {
                    try unsafe transaction.put(collection, key: keyBytes, record: $0)
                }
            }
            try update(collection, key, old: old, new: record, transaction)
        case .remove(let collection, let key):
            guard let old = try read(key, of: collection, in: transaction) else { return }
            let removed = try unsafe key.withBytes { bytes throws(EngineError) in
                try unsafe transaction.remove(collection, key: bytes)
            }
            #expect(removed)
            try update(collection, key, old: old, new: nil, transaction)
        case .names(let collection, let names):
            try transaction.extendNames(collection, with: names)
        case .clear(let collection): try transaction.clear(collection)
        }
    }

    private static func update(
        _ collection: UInt32, _ key: [UInt8], old: [UInt8]?, new: [UInt8]?,
        _ transaction: WriteTransaction
    ) throws {
        let before = old.map { TestDerivation.keys(key, $0) } ?? []
        let after = new.map { TestDerivation.keys(key, $0) } ?? []
        for (index, bytes) in before where !after.contains(where: { $0 == (index, bytes) }) {
            try unsafe bytes.withBytes { bytes throws(EngineError) in
                try unsafe transaction.remove(collection, index: index, key: bytes)
            }
        }
        for (index, bytes) in after where !before.contains(where: { $0 == (index, bytes) }) {
            try unsafe bytes.withBytes { bytes throws(EngineError) in
                try unsafe transaction.insert(collection, index: index, key: bytes)
            }
        }
    }

    static func read(
        _ key: [UInt8], of collection: UInt32, in transaction: WriteTransaction
    ) throws -> [UInt8]? {
        var found: [UInt8]?
        _ = try unsafe key.withUnsafeBytes { bytes in
            try unsafe transaction.withRecord(collection, bytes) { found = unsafe Array($0) }
        }
        return found
    }

    /// Everything that a state holds, read through its trees; also checks that the index trees are what they must be.
    static func contents(_ state: StoreState) throws -> EngineModel {
        var model = EngineModel()
        for version in state.collections {
            var records: [[UInt8]: [UInt8]] = [:]
            let reader = try #require(TreeReader(version, index: 0))
            var cursor = reader.tree.cursor()
            var key: [UInt8] = []
            var buffer = InflateBuffer()
            try cursor.seekToFirst()
            while cursor.isValid {
                cursor.copyKey(into: &key)
                records[key] = try unsafe key.withUnsafeBytes {
                    unsafe Array(try reader.record(cursor.value, key: $0, &buffer))
                }
                _ = try cursor.next()
            }
            #expect(records.count == version.primary.count)
            model.collections[version.id] = records
        }
        for version in state.collections {
            for entry in version.indexes {
                let keys = try keys(of: Tree(root: entry.root, files: version.files.table))
                #expect(keys == model.entries(version.id, entry.index))
            }
        }
        return model
    }

    static func keys(of tree: Tree) throws -> [[UInt8]] {
        var keys: [[UInt8]] = []
        var key: [UInt8] = []
        var cursor = tree.cursor()
        try cursor.seekToFirst()
        while cursor.isValid {
            cursor.copyKey(into: &key)
            keys.append(key)
            _ = try cursor.next()
        }
        return keys
    }

    /// Numbered files in the folder that the engine doesn't have. (The log may have ended in a file without a commit.)
    static func orphans(of engine: Engine) throws -> [String] {
        let end = FileNames.log(engine.stateNow.position.file)
        let known = Set(engine.files.all.map(\.name) + [end])
        return try engine.files.system.list(folder).filter {
            FileNames.parse($0) != nil && !known.contains($0)
        }
    }

    /// Compares the engine with the model and verifies every byte.
    func check(_ context: String) throws {
        let found = try Self.contents(engine.stateNow)
        #expect(found == model.withAll(Self.collections), "\(context)")
        let result = try engine.verify()
        #expect(result.findings == [], "\(context)")
    }
}

extension EngineModel {
    mutating func apply(_ steps: [EngineStep]) {
        for step in steps {
            switch step {
            case .put(let collection, let key, let record):
                collections[collection, default: [:]][key] = record
            case .remove(let collection, let key):
                collections[collection, default: [:]][key] = nil
            case .names: break
            case .clear(let collection): collections[collection] = nil
            }
        }
    }

    /// With an empty dictionary for each collection that has no record.
    func withAll(_ ids: [UInt32]) -> EngineModel {
        var model = self
        for id in ids where model.collections[id] == nil { model.collections[id] = [:] }
        return model
    }
}

extension SeededRandom {
    /// A transaction's worth of random changes.
    mutating func engineSteps(atMost count: Int) -> [EngineStep] {
        (0..<1 + below(count)).map { _ in
            let collection = EngineHarness.collections[below(EngineHarness.collections.count)]
            let key = engineKey()
            if chance(1, in: 150) { return .clear(collection) }
            switch below(20) {
            case 0: return .names(collection, ["name\(next())"])
            case 1...5: return .remove(collection, key: key)
            default: return .put(collection, key: key, record: engineRecord())
            }
        }
    }

    mutating func engineKey() -> [UInt8] {
        let text = "key:\(below(400))"
        return chance(1, in: 30) ? Array(text.utf8) + bytes(below(900)) : Array(text.utf8)
    }

    mutating func engineRecord() -> [UInt8] {
        switch below(40) {
        case 0: bytes(below(9_000))
        case 1: text(below(9_000))
        case 2..<20: text(below(200))
        default: bytes(below(200))
        }
    }

    /// Words, of which long records have many twice, and records much in common.
    mutating func text(_ count: Int) -> [UInt8] {
        var text: [UInt8] = []
        while text.count < count { text += Self.words[below(Self.words.count)].utf8 }
        return Array(text.prefix(count))
    }

    private static let words = """
        the river carried what winter left behind , and nobody asked where a letter without \
        its name should go until morning came over roofs of slate \u{301c} 1 24 305 4711 true false \
        "city": "country": "population": "address": {"street": harbour station upper lower \
        Lisbon Trondheim Kraków Ōsaka
        """.split(separator: " ").map { $0 + " " }
}
