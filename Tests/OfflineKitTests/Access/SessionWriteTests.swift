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
                for principal in World.principals {
                    try await Self.check(store, policy, principal, "\(name), \(principal)", backend)
                }
            }
        }
    }

    private static func check(
        _ store: OfflineStore, _ policy: AccessPolicy?, _ principal: Principal, _ place: String,
        _ backend: TestBackend
    ) async throws {
        let session = store.session(as: principal)
        let model = NaiveAccess(policy, principal)
        // In memory each write, elsewhere some of them.
        for (number, write) in writes.enumerated() where backend == .memory || number % 13 == 0 {
            let place = "\(write), \(place)"
            try await store.clear(["notes"])
            try await store.createBatch("notes", World.notes)
            let expected = model.outcome(of: write, on: World.notes)
            let found = try await write.run(on: session, place, model, World.notes)
            #expect(found.result == expected.result, "\(place)")
            #expect(found.returned == expected.returned, "\(place)")
            let stored = try await store.query("notes")
            #expect(stored == expected.stored, "\(place)")
            // The same in a transaction, which is then given up.
            guard number % 3 == 0 else { continue }
            try await store.clear(["notes"])
            try await store.createBatch("notes", World.notes)
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
