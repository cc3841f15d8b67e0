// One state of one collection: its roots, its dictionary, its definition. A commit makes a new one; readers retain what
// they read.
//
// Invariants:
// - Everything but `next` and `retired` is immutable.
// - A version holds the one that followed it, so when a version dies no older one lives, and the pages that its
//   successor replaced (`retired`) can be reached by nobody.
// - `next` and `retired` are set once, by whoever supersedes the version, with the collection's lock held; they are read
//   only when the version dies.
package import OfflineBytes

/// An immutable state of a collection.
@safe
package final class CollectionVersion: @unchecked Sendable {
    // @unchecked: see the invariants; `next` and `retired` are written once before the superseding version is handed to
    // anyone, and read in deinit, which the reference count orders after all other uses.
    package let id: UInt32
    package let definition: [UInt8]
    package let names: NameDictionary
    package let primary: TreeRoot
    package let indexes: [Catalog.TreeEntry]
    package let files: OpenFiles
    /// The files that the trees lead to.
    let fileSet: FileSet
    private var next: CollectionVersion?
    private var retired: [UnsafeMutableRawPointer] = unsafe []

    package init(
        id: UInt32, definition: [UInt8], names: NameDictionary, primary: TreeRoot,
        indexes: [Catalog.TreeEntry], files: OpenFiles, fileSet: FileSet? = nil
    ) {
        self.id = id
        self.definition = definition
        self.names = names
        self.primary = primary
        self.indexes = indexes
        self.files = files
        self.fileSet = fileSet ?? files.current
    }

    /// Says what follows, and which pages nobody needs once this version and all before it are gone.
    package func supersede(by next: CollectionVersion, retired: [UnsafeMutableRawPointer]) {
        assert(self.next == nil, "a version is superseded once")
        self.next = next
        unsafe self.retired = retired
    }

    deinit {
        // Iteratively: a chain of versions that only a long-lived reader held may be very long.
        unsafe files.arena.free(contentsOf: retired)
        var following = next.take()
        while isKnownUniquelyReferenced(&following), let version = following.take() {
            following = version.next.take()
        }
    }

    /// The root of an index tree, or of the primary tree for index 0; nil where there is no such tree.
    package func root(_ index: UInt32) -> TreeRoot? {
        if index == 0 { return primary }
        return indexes.first { $0.index == index }?.root
    }

    package func tree(_ index: UInt32) -> Tree? {
        root(index).map { Tree(root: $0, files: files.table) }
    }

    package var primaryTree: Tree { Tree(root: primary, files: files.table) }

    /// Calls `body` with the record of `key`; false where there is none.
    package func withRecord(
        _ key: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Bool {
        guard let word = unsafe try primaryTree.value(of: key) else { return false }
        var buffer = InflateBuffer()
        defer { withExtendedLifetime(buffer) {} }
        let record = unsafe try RecordAccess.record(
            at: Location(word: word), collection: id, key: key, in: files, &buffer)
        try unsafe body(record)
        return true
    }

    /// This version with other roots; in `fileSet` if given, else in the files that there are now.
    package func with(
        primary: TreeRoot, indexes: [Catalog.TreeEntry], names: NameDictionary? = nil,
        fileSet: FileSet? = nil
    ) -> CollectionVersion {
        CollectionVersion(
            id: id, definition: definition, names: names ?? self.names, primary: primary,
            indexes: indexes, files: files, fileSet: fileSet)
    }

    package var catalogEntry: Catalog.Collection {
        Catalog.Collection(
            id: id, definition: definition, names: names.names,
            trees: [Catalog.TreeEntry(index: 0, root: primary)] + indexes)
    }
}
