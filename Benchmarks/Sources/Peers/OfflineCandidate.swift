// The store itself, through its public API, with its log backend.
internal import Foundation
internal import OfflineKit

/// Documents are built from the application's values and read field by field by name.
final class OfflineCandidate: Candidate {
    let name = "offline"
    private let directory: URL
    private var store: OfflineStore?
    private let collection = "people"

    init(directory: String) {
        self.directory = URL(filePath: directory, directoryHint: .isDirectory)
    }

    func open(_ durability: CommitDurability) async throws {
        store = try await OfflineStore.open(
            StorageOptions(
                databaseName: "people",
                directory: directory,
                storageSchema: [
                    CollectionSchema(
                        name: collection,
                        indexes: [
                            IndexSchema(name: "byRole", keyPath: "role"),
                            IndexSchema(name: "byAge", keyPath: "age"),
                            IndexSchema(name: "byScore", keyPath: "score"),
                        ])
                ],
                durability: durability == .full ? .full : .relaxed))
    }

    func close() async throws {
        try await store?.close()
        store = nil
    }

    private func opened() throws -> OfflineStore {
        guard let store else { throw BenchError("offline is not open") }
        return store
    }
}

// MARK: - Writing

extension OfflineCandidate {
    func insertBatch(_ people: [Person]) async throws {
        try await opened().createBatch(collection, people.map(OfflineCandidate.document))
    }

    func insertEach(_ people: [Person]) async throws {
        let store = try opened()
        for person in people {
            try await store.create(collection, OfflineCandidate.document(person))
        }
    }

    func deleteBatch(_ keys: [String]) async throws {
        try await opened().deleteBatch(collection, keys)
    }

    private static func document(_ person: Person) -> Document {
        [
            "id": .string(person.id), "name": .string(person.name), "email": .string(person.email),
            "role": .string(person.role), "age": .int(Int64(person.age)),
            "score": .double(person.score), "active": .bool(person.active),
            "city": .string(person.city), "createdAt": .int(Int64(person.createdAt)),
            "bio": .string(person.bio),
        ]
    }
}

// MARK: - Reading

extension OfflineCandidate {
    func readTwoFields(_ keys: [String]) async throws -> Digest {
        let store = try opened()
        var digest = Digest()
        for key in keys {
            guard let document = try await store.get(collection, key) else { continue }
            digest.add(document["email"]?.stringValue ?? "")
            digest.add(document["createdAt"]?.intValue ?? 0)
        }
        return digest
    }

    func readAll(_ keys: [String]) async throws -> Digest {
        let store = try opened()
        var digest = Digest()
        for key in keys {
            guard let document = try await store.get(collection, key) else { continue }
            digest.add(OfflineCandidate.person(document))
        }
        return digest
    }

    func readRanges(from bounds: [Double], limit: Int) async throws -> Digest {
        let store = try opened()
        var digest = Digest()
        for bound in bounds {
            let query = Query(
                filters: Field("score") >= bound, sort: [.ascending("score")], limit: limit)
            try await addPeople(query, store, to: &digest)
        }
        return digest
    }

    func countRanges(_ ranges: [Range<Double>]) async throws -> Digest {
        let store = try opened()
        var digest = Digest()
        for range in ranges {
            let filter = Field("score") >= range.lowerBound && Field("score") < range.upperBound
            digest.add(try await store.count(collection, filter))
        }
        return digest
    }

    func readPages(at offsets: [Int], limit: Int) async throws -> Digest {
        let store = try opened()
        var digest = Digest()
        for offset in offsets {
            let query = Query(sort: [.ascending("score")], limit: limit, offset: offset)
            try await addPeople(query, store, to: &digest)
        }
        return digest
    }

    func readFiltered(_ queries: [RoleQuery]) async throws -> Digest {
        let store = try opened()
        var digest = Digest()
        for query in queries {
            let filter = Field("role") == query.role && Field("age") > query.olderThan
            let query = Query(filters: filter, sort: [.ascending("name")], limit: 10)
            try await addPeople(query, store, to: &digest)
        }
        return digest
    }

    func countScanned(createdAfter moments: [Int]) async throws -> Digest {
        let store = try opened()
        var digest = Digest()
        for moment in moments {
            digest.add(try await store.count(collection, Field("createdAt") > moment))
        }
        return digest
    }

    func person(_ key: String) async throws -> Person? {
        try await opened().get(collection, key).map(OfflineCandidate.person)
    }

    func count() async throws -> Int { try await opened().count(collection) }

    private func addPeople(_ query: Query, _ store: OfflineStore, to digest: inout Digest)
        async throws
    {
        for document in try await store.query(collection, query) {
            digest.add(OfflineCandidate.person(document))
        }
    }

    private static func person(_ document: Document) -> Person {
        Person(
            id: document["id"]?.stringValue ?? "", name: document["name"]?.stringValue ?? "",
            email: document["email"]?.stringValue ?? "", role: document["role"]?.stringValue ?? "",
            age: document["age"]?.intValue ?? 0, score: document["score"]?.doubleValue ?? 0,
            active: document["active"]?.boolValue ?? false,
            city: document["city"]?.stringValue ?? "",
            createdAt: document["createdAt"]?.intValue ?? 0,
            bio: document["bio"]?.stringValue ?? "")
    }
}
