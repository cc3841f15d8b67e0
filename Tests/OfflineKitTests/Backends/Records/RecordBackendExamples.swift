// Two record backends: one in memory that makes changes together, and a folder with a file a record that can't.
import Foundation
import OfflineBytes
import OfflineKit

/// Records in a dictionary.
final class MemoryRecords: AtomicRecordBackend {
    struct Broken: Error, CustomStringConvertible {
        var description: String { "the network is down" }
    }
    struct State {
        var collections: [String: [[UInt8]: [UInt8]]] = [:]
        var isOpen = false
        /// How many more changes succeed; nil: all.
        var changesLeft: Int?
    }
    let state = Protected(State())

    func initialize(_ configuration: RecordBackendConfiguration) async throws {
        state.withLock { $0.isOpen = true }
    }

    func close() async throws { state.withLock { $0.isOpen = false } }

    func get(_ collection: String, key: [UInt8]) async throws -> [UInt8]? {
        state.withLock { $0.collections[collection]?[key] }
    }

    func scan(
        _ collection: String, _ visit: (_ key: [UInt8], _ record: [UInt8]) throws -> Void
    ) async throws {
        for (key, record) in state.withLock({ $0.collections[collection] ?? [:] }) {
            try visit(key, record)
        }
    }

    func apply(_ changes: [RecordBackendChange]) async throws {
        try state.withLock { state in
            var collections = state.collections
            for change in changes {
                if let left = state.changesLeft {
                    state.changesLeft = left - 1
                    if left <= 0 { throw Broken() }
                }
                try Self.make(change, in: &collections)
            }
            state.collections = collections
        }
    }

    private static func make(
        _ change: RecordBackendChange, in collections: inout [String: [[UInt8]: [UInt8]]]
    ) throws {
        // What is asked for must fit what is there.
        switch change {
        case .create(let collection, let key, let record):
            let old = collections[collection, default: [:]].updateValue(record, forKey: key)
            if old != nil { throw Broken() }
        case .update(let collection, let key, let record):
            let old = collections[collection, default: [:]].updateValue(record, forKey: key)
            if old == nil { throw Broken() }
        case .delete(let collection, let key):
            if collections[collection]?.removeValue(forKey: key) == nil { throw Broken() }
        }
    }
}

/// The same, without changes made together.
final class SingleRecords: RecordBackend {
    let records = MemoryRecords()

    func initialize(_ configuration: RecordBackendConfiguration) async throws {
        try await records.initialize(configuration)
    }
    func create(_ collection: String, key: [UInt8], record: [UInt8]) async throws {
        try await records.create(collection, key: key, record: record)
    }
    func get(_ collection: String, key: [UInt8]) async throws -> [UInt8]? {
        try await records.get(collection, key: key)
    }
    func update(_ collection: String, key: [UInt8], record: [UInt8]) async throws {
        try await records.update(collection, key: key, record: record)
    }
    func delete(_ collection: String, key: [UInt8]) async throws {
        try await records.delete(collection, key: key)
    }
    func scan(
        _ collection: String, _ visit: (_ key: [UInt8], _ record: [UInt8]) throws -> Void
    ) async throws { try await records.scan(collection, visit) }
    func close() async throws { try await records.close() }
}

/// A folder a collection, a file a record, named by the key in hexadecimal digits; a long key is folders within folders.
final class FolderRecords: RecordBackend {
    private let folder = Protected("")

    func initialize(_ configuration: RecordBackendConfiguration) async throws {
        folder.withLock { $0 = configuration.path }
    }

    func close() async throws {}

    private func url(_ collection: String) -> URL {
        URL(fileURLWithPath: folder.withLock { $0 }).appending(path: collection)
    }

    private func url(_ collection: String, _ key: [UInt8]) -> URL {
        var digits = Substring(key.map { String(format: "%02x", $0) }.joined())
        var url = url(collection)
        while digits.count > 200 {
            url.append(path: digits.prefix(200))
            digits = digits.dropFirst(200)
        }
        return url.appending(path: digits + ".record")
    }

    func create(_ collection: String, key: [UInt8], record: [UInt8]) async throws {
        try await update(collection, key: key, record: record)
    }

    func update(_ collection: String, key: [UInt8], record: [UInt8]) async throws {
        let file = url(collection, key)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(record).write(to: file, options: .atomic)
    }

    func get(_ collection: String, key: [UInt8]) async throws -> [UInt8]? {
        (try? Data(contentsOf: url(collection, key))).map { Array($0) }
    }

    func delete(_ collection: String, key: [UInt8]) async throws {
        try FileManager.default.removeItem(at: url(collection, key))
    }

    func scan(
        _ collection: String, _ visit: (_ key: [UInt8], _ record: [UInt8]) throws -> Void
    ) async throws {
        let path = url(collection).path(percentEncoded: false)
        for name in FileManager.default.subpaths(atPath: path) ?? []
        where name.hasSuffix(".record") {
            let digits = Array(name.dropLast(7).filter { $0 != "/" })
            let key = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
                UInt8(String(digits[$0...$0 + 1]), radix: 16)
            }
            let record = try Data(contentsOf: URL(fileURLWithPath: path + "/" + name))
            try visit(key, Array(record))
        }
    }
}
