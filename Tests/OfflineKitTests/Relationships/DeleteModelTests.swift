// Random deletes in random worlds with random rules, against their definition. OFFLINE_DELETE_WORLDS sets the number of worlds (200 in
// memory, a tenth of it on disk by default), OFFLINE_DELETE_SEED the first seed; a failure names its world's.
import Foundation
import Testing

@testable import OfflineKit

struct DeleteModelTests {
    private static func setting(_ name: String, or standard: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap(Int.init) ?? standard
    }

    /// What was met, so that the test can't become empty unnoticed.
    private struct Coverage {
        var forbidden = 0
        var deleted = 0
        var elsewhere = 0
        var changed = 0
    }

    @Test(arguments: TestBackend.allCases)
    func `deletes do what they do by definition`(backend: TestBackend) async throws {
        let worlds = Self.setting("OFFLINE_DELETE_WORLDS", or: 200) / (backend == .log ? 10 : 1)
        let firstSeed = Self.setting("OFFLINE_DELETE_SEED", or: 815)
        var coverage = Coverage()
        for number in 0..<worlds {
            try await check(seed: UInt64(firstSeed + number), backend, &coverage)
        }
        guard worlds >= 200 else { return }
        #expect(coverage.forbidden > 40 && coverage.deleted > 100, "\(coverage)")
        #expect(coverage.elsewhere > 30 && coverage.changed > 30, "\(coverage)")
    }

    private func check(
        seed: UInt64, _ backend: TestBackend, _ coverage: inout Coverage
    ) async throws {
        var world = RelationWorld(seed: seed, hasRules: true)
        var model = NaiveRelations(schema: world.schema, records: world.records)
        let place = try TestStore(backend)
        defer { place.remove() }
        let store = try await place.open(world.schema)
        for name in RelationWorld.names {
            try await store.createBatch(name, world.records[name] ?? [])
        }
        for step in 0..<6 {
            let name = world.random.pick(RelationWorld.names)
            let isBatch = world.random.chance(40)
            let keys = (0..<(isBatch ? world.random.below(4) : 1)).map { _ -> Value in
                let number = Int64(world.random.below(8))
                return model.schema(of: name).keyPaths.count > 1
                    ? [.int(number % 2), .int(number)] : .int(number)
            }
            let place: Comment = "seed \(seed), step \(step): delete \(keys) of \(name)"
            let expected = model.deleting(keys, of: name)
            let count = try await delete(
                keys, of: name, in: store, inTransaction: world.random.chance(40))
            #expect(count == expected?.count, place)
            if let expected {
                note(model.records, expected.records, name, &coverage)
                model.records = expected.records
            } else {
                coverage.forbidden += 1
            }
            for name in RelationWorld.names {
                let found = try await store.query(name)
                let all = NaiveQuery.run(
                    model.records[name] ?? [], keyPaths: model.schema(of: name).keyPaths,
                    filter: [:])
                #expect(found == all, place)
            }
        }
        #expect(try await store.verify().problems == [], "seed \(seed)")
        try await store.close()
    }

    /// How many there were; nil where a rule forbids it.
    private func delete(
        _ keys: [Value], of name: String, in store: OfflineStore, inTransaction: Bool
    ) async throws -> Int? {
        do {
            if inTransaction {
                return try await store.transaction([name]) { transaction in
                    try await transaction.deleteBatch(name, keys)
                }
            }
            if keys.count == 1 { return try await store.delete(name, keys[0]) ? 1 : 0 }
            return try await store.deleteBatch(name, keys)
        } catch let error as OfflineError where error.code == .relationshipViolation {
            return nil
        }
    }

    private func note(
        _ old: [String: [Document]], _ new: [String: [Document]], _ name: String,
        _ coverage: inout Coverage
    ) {
        for other in RelationWorld.names {
            let before = old[other] ?? []
            let after = new[other] ?? []
            if after.count < before.count {
                if other == name { coverage.deleted += 1 } else { coverage.elsewhere += 1 }
            }
            if after.contains(where: { !before.contains($0) }) { coverage.changed += 1 }
        }
    }
}
