// A store with collections of every kind, written at random by the real code, for the tiny reader
// to be held against.
import Foundation
import OfflineBytes
import OfflineDocuments
import OfflineEngine
import OfflineKit
import StorageSimulation
import Testing

/// Opens and fills a store on a simulated disk.
struct FormatStoreFixture {
    static let folder = "/format.offline"
    static let schema = [
        CollectionSchema(
            name: "users", keyPath: "id",
            indexes: [
                IndexSchema(name: "name", keyPath: "name"),
                IndexSchema(name: "tags", keyPath: "tags"),
                IndexSchema(
                    name: "place", keyPaths: ["address.city", "items.0.name", "items.name"]),
                IndexSchema(name: "each", keyPath: "items.name", multiEntry: true),
                IndexSchema(name: "folded", keyPath: "name", collation: .caseInsensitive),
                IndexSchema(
                    name: "both", keyPath: "tags", multiEntry: true, collation: .caseInsensitive,
                    where: ["name": ["$gte": "V"]]),
                .fullText(name: "words", keyPaths: ["name", "tags", "items.name"]),
            ]),
        CollectionSchema(
            name: "events", autoKey: .sequence,
            indexes: [
                IndexSchema(name: "name", keyPath: "name"),
                IndexSchema(name: "some", keyPaths: ["tags", "name"], where: ["name": "v1"]),
            ],
            // So many that none goes.
            evictionPolicy: .lru(maxRecords: 1_000_000), tracksChanges: true),
        CollectionSchema(
            name: "pairs", keyPaths: ["left.id", "right"],
            evictionPolicy: .lfu(maxRecords: 1_000_000)),
    ]

    let system: SimulatedFileSystem
    let store: OfflineStore
    let backend: LogBackend

    /// Opens the store; an empty schema is "as stored".
    init(
        _ system: SimulatedFileSystem, _ schema: [CollectionSchema],
        _ durability: Durability = .full
    ) async throws {
        self.system = system
        backend = LogBackend(system: system) { options in
            options.logFileBytesMin = 16 << 10
            options.stagedTransactionBytes = 6 << 10
            options.automaticCheckpoints = false
        }
        var options = StorageOptions(
            databaseName: "format", directory: URL(filePath: "/"), storageSchema: schema)
        options.storageBackend = .custom(backend)
        options.durability = durability
        store = try await OfflineStore.open(options)
    }

    // MARK: - Writing

    /// One transaction of random changes, each of another record, and now and then what a synchronization does.
    func change(_ random: inout SeededRandom, operations: Int) async throws {
        var heard: [Change] = []
        if random.chance(1, in: 3) {
            heard = try await store.getChanges(limit: 1 + random.below(40))
        }
        try await write(&random, operations: operations)
        // Of what the server has heard some may have changed again.
        try await store.markSynchronized(heard.filter { _ in random.chance(2, in: 3) })
        if random.chance(1, in: 6) { try await applyRemote(&random) }
    }

    private func applyRemote(_ random: inout SeededRandom) async throws {
        var changes: [Value: RemoteChange] = [:]
        for _ in 0..<4 {
            let key = random.formatKey()
            var user = random.formatDocument()
            user["id"] = key
            changes[key] = RemoteChange(
                key: key, document: random.chance(1, in: 3) ? nil : user)
        }
        let origin = "server \(random.below(2))"
        _ = try await store.applyRemote("users", changes.values.map { $0 }, origin: origin)
    }

    private func write(_ random: inout SeededRandom, operations: Int) async throws {
        let transaction = try await store.beginTransaction(["users", "events", "pairs"])
        var changed: Set<Value> = []
        for _ in 0..<operations {
            let document = random.formatDocument()
            let key = random.formatKey()
            guard changed.insert(key).inserted else { continue }
            switch random.below(8) {
            case 0: try await transaction.delete("users", key)
            case 1:
                // Mostly one that an earlier transaction made.
                let number = Value.int(Int64(random.below(60)))
                if changed.insert(number).inserted {
                    try await transaction.delete("events", number)
                }
            case 2:
                let event = try await transaction.create("events", document)
                changed.insert(event["id"] ?? .null)
            case 3:
                var pair = document
                pair["left"] = ["id": .int(Int64(random.below(9)) << 52)]
                pair["right"] = key
                try await transaction.upsert("pairs", pair)
            default:
                var user = document
                user["id"] = key
                try await transaction.upsert("users", user)
            }
        }
        if random.chance(1, in: 10) {
            try await transaction.rollback()
        } else {
            try await transaction.commit()
        }
    }

    func checkpoint() throws { try #require(backend.engineInUse).checkpoint() }

    func compact() throws { try #require(backend.engineInUse).compact() }

    // MARK: - Comparing

    /// The files of the store, as bytes.
    static func files(_ system: SimulatedFileSystem) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for path in system.filePaths where path.hasPrefix(folder) {
            files[String(path.dropFirst(folder.count + 1))] = try system.bytes(of: path)
        }
        return files
    }

    /// Holds all documents and index entries of the tiny reader against the store's.
    func compare(_ reader: TinyReader, _ context: String) async throws {
        let engine = try #require(backend.engineInUse)
        let state = engine.stateNow
        #expect(reader.nextSequence == state.nextSequence, "\(context)")
        #expect(
            Set(reader.collections.keys) == Set(state.collections.map(\.id)), "\(context)")
        for (number, collection) in reader.collections {
            let place = "\(context), collection \(number)"
            let version = try #require(state.version(number), "\(place)")
            #expect(collection.names == version.names.names, "\(place)")
            let keys = try Self.keys(#require(version.tree(0)))
            #expect(reader.keys(number) == keys, "\(place)")
            for tree in collection.trees.dropFirst() {
                let entries = try Self.keys(#require(version.tree(tree), "\(place)"))
                #expect(reader.entries(number, index: tree) == entries, "\(place), tree \(tree)")
                let index = collection.definition.indexes.first { $0.number == tree }
                for entry in entries {
                    let key = index.map { TinyIndexes.recordKey(of: entry, $0) }
                    var prefixLength = 9
                    if case .access = collection.definition.kind {
                        prefixLength = tree == 2 ? 16 : 8
                    }
                    let recordKey = key ?? Array(entry.dropFirst(prefixLength))
                    #expect(
                        collection.places[recordKey ?? []] != nil, "\(place), tree \(tree)")
                }
            }
        }
        for (number, collection) in reader.collections
        where collection.definition.kind == .records {
            let place = "\(context), \(collection.definition.name)"
            try await compare(reader, number, collection, place)
        }
    }

    /// Documents and what is pending of one collection. What is asked for is noted in the store, so this comes last.
    private func compare(
        _ reader: TinyReader, _ number: UInt32, _ collection: TinyCollection, _ place: String
    ) async throws {
        let name = collection.definition.name
        let stored = try await store.query(name)
        #expect(
            try reader.documents(number).map { TinyValue.object($0.fields) }
                == stored.map { TinyValue(.object($0)) }, "\(place)")
        let pending = try await store.getChanges(name)
        #expect(
            try reader.pendingChanges(number) == pending.map { TinyPendingChange($0) }, "\(place)")
    }

    private static func keys(_ tree: Tree) throws -> [[UInt8]] {
        var cursor = tree.cursor()
        var keys: [[UInt8]] = []
        var key: [UInt8] = []
        var isThere = try cursor.seekToFirst()
        while isThere {
            cursor.copyKey(into: &key)
            keys.append(key)
            isThere = try cursor.next()
        }
        return keys
    }
}

extension TinyPendingChange {
    /// What the store says of a change, in the tiny reader's terms.
    fileprivate init(_ change: Change) {
        func fields(_ document: Document) -> [TinyField] {
            document.map { TinyField(name: $0.name, value: TinyValue($0.value)) }
        }
        let milliseconds = change.timestamp.timeIntervalSince1970 * 1_000
        self.init(
            operation: change.operation == .create
                ? .create : change.operation == .update ? .update : .delete,
            sequence: change.sequence, key: KeyEncoder.key(change.key),
            time: UInt64(milliseconds.rounded()), fields: change.document.map(fields) ?? [],
            base: change.base.map(fields))
    }
}

extension SeededRandom {
    mutating func formatKey() -> Value {
        chance(1, in: 20)
            ? .string(String(repeating: "key", count: 300) + "\(below(20))")
            : .string("u\(below(80))")
    }

    /// A document with fields of every kind, in any order; sometimes with names that no dictionary
    /// takes.
    mutating func formatDocument() -> Document {
        var fields: [(String, Value)] = [
            ("name", formatValue(depth: 0)), ("tags", formatValue(depth: 1)),
            ("address", ["city": formatValue(depth: 0), "zip": formatValue(depth: 0)]),
            ("items", .array((0..<below(3)).map { _ in ["name": formatValue(depth: 0)] })),
            ("more\(below(30))", formatValue(depth: 3)),
        ]
        fields.shuffle(using: &self)
        if chance(1, in: 12) {
            fields.insert((String(repeating: "long", count: 20), formatValue(depth: 1)), at: 0)
        }
        return Document(fields: fields.suffix(1 + below(fields.count)).map { ($0.0, $0.1) })
    }

    mutating func formatValue(depth: Int) -> Value {
        switch below(depth > 0 ? 12 : 9) {
        case 0: return .null
        case 1: return .bool(chance(1, in: 2))
        case 2: return .int(Int64(bitPattern: next()) >> Int64(below(64)))
        case 3: return .double(Double(bitPattern: next()))
        case 4: return .double([0, -0.0, .infinity, .nan, 0x1p53, 0.5][below(6)])
        case 5: return .date(Date(timeIntervalSinceReferenceDate: Double(below(1 << 30)) / 8))
        case 6: return .data(Data(bytes(below(12))))
        case 7:
            let unit = ["a", "\u{0}", "\u{1}é", "zz"][below(4)]
            return .string(String(repeating: unit, count: chance(1, in: 15) ? 700 : below(9)))
        case 8: return .string("\(["v", "V", "Straße 東京 v"][below(3)])\(below(20))")
        case 9, 10:
            return .array((0..<below(4)).map { _ in formatValue(depth: depth - 1) })
        default:
            return .object(
                Document(
                    fields: ["x", "y", "\u{0}z"].prefix(below(4)).map {
                        ($0, formatValue(depth: depth - 1))
                    }))
        }
    }
}
