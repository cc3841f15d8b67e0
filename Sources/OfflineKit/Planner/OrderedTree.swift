// A tree as the planner sees it: a collection's records by their keys, or an index.
//
// A tree's keys are encoded values, one after another; in an index the record's key follows (Indexes/IndexKeys). Each
// value is that of a path; a case-insensitive index has the folded value of its path first, then the value.
internal import OfflineBytes
import OfflineDocuments

/// An ordered tree of keys.
struct OrderedTree: Sendable {
    let id: TreeID
    /// Nil: the collection itself.
    let index: IndexState?
    /// The paths whose values its keys are made of.
    let paths: [FieldPath]
    /// What all keys begin with: the tag of an array in a collection with a compound key.
    let keyPrefix: [UInt8]
    /// Nil: none of the paths is sensitive.
    private let sealing: CollectionSealing?

    /// The index's name; nil: the collection itself.
    var name: String? { index?.name }
    var isIndex: Bool { index != nil }
    /// A record has an entry for each element.
    var isMultiEntry: Bool { index?.isMultiEntry ?? false }
    /// The first value is folded, and the second is the same as it is.
    var isFolded: Bool { index?.isFolded ?? false }
    /// How many values a condition can bound.
    var boundableCount: Int { isFolded ? 1 : paths.count }

    /// The collection's own tree.
    init(recordsOf collection: CollectionState) {
        id = StorageAdapter.records(of: collection)
        index = nil
        sealing = nil
        paths = collection.keyPaths
        keyPrefix =
            collection.singleKeyPath == nil ? [KeyLayout.typeRange(of: .array([])).first] : []
    }

    /// An index, not a full-text one.
    init(_ index: IndexState, of collection: CollectionState) {
        id = StorageAdapter.entries(of: index, collection)
        self.index = index
        sealing = collection.sealing.flatMap {
            index.paths.contains(where: $0.isSensitive) ? $0 : nil
        }
        paths = index.isFolded ? [index.paths[0], index.paths[0]] : index.paths
        keyPrefix = []
    }

    /// Its keys have tokens of the values at the path.
    func isSealed(_ ordinal: Int) -> Bool { sealing?.isSensitive(paths[ordinal]) ?? false }

    /// How its keys have the values at the path.
    func encoding(_ ordinal: Int) -> KeyBounds.Encoding {
        if isFolded { return .folded }
        guard let sealing, sealing.isSensitive(paths[ordinal]) else { return .whole }
        return .tokens(sealing.tokens(at: paths[ordinal]))
    }

    /// All entries but the lists of records with arrays.
    var wholeRange: KeyRange { isIndex ? IndexKeys.entries : .all }

    /// The list of records with an array on the path.
    func arrayList(_ ordinal: Int) -> KeyRange {
        IndexKeys.markers(ofPath: isFolded ? 0 : ordinal)
    }
}
