// Rotations while everybody else goes on: no write is missed, nothing that is read is wrong, and uniqueness holds.
import Foundation
import OfflineBytes
import OfflineDocuments
import StorageSimulation
import Testing

@testable import OfflineKit

@Suite("Rotation beside writers") struct ConcurrentRotationTests {
    private static let writers = 3
    private static let rounds = 5

    @Test(arguments: TestBackend.allCases)
    func `writers, readers and rotations get along`(_ backend: TestBackend) async throws {
        let place = try TestStore(backend)
        defer { place.remove() }
        let store = try await Rotation.open(place)
        try await store.createBatch("users", (1...150).map { Rotation.record($0) })
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<Self.writers {
                group.addTask { try await Self.write(store, writer) }
            }
            group.addTask {
                for id in 1...20 {
                    let key = Int64(id * 7 % 150 + 1)
                    let found = try await store.get("users", key)
                    #expect(found?["ssn"] == .string("ssn \(key)"))
                    let equal = try await store.query(
                        "users", Query(filters: ["ssn": .string("ssn \(key)")]))
                    #expect(equal.map { $0["id"] } == [.int(key)])
                }
            }
            group.addTask {
                for key in 2...4 as ClosedRange<UInt8> {
                    try await store.rotateKey(to: KeyEnvelopeTests.key(key), reencrypt: true)
                }
            }
            try await group.waitForAll()
        }
        try await Rotation.settle(store)
        try await Rotation.expectOnly(4, in: store)
        let all = try await store.query("users")
        #expect(all.count == 150 + Self.writers * Self.rounds)
        #expect(Set(all.map { $0["ssn"] }).count == all.count)
        for id in 1...150 { #expect(all[id - 1]["ssn"] == .string("ssn \(id)")) }
        try await store.close()
        if backend == .memory { return }
        let again = try await Rotation.open(place, KeyEnvelopeTests.key(4))
        let kept = try await again.query("users")
        #expect(kept == all)
        try await again.close()
    }

    /// Adds records, changes others, and tries values that somebody has.
    private static func write(_ store: OfflineStore, _ writer: Int) async throws {
        var random = SeededRandom(seed: UInt64(writer) + 1)
        for round in 0..<rounds {
            let id = 1_000 * (writer + 1) + round
            try await store.transaction(["users"]) { transaction in
                try await transaction.create("users", Rotation.record(id))
                var taken = Rotation.record(id + 500)
                taken["ssn"] = .string("ssn \(1 + random.below(150))")
                let document = taken
                await expectError(.uniqueViolation, "writer \(writer), round \(round)") {
                    try await transaction.create("users", document)
                }
            }
            let other = 1 + random.below(150)
            try await store.update("users", Rotation.record(other, "by \(writer)"), mode: .replace)
            try await store.update(
                "users", ["id": .int(Int64(other)), "seen": .int(Int64(round))], mode: .merge)
        }
    }

    @Test func `what a reader holds opens after it has moved on beside a rotation`() async throws {
        let place = try TestStore(.log)
        defer { place.remove() }
        let (writer, reader, records) = try await Rotation.openTwice(place)
        let snapshot = try await reader.snapshot()
        try await writer.rotateKey(to: KeyEnvelopeTests.key(1), reencrypt: true)
        try await Rotation.settle(writer)
        #expect(try Rotation.keys(writer) == [2])
        try await reader.refresh()
        #expect(try Rotation.keys(reader) == [1, 2])
        let held = try await snapshot.query("users")
        #expect(held == records)
        let now = try await reader.query("users")
        #expect(now == records)
        snapshot.close()
        try await reader.refresh()
        #expect(try Rotation.keys(reader) == [2])
        try await reader.close()
        try await writer.close()
    }

    @Test(arguments: TestBackend.allCases)
    func `a reader that was locked during a rotation reads when it is unlocked`(
        _ backend: TestBackend
    ) async throws {
        // In memory there is nobody beside.
        if backend == .memory { return }
        let place = try TestStore(backend)
        defer { place.remove() }
        let (writer, reader, records) = try await Rotation.openTwice(place)
        await reader.lock()
        try await writer.rotateKey(to: KeyEnvelopeTests.key(1), reencrypt: true)
        try await Rotation.settle(writer)
        #expect(try Rotation.keys(writer) == [2])
        try await reader.unlock()
        let found = try await reader.query("users")
        #expect(found == records)
        try await reader.close()
        try await writer.close()
    }

    @Test(arguments: TestBackend.allCases)
    func `a store that only reads goes on beside a rotation`(_ backend: TestBackend) async throws {
        // In memory there is nobody beside.
        if backend == .memory { return }
        let place = try TestStore(backend)
        defer { place.remove() }
        let (writer, reader, records) = try await Rotation.openTwice(place)
        let before = try await reader.query("users")
        #expect(before == records)
        try await writer.rotateKey(to: KeyEnvelopeTests.key(1), reencrypt: true)
        try await Rotation.settle(writer)
        let still = try await reader.query("users")
        #expect(still == records)
        try await reader.refresh()
        let after = try await reader.query("users")
        #expect(after == records)
        #expect(try Rotation.sealed(reader).counts.keys.sorted() == [2])
        // Another provider's key, which the reader doesn't have.
        try await writer.rotateKey(to: KeyEnvelopeTests.key(2), reencrypt: true)
        try await Rotation.settle(writer)
        await expectError(.wrongKey) { try await reader.refresh() }
        try await reader.close()
        let second = try await Rotation.open(place, KeyEnvelopeTests.key(2)) {
            $0.isReadOnly = true
        }
        let seen = try await second.query("users")
        #expect(seen == records)
        try await second.close()
        try await writer.close()
    }
}
