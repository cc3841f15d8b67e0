import OfflineBytes
import OfflineDocuments

@testable import OfflineKit

/// What a store with one collection must do, as plainly as it can be said: a dictionary, and a
/// unique field "u".
struct ModelStore: Equatable {
    private(set) var records: [Value: Document] = [:]

    /// All records in the order of their keys.
    var sorted: [Document] {
        records.sorted { ByteOrder.compare(KeyEncoder.key($0.key), KeyEncoder.key($1.key)) < 0 }
            .map(\.value)
    }

    enum Operation {
        case create([Document])
        case update([Document], UpdateMode)
        case upsert(Document)
        case delete([Value])
    }

    /// Does all or nothing; the code of the error, nil if there is none.
    mutating func apply(_ operation: Operation) -> OfflineError.Code? {
        var changed = records
        switch operation {
        case .create(let documents):
            for document in documents {
                guard let key = document["id"] else { return .invalidDocument }
                if changed[key] != nil { return .alreadyExists }
                changed[key] = document
            }
        case .update(let documents, let mode):
            var seen: Set<Value> = []
            for document in documents {
                guard let key = document["id"] else { return .invalidDocument }
                guard let old = records[key] else { return .notFound }
                seen.insert(key)
                var new = mode == .merge ? old : Document()
                for (name, value) in document { new[name] = value }
                changed[key] = new
            }
            // Found last: an absent record is reported first.
            if seen.count < documents.count { return .invalidDocument }
        case .upsert(let document):
            guard let key = document["id"] else { return .invalidDocument }
            changed[key] = document
        case .delete(let keys):
            for key in keys { changed[key] = nil }
        }
        var values: Set<Value> = []
        for record in changed.values {
            guard let value = record["u"], !value.isNull else { continue }
            if !values.insert(value).inserted { return .uniqueViolation }
        }
        records = changed
        return nil
    }

    /// A random operation, often a wrong one.
    static func operation(_ random: inout SeededGenerator) -> Operation {
        func document() -> Document {
            var document: Document = ["id": key()]
            if random.chance(2, in: 3) { document["u"] = .int(Int64(random.below(30))) }
            if random.chance(1, in: 8) { document["u"] = .null }
            if random.chance(1, in: 2) { document["n"] = .double(Double(random.below(9)) / 2) }
            if random.chance(1, in: 4) {
                document["a"] = [.int(Int64(random.below(3))), "x", "X", .string(text(3))]
            }
            if random.chance(1, in: 3) { document["t"] = .string(text(random.below(5))) }
            if random.chance(1, in: 20) { document["f\(random.below(40))"] = true }
            if random.chance(1, in: 30) {
                document["u"] = .string(
                    String(repeating: "l", count: 600) + "\(random.below(3))")
            }
            return document
        }
        func text(_ count: Int) -> String {
            (0..<count).map { _ in ["one", "Two", "TWO", "ß", "東京"][random.below(5)] }
                .joined(separator: " ")
        }
        func key() -> Value {
            random.chance(1, in: 4)
                ? .string("k\(random.below(20))") : .int(Int64(random.below(25)))
        }
        func several<T>(_ make: () -> T) -> [T] {
            let count = random.chance(1, in: 3) ? random.below(6) : 1
            return (0..<count).map { _ in make() }
        }
        switch random.below(10) {
        case 0..<4: return .create(several(document))
        case 4..<7: return .update(several(document), random.chance(1, in: 2) ? .merge : .replace)
        case 7: return .upsert(document())
        default: return .delete(several(key))
        }
    }
}

extension StoreWriter {
    /// Does it to collection "c"; the code of the error, nil if there is none.
    func apply(_ operation: ModelStore.Operation) async throws -> OfflineError.Code? {
        do {
            switch operation {
            case .create(let documents) where documents.count == 1:
                try await create("c", documents[0])
            case .create(let documents): try await createBatch("c", documents)
            case .update(let documents, let mode) where documents.count == 1:
                try await update("c", documents[0], mode: mode)
            case .update(let documents, let mode):
                try await updateBatch("c", documents, mode: mode)
            case .upsert(let document): try await upsert("c", document)
            case .delete(let keys) where keys.count == 1: try await delete("c", keys[0])
            case .delete(let keys): try await deleteBatch("c", keys)
            }
        } catch let error as OfflineError {
            return error.code
        }
        return nil
    }
}
