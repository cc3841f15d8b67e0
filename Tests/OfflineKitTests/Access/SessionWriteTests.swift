// A matrix of writes: every operation x every policy x every principal, one at a time on the same store, against what the definition
// says: its outcome, what it returns, and what is stored afterwards.
import Foundation
import Testing

@testable import OfflineKit

struct SessionWriteTests {
    private typealias World = AccessWorld

    static let writes: [NaiveWrite] = {
        var writes: [NaiveWrite] = []
        let keys = ["key-0-k", "key-1-k", "key-3-k", "key-6-k", "absent"]
        for key in keys {
            let id = Value.string(key)
            writes += [
                .delete([id]), .delete([id, "key-5-k"]),
                .create([["id": id, "owner": "ann", "level": 0, "shared": true]]),
                .create([["id": id, "owner": "bob"]]),
                .create([["id": id, "owner": "ann", "secret": ["hint": "new"]]]),
                .create([["id": id, "owner": "ann", "secret": ["code": "HIDDEN-new"]]]),
                .create([["id": "free", "owner": "ann"], ["id": id, "owner": "ann"]]),
                .upsert(["id": id, "owner": "ann", "level": 0]),
                .upsert(["id": id, "owner": "mia", "shared": true]),
                .upsert(["id": id, "owner": "bob", "secret": ["hint": "up"]]),
                .update([["id": id, "title": "new"]], .merge),
                .update([["id": id, "owner": "bob"]], .merge),
                .update([["id": id, "level": 1]], .merge),
                .update([["id": id, "level": 0]], .merge),
                .update([["id": id, "secret": ["hint": "x"]]], .merge),
                .update([["id": id, "secret": .null]], .merge),
                .update([["id": id, "secret": ["code": "HIDDEN-mine"]]], .merge),
                .update([["id": id, "body": "words"]], .merge),
                .update([["id": id, "owner": "ann", "title": "only"]], .replace),
                .update([["id": id, "owner": "bob", "secret": ["hint": "y"]]], .replace),
                .update([["id": id, "owner": "mia", "secret": [:], "level": 2]], .replace),
                .update([["id": id, "title": "new"], ["id": "key-2-k", "title": "2"]], .merge),
            ]
        }
        // As it is seen without what is hidden in it, by who sees no prices.
        let items: Value = [["name": "pen"], ["name": "n2"], "loose"]
        writes += [
            .update([["id": "key-1-k", "level": 1, "items": items]], .replace),
            .update([["id": "key-1-k", "level": 2, "items": items, "secret": [:]]], .replace),
            .update([["id": "key-1-k", "items": items, "secret": ["hint": "new"]]], .replace),
            .update([["id": "key-1-k", "items": ["other"], "secret": [:]]], .replace),
            .update([["id": "key-1-k", "items": items, "secret": 5]], .replace),
            .update([["id": "key-0-k", "level": 3]], .merge),
            .update([["id": "key-0-k", "level": 3, "body": "new"]], .merge),
            .update([["id": "key-0-k", "level": 3, "secret": ["hint": "h"]]], .merge),
            .update([["id": "key-3-k", "level": 0]], .merge),
            .create([["id": "new", "level": 3]]),
            .create([["id": "new", "level": 3, "body": "b"]]),
        ]
        return writes
    }()

    @Test(arguments: TestBackend.allCases)
    func `every write does what the policy grants, or nothing`(backend: TestBackend) async throws {
        for (name, policy) in World.policies {
            try await TestStore.with(backend, World.schema(policy)) { store in
                try await store.createBatch("notes", World.notes)
                for (turn, principal) in World.principals.enumerated() {
                    // In memory every other write in turns, elsewhere some of them.
                    let turns = (turn, backend == .memory ? 2 : 13)
                    try await Self.check(store, policy, principal, "\(name), \(principal)", turns)
                }
            }
        }
    }

    /// OFFLINE_ACCESS_WORLDS sets the number of worlds.
    @Test func `random writes under random policies do what is granted, or nothing`() async throws {
        let worlds = SessionQueryFuzzTests.setting("OFFLINE_ACCESS_WORLDS", or: 80)
        var ends: [String: Int] = [:]
        for seed in 0..<UInt64(worlds) {
            var random = QueryRandom(seed: 20_260_701 + seed)
            let policy = Self.policy(&random)
            try await TestStore.with(.memory, World.schema(policy)) { store in
                try await store.createBatch("notes", World.notes)
                var notes = World.notes
                for number in 0..<60 {
                    let principal = random.pick(World.principals)
                    let write = Self.write(&random)
                    let place = "seed \(seed), write \(number): \(write), \(principal), \(policy)"
                    let model = NaiveAccess(policy, principal)
                    let expected = model.outcome(of: write, on: notes)
                    let session = store.session(as: principal)
                    let found = try await write.run(on: session, place, model, notes)
                    #expect(found.result == expected.result, "\(place)")
                    #expect(found.returned == expected.returned, "\(place)")
                    notes = expected.stored
                    let stored = try await store.query("notes")
                    #expect(stored == notes, "\(place)")
                    ends["\(found.result)", default: 0] += 1
                }
            }
        }
        print("writes in sessions: \(ends)")
        if worlds >= 80 { #expect(ends.values.filter { $0 > 30 }.count >= 5) }
    }

    private static func policy(_ random: inout QueryRandom) -> AccessPolicy {
        let filters: [Filter] = [
            .all, .all, ["owner": "$principal"], ["level": ["$lte": 1]], ["shared": true],
            ["secret.hint": ["$exists": true]], ["tags": "ann"],
            ["$nor": [["owner": "$principal"]]],
        ]
        let fields = ["level", "secret", "secret.code", "secret.hint", "items.price", "body"]
        return AccessPolicy(
            (0..<(1 + random.below(4))).map { _ in
                World.Rule(
                    role: random.pick(["*", "clerk", "chief"]),
                    operations: random.pick([
                        World.all, World.all, [.read], [.read, .update], [.create, .update],
                        [.update], [.delete],
                    ]),
                    where: random.pick(filters),
                    hiddenFields: fields.filter { _ in random.chance(20) })
            })
    }

    private static func write(_ random: inout QueryRandom) -> NaiveWrite {
        func document() -> Document {
            var document: Document = ["id": .string("key-\(random.below(9))-k")]
            let fields: [(String, [Value])] = [
                ("owner", ["ann", "bob", "mia"]), ("level", [0, 1, 2, 3]),
                ("shared", [true, false]),
                ("body", ["blue", "red"]), ("tags", [["ann"], []]),
                (
                    "secret",
                    [
                        ["hint": "new"], [:], .null, 5, ["code": "HIDDEN-new"],
                        ["code": "HIDDEN-new", "hint": "new"],
                    ]
                ),
                (
                    "items",
                    [
                        [["name": "pen"], ["name": "n1"], "loose"], [["price": "HIDDEN-new"]],
                        ["loose"], [["name": "other"]], .null,
                    ]
                ),
            ]
            for (name, values) in fields where random.chance(35) {
                document[name] = random.pick(values)
            }
            return document
        }
        func documents() -> [Document] {
            let first = document()
            var second = document()
            while second["id"] == first["id"] { second = document() }
            return random.chance(75) ? [first] : [first, second]
        }
        switch random.below(10) {
        case 0, 1, 2: return .update(documents(), .merge)
        case 3, 4: return .update(documents(), .replace)
        case 5, 6: return .upsert(document())
        case 7, 8: return .create(documents())
        default: return .delete(documents().compactMap { $0["id"] })
        }
    }

    private static func check(
        _ store: OfflineStore, _ policy: AccessPolicy?, _ principal: Principal, _ place: String,
        _ turns: (Int, of: Int)
    ) async throws {
        let session = store.session(as: principal)
        let model = NaiveAccess(policy, principal)
        for (number, write) in writes.enumerated() where (number + turns.0) % turns.of == 0 {
            let place = "\(write), \(place)"
            let expected = model.outcome(of: write, on: World.notes)
            let found = try await write.run(on: session, place, model, World.notes)
            #expect(found.result == expected.result, "\(place)")
            #expect(found.returned == expected.returned, "\(place)")
            let stored = try await store.query("notes")
            #expect(stored == expected.stored, "\(place)")
            if stored != World.notes {
                try await store.clear(["notes"])
                try await store.createBatch("notes", World.notes)
            }
            // The same in a transaction, which is then given up.
            guard number % 3 == 0 else { continue }
            await expectError(.changesExpired, "the test's own") {
                try await session.transaction(["notes"]) { handle in
                    let inside = try await write.run(on: handle, place, model, World.notes)
                    #expect(inside.result == expected.result, "in a transaction: \(place)")
                    #expect(inside.returned == expected.returned, "in a transaction: \(place)")
                    throw OfflineError(.changesExpired, "")
                }
            }
            #expect(try await store.query("notes") == World.notes, "\(place)")
        }
    }
}
