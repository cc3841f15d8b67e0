// The usage examples of the requirements, in Swift: records, queries, batches, transactions, relationships, migrations, typed
// values. The demo runs them, and OfflineKitTests asserts what they do, on every backend.
internal import Foundation
internal import OfflineKit

/// Each on a store with the schema below.
enum SeedExamples {
    static let schema = [
        CollectionSchema(
            name: "users", keyPath: "id",
            indexes: [
                IndexSchema(name: "email", keyPath: "email", unique: true),
                IndexSchema(name: "name", keyPath: "name"),
            ],
            relationships: [
                RelationshipSchema(
                    name: "orders", collection: "orders", type: .oneToMany, foreignKey: "user_id")
            ]),
        CollectionSchema(
            name: "orders", keyPath: "id",
            indexes: [
                IndexSchema(name: "user_id", keyPath: "user_id"),
                IndexSchema(name: "date", keyPath: "date"),
            ],
            relationships: [
                RelationshipSchema(
                    name: "user", collection: "users", type: .manyToOne, foreignKey: "user_id"),
                RelationshipSchema(
                    name: "items", collection: "order_items", type: .oneToMany,
                    foreignKey: "order_id"),
            ]),
        CollectionSchema(name: "order_items"), CollectionSchema(name: "products"),
        CollectionSchema(name: "logs"), CollectionSchema(name: "cache"),
        CollectionSchema(name: "temp_data"),
    ]

    /// Setup and configuration.
    static func setUp(in directory: URL, passphrase: String) async throws -> OfflineStore {
        let options = StorageOptions(
            databaseName: "my_app_db",
            directory: directory,
            version: 1,
            storageBackend: try StorageBackendOption(named: "indexeddb"),
            sizeLimit: 100_000_000,
            evictionStrategy: .lru,
            encryption: EncryptionOptions(
                enabled: true,
                sensitiveFields: ["password", "credit_card", "ssn"],
                encryptionKeyProvider: .userPassphrase { passphrase }),
            storageSchema: schema)
        let store = OfflineStore(options)
        try await store.initialize()
        return store
    }

    /// Other backends, another algorithm, the same settings as JSON.
    static func variants(in directory: URL) async throws -> [StorageOptions] {
        [
            StorageOptions(
                databaseName: "a", directory: directory,
                storageBackend: try StorageBackendOption(named: "websql")),
            StorageOptions(
                databaseName: "b", directory: directory,
                storageBackend: try StorageBackendOption(named: "localstorage")),
            StorageOptions(
                databaseName: "c", directory: directory,
                encryption: EncryptionOptions(
                    enabled: true, sensitiveFields: ["password", "ssn", "credit_card"],
                    encryptionKeyProvider: .userPassphrase { "correct horse" },
                    encryptionAlgorithm: .aes256GCM)),
            try StorageOptions(
                json: Data(
                    #"{"storage_backend": "indexeddb", "database_name": "my_app_db", "version": 1, "size_limit": 100000000, "eviction_strategy": "lru", "encryption": {"enabled": true, "sensitive_fields": ["password"], "encryption_key_provider": "user_passphrase"}, "storage_schema": [{"name": "users", "key_path": "id", "indexes": [{"name": "email", "key_path": "email", "unique": true}]}]}"#
                        .utf8),
                keyProviders: ["user_passphrase": .userPassphrase { "correct horse" }]),
        ]
    }

    static func crud(_ store: OfflineStore) async throws {
        try await store.create(
            "users",
            [
                "id": "user123", "name": "John Doe", "email": "john@example.com",
                "role": "customer",
            ])
        guard var user = try await store.get("users", "user123") else { return }
        user["role"] = "admin"
        try await store.update("users", user)
        try await store.delete("users", "user123")
    }

    static func querying(_ store: OfflineStore) async throws -> [[Document]] {
        let admins = try await store.query("users", Query(filters: ["role": "admin"]))
        let recent = try await store.query(
            "users",
            Query(
                filters: ["role": "admin", "created_at": ["$gt": "2023-01-01"]],
                sort: [Sort(field: "name", direction: .ascending)],
                limit: 10, offset: 0))
        let orders = try await store.query(
            "orders",
            Query(
                filters: ["user_id": "user123", "status": "pending"],
                sort: [.descending("date")],
                include: ["user", "items"]))
        let adults = try await store.query(
            "users",
            Query(filters: Field("age") >= 18 && Field("role").isIn(["admin", "editor"])))
        let fromJSON = try await store.query(
            "users",
            try Query(
                json: Data(
                    #"{"filters": {"role": "admin"}, "sort": [{"field": "name", "direction": "asc"}], "limit": 10, "offset": 0}"#
                        .utf8)))
        return [admins, recent, orders, adults, fromJSON]
    }

    static func batches(_ store: OfflineStore) async throws {
        try await store.createBatch(
            "users",
            [
                ["id": "user1", "name": "Alice", "email": "alice@example.com"],
                ["id": "user2", "name": "Bob", "email": "bob@example.com"],
                ["id": "user3", "name": "Charlie", "email": "charlie@example.com"],
            ])
        try await store.updateBatch(
            "users",
            [
                ["id": "user1", "role": "admin"], ["id": "user2", "role": "editor"],
                ["id": "user3", "role": "viewer"],
            ])
        try await store.deleteBatch("users", ["user1", "user2", "user3"])
    }

    static func transactions(_ store: OfflineStore) async throws {
        let transaction = try await store.beginTransaction(["users", "orders"])
        do {
            try await transaction.create(
                "users", ["id": "user123", "name": "John Doe", "email": "john@example.com"])
            try await transaction.create(
                "orders", ["id": "order456", "user_id": "user123", "total": 99.99])
            try await transaction.commit()
        } catch {
            try await transaction.rollback()
            print("Transaction failed: \(error)")
        }
        try await store.transaction(["users", "orders"]) { tx in
            try await tx.delete("orders", "order456")
        }
    }

    static func changes(_ store: OfflineStore) async throws -> ([Change], [Change]) {
        let changes = try await store.getChanges()
        let userChanges = try await store.getChanges("users")
        try await store.markSynchronized(changes)
        return (changes, userChanges)
    }

    static func relationships(_ store: OfflineStore) async throws -> (Document?, Document?) {
        let userWithOrders = try await store.get("users", "user123", include: ["orders"])
        let order = try await store.get("orders", "order456", include: ["user", "items"])
        return (userWithOrders, order)
    }

    /// On a store with the collections `temp_data`, `cache` and `logs`.
    static func storageManagement(_ store: OfflineStore) async throws -> StorageInfo {
        let usage = try await store.getStorageInfo()
        try await store.clear(["temp_data", "cache"])
        try await store.setEvictionPolicy("logs", .maxAge(days: 7))
        try await store.setEvictionPolicy("cache", .maxSize(bytes: 10_000_000))
        try await store.setEvictionPolicy(
            "logs", try EvictionPolicy(["strategy": "max-age", "max_age_days": 7]))
        try await store.compact()
        return usage
    }

    struct AddUserPreferences: Migration {
        let version = 2
        func up(_ store: any StoreWriter) async throws {
            for var user in try await store.query("users") where user["preferences"] == nil {
                user["preferences"] = ["theme": "light", "notifications": true]
                try await store.update("users", user)
            }
        }
        func down(_ store: any StoreWriter) async throws {
            for var user in try await store.query("users") where user["preferences"] != nil {
                user["preferences"] = nil
                try await store.update("users", user)
            }
        }
    }

    /// Over a store that version 1 of the application has made.
    static func migrated(in directory: URL) async throws -> OfflineStore {
        try await OfflineStore.open(
            StorageOptions(
                databaseName: "my_app_db", directory: directory, version: 2, storageSchema: schema,
                migrationManager: MigrationManager([AddUserPreferences()])))
    }

    struct User: Codable, Sendable {
        var id: String
        var name: String
    }

    static func typed(_ store: OfflineStore) async throws -> User? {
        let users = store.collection("users", of: User.self)
        try await users.create(User(id: "u", name: "n"))
        let id = "u"
        return try await users.get(id)
    }
}
