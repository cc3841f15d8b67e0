// What a dump consists of, piece by piece, before it is text or JSON. The walks (LogFileWalk, NodeFileWalk, TreeWalk) make
// events, a DumpWriter shows them; neither knows the other.
internal import OfflineDocuments
internal import OfflineEngine

/// One thing found in a store.
enum DumpEvent {
    /// A slot of the superblock.
    case slot(Int, Superblock.Reading)
    /// The catalog that counts, and where it is.
    case catalog(Catalog, [CollectionSummary], LogPosition)
    /// A numbered file begins.
    case file(FileView)
    case frame(FrameHeader)
    case operation(OperationView)
    /// A tree begins.
    case tree(TreeView)
    case node(NodeView)
    case entry(EntryView)
    /// Something worth knowing that is no damage.
    case note(DumpPlace, String)
    /// Damage, or what can't be read, with the first bytes there.
    case problem(DumpPlace, String, bytes: [UInt8])
}

/// A place in a store's folder.
struct DumpPlace {
    var file: String
    var offset: UInt64?
}

/// A numbered file and what its header says; nil for one that is prepared and not used yet.
struct FileView {
    var name: String
    var size: UInt64
    var header: FileHeader?
}

/// An operation in a commit.
struct OperationView {
    var place: DumpPlace
    var operation: LogOperation
    var collection: String
    var content: Content

    enum Content {
        case put(key: KeyView, record: RecordViewing)
        case remove(key: KeyView)
        case names([String])
        case clear
        case dictionary(bytes: Int)
    }
}

/// A record's key: the value it encodes, or its bytes where it encodes none.
enum KeyView {
    /// A record's key is one value (an array for a compound key).
    case value(Value)
    case bytes([UInt8])
}

/// A record, or why there is none to show.
enum RecordViewing {
    /// Its fields, and its latest change, if it has one.
    case document(Document, change: Document?)
    case unreadable(String)
}

/// A tree as a catalog names it.
struct TreeView {
    var collection: String
    var tree: String
    var root: Location?
    var count: UInt64
}

/// A node of a tree, without its entries.
struct NodeView {
    var place: DumpPlace
    var collection: String
    var tree: String
    var level: Int
    var entryCount: Int
    /// Records in it or below it.
    var recordCount: UInt64
    var length: Int
    var prefix: [UInt8]
    /// How deep below the tree's root; 0 where a file is walked.
    var depth: Int
}

/// An entry of a node.
struct EntryView {
    var depth: Int
    var content: Content

    enum Content {
        /// A record of a primary tree.
        case record(key: KeyView, location: Location, record: RecordViewing)
        /// An entry of an index.
        case index(IndexEntryView)
        /// A child of a branch: its least key, cut to what tells it from the one before.
        case child(separator: [UInt8], location: Location, recordCount: UInt64)
    }
}

/// Shows events.
protocol DumpWriter {
    mutating func write(_ event: DumpEvent) throws
}
