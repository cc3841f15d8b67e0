import Foundation
import Testing

@testable import OfflineKit

@Suite struct TypedCollectionTests {
    private struct Address: Codable, Sendable, Equatable {
        var city: String
        var since: Date?
    }
    private struct User: Codable, Sendable, Equatable {
        var id: String?
        var name: String
        var age: Int?
        var address: Address?
        var photo: Data?
    }
    private struct Order: Codable, Sendable, Equatable {
        var id: Int
        var user_id: String
    }
    private struct UserWithOrders: Codable, Sendable {
        var name: String
        var orders: [Order]
    }

    private static let schema = [
        CollectionSchema(
            name: "users",
            relationships: [
                RelationshipSchema(
                    name: "orders", collection: "orders", type: .oneToMany, foreignKey: "user_id")
            ]), CollectionSchema(name: "orders", autoKey: .sequence),
    ]

    @Test(arguments: TestBackend.allCases)
    func `values come back as they went in`(backend: TestBackend) async throws {
        try await TestStore.with(backend, Self.schema) { store in
            let users = store.collection("users", of: User.self)
            let ada = User(
                id: "a", name: "Ada", age: 36,
                address: Address(city: "London", since: Date(timeIntervalSince1970: 1.5)),
                photo: Data([0, 255]))
            let created = try await users.create(ada)
            let read = try await users.get("a")
            #expect(created == ada && read == ada)
            let absent = try await users.get("b")
            #expect(absent == nil)
            let all = try await users.query()
            let old = try await users.query(Query(filters: Field("age") > 36))
            #expect(all == [ada] && old == [])
            var older = ada
            older.age = 37
            let replaced = try await users.upsert(older)
            #expect(replaced == older)
            let wasThere = try await users.delete("a")
            let isThere = try await users.delete("a")
            #expect(wasThere && !isThere)
        }
    }

    @Test func `a generated key comes back in the value`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            let users = store.collection("users", of: User.self)
            let ada = try await users.create(User(name: "Ada"))
            let id = try #require(ada.id)
            let read = try await users.get(id)
            #expect(read == ada)
        }
    }

    @Test func `a replace drops unknown fields, a merge keeps them`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            let users = store.collection("users", of: User.self)
            try await store.create("users", ["id": "a", "name": "Ada", "age": 3, "extra": true])
            let merged = try await users.update(User(id: "a", name: "Eve"), mode: .merge)
            #expect(merged == User(id: "a", name: "Eve", age: 3))
            #expect(try await store.get("users", "a")?["extra"] == true)
            let replaced = try await users.update(User(id: "a", name: "Eva"))
            #expect(replaced == User(id: "a", name: "Eva"))
            #expect(try await store.get("users", "a") == ["id": "a", "name": "Eva"])
            await expectError(.notFound) { try await users.update(User(id: "b", name: "")) }
        }
    }

    @Test func `included relationships are properties`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            try await store.create("users", ["id": "a", "name": "Ada"])
            try await store.createBatch("orders", [["user_id": "a"], ["user_id": "a"]])
            let users = store.collection("users", of: UserWithOrders.self)
            let found = try await users.query(Query(include: ["orders"]))
            #expect(
                found.map(\.orders) == [[Order(id: 1, user_id: "a"), Order(id: 2, user_id: "a")]])
        }
    }

    @Test func `what doesn't decode says where`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            let users = store.collection("users", of: User.self)
            try await store.create("users", ["id": "a", "name": "Ada", "address": ["city": 3]])
            let error = await expectError(.invalidDocument) { _ = try await users.get("a") }
            #expect(error?.collection == "users")
            #expect(error?.message.contains("address.city") == true)
            await expectError(.invalidDocument) { _ = try await users.query() }
            let nowhere = store.collection("nowhere", of: User.self)
            await expectError(.unknownCollection) { _ = try await nowhere.query() }
        }
    }
}
