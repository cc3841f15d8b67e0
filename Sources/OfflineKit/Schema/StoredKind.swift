// What a collection of the backend is for. Its stored definition says so:
//
//     {"version": 1, "derivation": 1, "name": …}           an application's records (StoredDefinition)
//     {"version": 1, "kind": "changes", "of": 3, "from": 17}   the changes of collection 3, tracked since sequence 17
//     {"version": 1, "kind": "access", "of": 3, "order": "used"}   when the records of collection 3 were used (AccessEntry)
//     {"version": 1, "kind": "store"}                      the store's own records (StoreRecords)
internal import Foundation
import OfflineDocuments

/// The use of a collection of the backend.
enum StoredKind: Equatable, Sendable {
    case records(StoredDefinition)
    /// `from`: sequences below may be missing, because changes weren't tracked.
    case changes(of: CollectionID, from: UInt64)
    /// `order`: what its tree is sorted by; none: nothing is kept now.
    case access(of: CollectionID, order: AccessOrder)
    case store

    /// The stored form.
    var bytes: [UInt8] {
        var document: Document = ["version": .int(Int64(StoredDefinition.version))]
        switch self {
        case .records(let definition): return definition.bytes
        case .changes(let owner, let from):
            document["kind"] = "changes"
            document["of"] = .int(Int64(owner.value))
            document["from"] = .int(Int64(clamping: from))
        case .access(let owner, let order):
            document["kind"] = "access"
            document["of"] = .int(Int64(owner.value))
            document["order"] = .string(order.rawValue)
        case .store:
            document["kind"] = "store"
        }
        return Array(document.json().utf8)
    }

    /// Reads the stored form. Throws `.unsupportedFormat` for a newer version, `.corrupted` for anything else than a
    /// definition.
    init(_ bytes: [UInt8]) throws {
        guard let document = try? Document(json: Data(bytes)), document["kind"] != nil else {
            self = .records(try StoredDefinition(bytes))
            return
        }
        var fields = OptionFields(document, of: "definition")
        do {
            try StoredDefinition.checkVersion(&fields)
            switch try fields.string("kind") {
            case "changes":
                guard let owner = try fields.positive("of").flatMap({ UInt32(exactly: $0) }),
                    let from = try fields.integer("from").flatMap({ UInt64(exactly: $0) })
                else { throw fields.missing("of or from") }
                self = .changes(of: CollectionID(owner), from: from)
            case "access":
                guard let owner = try fields.positive("of").flatMap({ UInt32(exactly: $0) }),
                    let order = AccessOrder(rawValue: try fields.string("order"))
                else { throw fields.missing("of or order") }
                self = .access(of: CollectionID(owner), order: order)
            case "store": self = .store
            case let kind: throw fields.wrong("kind", "is unknown: \(kind)")
            }
            try fields.finish()
        } catch let error as OfflineError where error.code == .unsupportedFormat {
            throw error
        } catch {
            throw OfflineError(.corrupted, "a collection's stored definition: \(error)")
        }
    }
}
