import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct SnapshotTests {
    @Test(arguments: TestBackend.allCases)
    func `a snapshot doesn't change and reads without suspension`(backend: TestBackend) async throws
    {
        try await TestStore.with(backend) { store in
            try await store.create("users", ["id": "a", "n": 1])
            let snapshot = try await store.snapshot()
            try await store.update("users", ["id": "a", "n": 2])
            try await store.create("users", ["id": "b", "fresh": true])
            func read() throws -> ([Document], Document?) {
                (try snapshot.query("users", Query()), try snapshot.get("users", "b"))
            }
            let (users, missing) = try read()
            #expect(users == [["id": "a", "n": 1]])
            #expect(missing == nil)
            #expect(try await snapshot.count("users") == 1)
            #expect(try await snapshot.get("users", "a")?["n"] == 1)
            #expect(try await store.count("users") == 2)
        }
    }

    @Test func `a closed snapshot says so`() async throws {
        try await TestStore.with { store in
            let snapshot = try await store.snapshot()
            snapshot.close()
            snapshot.close()
            await expectError(.notOpen) { _ = try snapshot.query("users", Query()) }
            await expectError(.notOpen) { _ = try await snapshot.count("users") }
        }
    }
}
