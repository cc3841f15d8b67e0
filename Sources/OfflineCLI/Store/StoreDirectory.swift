// Names for the numbers in a store's files: the collections and their dictionaries, taken from catalogs and from the log.
//
// A dictionary only grows, and an id never changes its name. So there are two of each collection:
// - the longest known reads every record, wherever it is;
// - the running one is that of the log at the place where a log file is being read: it begins with the catalog at the
//   file's head and grows by the commits. It becomes the longest where the log is ahead of all catalogs.
internal import OfflineBytes
internal import OfflineDocuments
internal import OfflineEngine
internal import OfflineKit

/// The collections and dictionaries known so far.
struct StoreDirectory {
    private(set) var collections: [UInt32: CollectionSummary] = [:]
    private var longest: [UInt32: NameDictionary] = [:]
    private var running: [UInt32: NameDictionary] = [:]

    /// Takes in a catalog.
    mutating func add(_ catalog: Catalog) {
        for collection in catalog.collections {
            collections[collection.id] = CollectionSummary(collection)
            note(NameDictionary(collection.names), of: collection.id)
        }
    }

    /// Begins the running dictionaries: what is read next is the log behind this catalog.
    mutating func beginLog(at catalog: Catalog) {
        for collection in catalog.collections {
            if collections[collection.id] == nil {
                collections[collection.id] = CollectionSummary(collection)
            }
            running[collection.id] = NameDictionary(collection.names)
            note(NameDictionary(collection.names), of: collection.id)
        }
    }

    /// Forgets the running dictionaries: what is read next tells no catalog.
    mutating func leaveLog() { running = [:] }

    /// Names that a commit appended. Where no dictionary is running, nothing says what they are appended to.
    mutating func extend(_ collection: UInt32, with more: [String]) {
        guard let grown = running[collection]?.appending(more) else { return }
        running[collection] = grown
        note(grown, of: collection)
    }

    private mutating func note(_ names: NameDictionary, of collection: UInt32) {
        if names.count > longest[collection]?.count ?? -1 { longest[collection] = names }
    }

    func name(of collection: UInt32) -> String {
        collections[collection]?.name ?? "collection \(collection)"
    }

    /// The index with a tree; nil where no definition tells.
    func index(_ tree: UInt32, of collection: UInt32) -> CollectionSummary.Index? {
        collections[collection]?.indexes.first { $0.number == tree }
    }

    func treeName(_ tree: UInt32, of collection: UInt32) -> String {
        collections[collection]?.treeName(tree) ?? (tree == 0 ? "records" : "index \(tree)")
    }

    /// What a put of the collection stores, from bytes that may be anything: a record's fields, and its latest change where it
    /// has one; or what is known of a record's changes, or of its uses.
    func content(
        _ stored: [UInt8], of collection: UInt32
    ) throws(OfflineError) -> (fields: Document, change: Document?) {
        switch collections[collection]?.kind {
        case .changes(let owner):
            let entry = try unsafe stored.withBytes { bytes throws(OfflineError) in
                try unsafe ChangeEntry(bytes)
            }
            return (
                try entry.described { record throws(OfflineError) in
                    try document(record, of: owner)
                }, nil
            )
        case .access:
            let entry = try unsafe stored.withBytes { bytes throws(OfflineError) in
                try unsafe AccessEntry(bytes)
            }
            return (entry.described, nil)
        case .store: return (["$bytes": .string(Figures.hex(stored))], nil)
        case .records, nil:
            let (stamp, length) = try unsafe stored.withBytes { bytes throws(OfflineError) in
                (try unsafe RecordStamp(of: bytes), try unsafe RecordStamp.length(in: bytes))
            }
            return (try document(Array(stored[length...]), of: collection), stamp?.described)
        }
    }

    /// The record's fields, from bytes that may be anything.
    private func document(
        _ record: [UInt8], of collection: UInt32
    ) throws(OfflineError) -> Document {
        let names = longest[collection] ?? .empty
        try unsafe record.withBytes { bytes throws(OfflineError) in
            try unsafe RecordValidator.validate(bytes, nameCount: names.count)
        }
        return Document(record: record, names: names)
    }
}
