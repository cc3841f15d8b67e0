// Random stores and random migrations: what they do is what a model in plain Swift says, and going down again gives back what there was.
import Foundation
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct MigrationModelTests {
    private static let environment = ProcessInfo.processInfo.environment
    static let seeds = 1...(environment["OFFLINE_MIGRATION_SEEDS"].flatMap(UInt64.init) ?? 12)

    typealias Model = [String: [Value: Document]]

    /// A change of the data that can be taken back, on a store and on a model of one.
    enum Step: CaseIterable, Sendable {
        case rename, wrap, split, add, move

        func migration(_ version: Int) -> TestMigration {
            TestMigration(version) { store in
                try await run(version, store, isUp: true)
            } down: { store in
                try await run(version, store, isUp: false)
            }
        }

        private func run(
            _ version: Int, _ store: any StoreWriter, isUp: Bool
        ) async throws {
            switch self {
            case .rename, .wrap, .add:
                for try await document in store.stream("a") {
                    let changed = changed(document, version, isUp: isUp)
                    if changed != document { try await store.update("a", changed) }
                }
            case .split:
                for try await document in store.stream("a") {
                    guard let (rest, part) = parts(document, version, isUp: isUp) else { continue }
                    try await store.update("a", rest)
                    if isUp {
                        try await store.create("b", part)
                    } else {
                        let found = try await store.get("b", part["id"] ?? .null)
                        try await store.update("a", joined(rest, found))
                        try await store.delete("b", part["id"] ?? .null)
                    }
                }
            case .move:
                let (from, to) = isUp ? ("a", "c") : ("c", "a")
                let filter: Filter = ["v": .int(Int64(version))]
                for try await document in store.stream(
                    from, Query(filters: isUp ? ["n": 3] : filter))
                {
                    var moved = document
                    moved["v"] = isUp ? .int(Int64(version)) : nil
                    try await store.create(to, moved)
                    try await store.delete(from, document["id"] ?? .null)
                }
            }
        }

        private func changed(_ document: Document, _ version: Int, isUp: Bool) -> Document {
            var changed = document
            let name = "f\(version)"
            switch self {
            case .rename:
                let (from, to) = isUp ? ("n", name) : (name, "n")
                guard let value = document[from] else { return document }
                changed[from] = nil
                changed[to] = value
            case .wrap:
                guard let value = document["t"] else { return document }
                changed["t"] = isUp ? .array([value]) : value.arrayValue?.first
            case .add: changed[name] = isUp ? .int(Int64(version)) : nil
            case .split, .move: break
            }
            return changed
        }

        /// What stays in the record, and what becomes one of its own.
        private func parts(
            _ document: Document, _ version: Int, isUp: Bool
        ) -> (rest: Document, part: Document)? {
            let link = "link\(version)"
            guard isUp ? document["t"] != nil : document[link] != nil else { return nil }
            let id: Value = .array([document["id"] ?? .null, .int(Int64(version))])
            var rest = document
            rest["t"] = nil
            rest[link] = isUp ? true : nil
            return (rest, ["id": .string(id.json()), "t": document["t"] ?? .null])
        }

        private func joined(_ rest: Document, _ part: Document?) -> Document {
            var joined = rest
            joined["t"] = part?["t"]
            return joined
        }

        /// The same on a model, going up.
        func apply(_ version: Int, to model: inout Model) {
            let a = model["a"] ?? [:]
            switch self {
            case .rename, .wrap, .add:
                model["a"] = a.mapValues { changed($0, version, isUp: true) }
            case .split:
                for (key, document) in a {
                    guard let (rest, part) = parts(document, version, isUp: true) else { continue }
                    model["a"]?[key] = rest
                    model["b", default: [:]][part["id"] ?? .null] = part
                }
            case .move:
                for (key, document) in a where document["n"] == 3 {
                    model["a"]?[key] = nil
                    var moved = document
                    moved["v"] = .int(Int64(version))
                    model["c", default: [:]][key] = moved
                }
            }
        }
    }

    private static let schema = [
        CollectionSchema(name: "a", indexes: [IndexSchema(name: "n", keyPath: "n")])
    ]
    /// With what the migrations fill.
    private static let laterSchema = [
        CollectionSchema(name: "a", indexes: [IndexSchema(name: "t", keyPath: "t")]),
        CollectionSchema(name: "b", indexes: [IndexSchema(name: "t", keyPath: "t")]),
        CollectionSchema(name: "c", indexes: [IndexSchema(name: "v", keyPath: "v")]),
    ]

    private static func randomDocument(_ id: Int, _ random: inout SeededGenerator) -> Document {
        var document: Document = ["id": .int(Int64(id))]
        if random.chance(4, in: 5) { document["n"] = .int(Int64(random.below(6))) }
        if random.chance(3, in: 4) {
            document["t"] = [1, "x", true, ["y": 2]][random.below(4)]
        }
        if random.chance(1, in: 3) {
            document["more"] = .string(String(repeating: "m", count: random.below(200)))
        }
        return document
    }

    private func contents(_ store: OfflineStore) async throws -> Model {
        var model: Model = [:]
        for name in ["a", "b", "c"] {
            let documents = (try? await store.query(name)) ?? []
            if documents.isEmpty { continue }
            model[name] = Dictionary(
                uniqueKeysWithValues: documents.map { ($0["id"] ?? .null, $0) })
        }
        return model
    }

    /// Order of fields aside.
    private func expect(
        _ found: Model, _ expected: Model, _ context: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let expected = expected.filter { !$0.value.isEmpty }
        #expect(Set(found.keys) == Set(expected.keys), "\(context)", sourceLocation: sourceLocation)
        for (name, documents) in expected {
            let records = found[name] ?? [:]
            #expect(
                Set(records.keys) == Set(documents.keys), "\(context), \(name)",
                sourceLocation: sourceLocation)
            for (key, document) in documents {
                guard let record = records[key] else { continue }
                let (one, two) = (Set(record.fieldNames), Set(document.fieldNames))
                #expect(
                    one == two && one.allSatisfy { record[$0] == document[$0] },
                    "\(context), \(name), \(key)", sourceLocation: sourceLocation)
            }
        }
    }

    @Test(arguments: seeds)
    func `up is what a model says, and down again is what there was`(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let backends = TestBackend.allCases
        let place = try TestStore(backends[Int(seed) % backends.count])
        defer { place.remove() }
        var model: Model = ["a": [:]]
        var store = try await place.open(Self.schema)
        for id in 0..<random.below(60) {
            let document = Self.randomDocument(id, &random)
            try await store.create("a", document)
            model["a"]?[.int(Int64(id))] = document
        }
        try await store.close()
        let steps = (0..<1 + random.below(5)).map { _ in Step.allCases[random.below(5)] }
        let context = "seed \(seed), \(place.backend), \(steps)"
        let manager = MigrationManager(steps.enumerated().map { $1.migration($0 + 2) })
        var models = [model]
        for (position, step) in steps.enumerated() {
            step.apply(position + 2, to: &model)
            models.append(model)
        }
        // Up in one go, or in several.
        var version = 1
        while version <= steps.count {
            version += 1 + random.below(steps.count + 1 - version)
            store = try await place.open(Self.laterSchema) {
                $0.version = version
                $0.migrationManager = manager
            }
            expect(try await contents(store), models[version - 1], "\(context), up to \(version)")
            #expect(try await store.verify().problems == [], "\(context), up to \(version)")
            try await store.close()
        }
        while version > 1 {
            let target = 1 + random.below(version - 1)
            let options = place.options(Self.laterSchema) { $0.version = steps.count + 1 }
            try await manager.migrateDown(options, to: target)
            version = target
            store = try await place.open(target == 1 ? Self.schema : Self.laterSchema) {
                $0.version = target
            }
            expect(try await contents(store), models[version - 1], "\(context), down to \(version)")
            #expect(try await store.verify().problems == [], "\(context), down to \(version)")
            try await store.close()
        }
    }
}
