import Foundation
import OfflineKit
import Synchronization

/// Records in one file: a line of JSON for each commit, and all that the lines say in memory.
final class MyCustomStorage: AtomicRecordBackend {
    /// What a line has a list of; without a record: the key is removed.
    private struct Change: Codable {
        var collection: String
        var key: Data
        var record: Data?
    }
    private struct Contents {
        var collections: [String: [[UInt8]: [UInt8]]] = [:]
        /// Nil: closed, or opened for reading.
        var file: FileHandle?
        /// The bytes of all whole lines.
        var size: UInt64 = 0

        mutating func take(_ changes: [Change]) {
            for change in changes {
                let record = change.record.map { [UInt8]($0) }
                collections[change.collection, default: [:]][[UInt8](change.key)] = record
            }
        }
    }
    private let contents = Mutex(Contents())

    func initialize(_ configuration: RecordBackendConfiguration) async throws {
        let folder = URL(filePath: configuration.path)
        let url = folder.appending(path: "records.jsonl")
        if !configuration.isReadOnly {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        try contents.withLock { contents in
            contents = Contents()
            let data = (try? Data(contentsOf: url)) ?? Data()
            // A last line without its end was torn by a crash: its commit never returned.
            while let end = data[Int(contents.size)...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = data[Int(contents.size)..<end]
                contents.take(try JSONDecoder().decode([Change].self, from: line))
                contents.size = UInt64(end + 1)
            }
            guard !configuration.isReadOnly else { return }
            if data.isEmpty { try Data().write(to: url) }
            contents.file = try FileHandle(forUpdating: url)
            try contents.file?.truncate(atOffset: contents.size)
        }
    }

    func apply(_ changes: [RecordBackendChange]) async throws {
        let changes = changes.map { change in
            switch change {
            case .create(let collection, let key, let record),
                .update(let collection, let key, let record):
                Change(collection: collection, key: Data(key), record: Data(record))
            case .delete(let collection, let key):
                Change(collection: collection, key: Data(key))
            }
        }
        let line = try JSONEncoder().encode(changes) + Data("\n".utf8)
        try contents.withLock { contents in
            guard let file = contents.file else { throw CocoaError(.fileWriteNoPermission) }
            do {
                try file.seek(toOffset: contents.size)
                try file.write(contentsOf: line)
                try file.synchronize()
            } catch {
                // A commit that fails leaves nothing.
                try file.truncate(atOffset: contents.size)
                throw error
            }
            contents.size += UInt64(line.count)
            contents.take(changes)
        }
    }

    func get(_ collection: String, key: [UInt8]) async throws -> [UInt8]? {
        contents.withLock { $0.collections[collection]?[key] }
    }

    func scan(
        _ collection: String, _ visit: (_ key: [UInt8], _ record: [UInt8]) throws -> Void
    ) async throws {
        for (key, record) in contents.withLock({ $0.collections[collection] ?? [:] }) {
            try visit(key, record)
        }
    }

    func close() async throws {
        try contents.withLock { contents in
            try contents.file?.close()
            contents.file = nil
        }
    }
}
