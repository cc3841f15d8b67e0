import Foundation
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct StorageOptionsJSONTests {
    private func parse(_ json: String) throws -> StorageOptions {
        try StorageOptions(
            json: Data(json.utf8), keyProviders: ["user_passphrase": .userPassphrase { "secret" }])
    }

    @Test func `the example of the requirements`() throws {
        let options = try parse(
            #"""
            {"storage_backend": "indexeddb", "database_name": "my_app_db", "version": 1,
             "size_limit": 100000000, "eviction_strategy": "lru",
             "encryption": {"enabled": true, "sensitive_fields": ["password"],
                            "encryption_key_provider": "user_passphrase"},
             "storage_schema": [{"name": "users", "key_path": "id",
                "indexes": [{"name": "email", "key_path": "email", "unique": true}]}]}
            """#)
        #expect(options.databaseName == "my_app_db")
        #expect(options.version == 1)
        #expect(options.sizeLimit == 100_000_000)
        #expect(options.evictionStrategy == .lru)
        #expect(options.encryption.isEnabled)
        #expect(options.encryption.sensitiveFields == ["password"])
        #expect(
            options.storageSchema == [
                CollectionSchema(
                    name: "users", keyPath: "id",
                    indexes: [IndexSchema(name: "email", keyPath: "email", unique: true)])
            ])
        guard case .log = options.storageBackend.choice else {
            Issue.record("indexeddb is the log backend")
            return
        }
    }

    @Test func `every setting of a collection`() throws {
        let options = try parse(
            #"""
            {"database_name": "d", "directory": "/tmp/x", "durability": {"periodic": 0.5},
             "is_read_only": true, "transaction_timeout": 2.5, "auto_compaction": false,
             "storage_schema": [
              {"name": "a", "key_path": ["x", "y.z"],
               "relationships": [{"name": "r", "collection": "b", "type": "many-to-one",
                                  "foreign_key": "b_id", "on_delete": "cascade"}]},
              {"name": "b", "auto_key": "sequence", "sensitive_fields": ["s"],
               "tracks_changes": false, "validation": {"type": "object"},
               "eviction_strategy": {"strategy": "max-age", "max_age_days": 7},
               "indexes": [
                {"name": "i", "key_paths": ["p", "q"]},
                {"name": "m", "key_path": "t", "multi_entry": true,
                 "collation": "case-insensitive", "where": {"a": 1}},
                {"name": "f", "key_paths": ["t"], "type": "full-text"}]}]}
            """#)
        #expect(options.directory?.path() == "/tmp/x/")
        #expect(options.durability == .periodic(.milliseconds(500)))
        #expect(options.isReadOnly)
        #expect(options.transactionTimeout == .seconds(2.5))
        #expect(!options.autoCompaction)
        #expect(
            options.storageSchema == [
                CollectionSchema(
                    name: "a", keyPaths: ["x", "y.z"],
                    relationships: [
                        RelationshipSchema(
                            name: "r", collection: "b", type: .manyToOne, foreignKey: "b_id",
                            onDelete: .cascade)
                    ]),
                CollectionSchema(
                    name: "b", autoKey: .sequence,
                    indexes: [
                        IndexSchema(name: "i", keyPaths: ["p", "q"]),
                        IndexSchema(
                            name: "m", keyPath: "t", multiEntry: true,
                            collation: .caseInsensitive, where: ["a": 1]),
                        .fullText(name: "f", keyPaths: ["t"]),
                    ],
                    sensitiveFields: ["s"], evictionPolicy: .maxAge(days: 7),
                    tracksChanges: false, validation: ["type": "object"]),
            ])
    }

    /// Bad options, and what the message must name.
    static let bad: [(json: String, named: String)] = [
        (#"{}"#, "database_name"),
        (#"{"database_name": 5}"#, "database_name"),
        (#"{"database_name": "d", "size_limt": 5}"#, "size_limt"),
        (#"{"database_name": "d", "version": "1"}"#, "version"),
        (#"{"database_name": "d", "storage_backend": "oracle"}"#, "oracle"),
        (#"{"database_name": "d", "eviction_strategy": "mru"}"#, "mru"),
        (#"{"database_name": "d", "eviction_strategy": 5}"#, "eviction_strategy"),
        (#"{"database_name": "d", "durability": "sometimes"}"#, "durability"),
        (#"{"database_name": "d", "durability": {"periodic": -1}}"#, "periodic"),
        (#"{"database_name": "d", "is_read_only": 1}"#, "is_read_only"),
        (#"{"database_name": "d", "encryption": {"enabled": true}}"#, "encryption_key_provider"),
        (
            #"{"database_name": "d", "encryption": {"encryption_key_provider": "kms"}}"#, "kms"
        ),
        (
            #"{"database_name": "d", "encryption": {"encryption_key_provider": "user_passphrase", "encryption_algorithm": "DES"}}"#,
            "DES"
        ),
        (
            #"{"database_name": "d", "encryption": {"encryption_key_provider": "user_passphrase", "encryption_algorithm": "AES-CBC"}}"#,
            "AES-CBC"
        ),
        (#"{"database_name": "d", "storage_schema": [{"key_path": "id"}]}"#, "name"),
        (#"{"database_name": "d", "storage_schema": [{"name": "a", "index": []}]}"#, "index"),
        (
            #"{"database_name": "d", "storage_schema": [{"name": "a", "auto_key": "random"}]}"#,
            "auto_key"
        ),
        (
            #"{"database_name": "d", "storage_schema": [{"name": "a", "key_path": "b", "key_paths": ["c"]}]}"#,
            "key_paths"
        ),
        (
            #"{"database_name": "d", "storage_schema": [{"name": "a", "indexes": [{"name": "i"}]}]}"#,
            "key_path"
        ),
        (
            #"{"database_name": "d", "storage_schema": [{"name": "a", "relationships": [{"name": "r", "collection": "c", "type": "some-to-some", "foreign_key": "f"}]}]}"#,
            "some-to-some"
        ),
    ]

    @Test(arguments: bad)
    func `a bad setting is named`(json: String, named: String) {
        let error = #expect(throws: OfflineError.self) { _ = try parse(json) }
        #expect(error?.code == .invalidOptions)
        #expect(error?.message.contains(named) == true, "\(error?.message ?? "")")
    }

    static let algorithms: [(String, EncryptionOptions.Algorithm)] = [
        ("XChaCha20-Poly1305", .xchacha20Poly1305), ("ChaCha20", .xchacha20Poly1305),
        ("AES-GCM", .aes256GCM),
    ]

    @Test(arguments: algorithms)
    func `a cipher has its names`(
        _ name: String, _ algorithm: EncryptionOptions.Algorithm
    ) throws {
        let options = try parse(
            #"{"database_name": "d", "encryption": {"encryption_key_provider": "user_passphrase", "encryption_algorithm": "\#(name)"}}"#
        )
        #expect(options.encryption.encryptionAlgorithm == algorithm)
    }

    @Test func `text that is no JSON is invalidJSON`() {
        let error = #expect(throws: OfflineError.self) { _ = try parse("{") }
        #expect(error?.code == .invalidJSON)
    }

    @Test func `policies as objects`() throws {
        #expect(try EvictionPolicy(["strategy": "max-age", "max_age_days": 7]) == .maxAge(days: 7))
        #expect(
            try EvictionPolicy(["strategy": "ttl", "max_age_days": 0.5])
                == .maxAge(.seconds(43_200)))
        #expect(
            try EvictionPolicy(["strategy": "size", "max_size_bytes": 10]) == .maxSize(bytes: 10))
        #expect(try EvictionPolicy(["strategy": "lru"]) == .lru)
        #expect(try EvictionPolicy(["strategy": "lfu", "max_records": 5]) == .lfu(maxRecords: 5))
        #expect(try EvictionPolicy(["strategy": "fifo"]) == .fifo)
        #expect(try EvictionPolicy(["strategy": "none"]) == .none)
        let bad: [Document] = [
            [:], ["strategy": "max-age"], ["strategy": "max-size", "max_size_bytes": 0],
            ["strategy": "lru", "max_age_days": 1], ["strategy": "x"],
            ["strategy": "max-age", "max_age_days": .double(.nan)],
        ]
        for document in bad {
            let error = #expect(throws: OfflineError.self) { _ = try EvictionPolicy(document) }
            #expect(error?.code == .invalidOptions)
        }
    }
}
