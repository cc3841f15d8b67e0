// The catalog: all that is not records or nodes, in the body of one frame. A checkpoint writes it to its node segment,
// with the roots of all trees; every log file opens with it, without roots, so that sealed files explain themselves.
//
//   application version    varint, the schema version of the application
//   next sequence          varint, the number of the next operation
//   next file number       varint
//   collections            varint count, then for each, ascending by id:
//     id                   varint
//     definition           varint length, bytes (the store's own; opaque here)
//     names                varint count, then each: varint length, UTF-8 bytes; a name's position is its id
//     trees                varint count, the primary tree (index 0) first, then ascending: varint index,
//                          u64 root (a node's location word, tag 1; 0: empty), varint entries
//   files                  varint count, then for each, ascending by number:
//     number               varint
//     kind and flags       byte: bit 0 a node segment (else a log file), bit 1 staged
//     length               varint, bytes in use
//     live bytes           varint, bytes that trees point to
//     base sequence        varint, staged files only: what relative sequences in it count from
//
// It is one frame and not a tree: it is small (a name dictionary is at most 256 KiB a collection), and it must stand
// whole at the head of each log file anyway.
package import OfflineBytes

/// The state of a store beside its records and nodes.
package struct Catalog: Equatable, Sendable {
    package struct TreeEntry: Equatable, Sendable {
        package var index: UInt32
        package var root: TreeRoot

        package init(index: UInt32, root: TreeRoot) {
            self.index = index
            self.root = root
        }

        /// Tree `index` of a collection: the primary tree holds locations, the others keys alone.
        package init(
            collection: UInt32, index: UInt32, node: UInt64 = 0, count: UInt64 = 0,
            bytes: Int64 = 0
        ) {
            self.index = index
            root = TreeRoot(
                node: node, count: count, bytes: bytes, valueWidth: index == 0 ? 8 : 0,
                identity: TreeIdentity(collection: collection, tree: index))
        }
    }

    package struct Collection: Equatable, Sendable {
        package var id: UInt32
        package var definition: [UInt8]
        package var names: [String]
        /// The primary tree first, then the index trees, ascending.
        package var trees: [TreeEntry]
    }

    package struct File: Equatable, Sendable {
        package var number: FileNumber
        package var kind: FileNames.Kind
        package var isStaged = false
        package var length: UInt64
        package var live = LiveBytes()
        package var baseSequence: UInt64 = 0
    }

    package var applicationVersion: UInt64 = 0
    package var nextSequence: UInt64 = 1
    package var nextFileNumber: UInt32 = 1
    package var collections: [Collection] = []
    package var files: [File] = []

    package init() {}

    package func encoded(withRoots: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendVarint(applicationVersion)
        bytes.appendVarint(nextSequence)
        bytes.appendVarint(UInt64(nextFileNumber))
        bytes.appendVarint(UInt64(collections.count))
        for collection in collections {
            bytes.appendVarint(UInt64(collection.id))
            bytes.appendLengthPrefixed(collection.definition)
            bytes.appendVarint(UInt64(collection.names.count))
            for name in collection.names { bytes.appendLengthPrefixed(Array(name.utf8)) }
            Self.appendTrees(collection.trees, withRoots: withRoots, to: &bytes)
        }
        let files = withRoots ? self.files : []
        bytes.appendVarint(UInt64(files.count))
        for file in files {
            bytes.appendVarint(UInt64(file.number.value))
            bytes.append((file.kind == .tree ? 1 : 0) | (file.isStaged ? 2 : 0))
            bytes.appendVarint(file.length)
            file.live.append(to: &bytes)
            if file.isStaged { bytes.appendVarint(file.baseSequence) }
        }
        return bytes
    }

    static func appendTrees(_ trees: [TreeEntry], withRoots: Bool, to bytes: inout [UInt8]) {
        bytes.appendVarint(UInt64(trees.count))
        for tree in trees {
            bytes.appendVarint(UInt64(tree.index))
            bytes.appendLittle(withRoots ? tree.root.node : 0)
            bytes.appendVarint(withRoots ? tree.root.count : 0)
            bytes.appendVarint(withRoots ? UInt64(max(0, tree.root.bytes)) : 0)
        }
    }

    /// Reads a catalog from a body whose checksum was right; everything is checked all the same.
    package static func decoded(_ bytes: UnsafeRawBufferPointer) throws(ByteError) -> Catalog {
        var reader = unsafe ByteReader(bytes)
        var catalog = Catalog()
        catalog.applicationVersion = try unsafe reader.varint()
        catalog.nextSequence = try unsafe reader.varint()
        catalog.nextFileNumber = UInt32(try unsafe reader.count(atMost: Int(UInt32.max)))
        let collections = try unsafe reader.count(atMost: reader.remaining)
        for _ in 0..<collections {
            let collection = try unsafe decodeCollection(&reader)
            if let last = catalog.collections.last, last.id >= collection.id {
                throw ByteError("collections out of order", at: unsafe reader.offset)
            }
            catalog.collections.append(collection)
        }
        let files = try unsafe reader.count(atMost: reader.remaining)
        for _ in 0..<files {
            let file = try unsafe decodeFile(&reader)
            if let last = catalog.files.last, last.number >= file.number {
                throw ByteError("files out of order", at: unsafe reader.offset)
            }
            catalog.files.append(file)
        }
        try unsafe reader.expectEnd()
        return catalog
    }

    private static func decodeCollection(_ reader: inout ByteReader) throws(ByteError) -> Collection
    {
        let id = try unsafe reader.count(atMost: Int(Limits.collectionIDMax))
        guard id > 0 else { throw ByteError("collection 0", at: unsafe reader.offset) }
        let definition = try unsafe reader.lengthPrefixedArray()
        let names = try unsafe decodeNames(&reader)
        let trees = try unsafe decodeTrees(&reader, collection: UInt32(id))
        return Collection(id: UInt32(id), definition: definition, names: names, trees: trees)
    }

    static func decodeNames(_ reader: inout ByteReader) throws(ByteError) -> [String] {
        let count = try unsafe reader.count(atMost: min(NameDictionary.countMax, reader.remaining))
        var names: [String] = []
        for _ in 0..<count {
            let at = unsafe reader.offset
            let bytes = try unsafe reader.lengthPrefixedArray()
            guard let name = String(validating: bytes, as: UTF8.self) else {
                throw ByteError("a field name is no UTF-8", at: at)
            }
            names.append(name)
        }
        return names
    }

    /// A collection's trees: the primary tree first, then ascending by index.
    static func decodeTrees(
        _ reader: inout ByteReader, collection id: UInt32
    ) throws(ByteError) -> [TreeEntry] {
        let count = try unsafe reader.count(atMost: reader.remaining)
        var trees: [TreeEntry] = []
        for position in 0..<count {
            let at = unsafe reader.offset
            let index = UInt32(try unsafe reader.count(atMost: Int(UInt32.max)))
            let node = try unsafe reader.little(UInt64.self)
            let entries = try unsafe reader.varint()
            let bytes = Int64(try unsafe reader.count(atMost: Int.max >> 1))
            guard node == 0 || node & 1 == 1, (node == 0) == (entries == 0),
                (index == 0) == (position == 0), trees.last.map({ $0.index < index }) ?? true
            else { throw ByteError("a tree entry is out of order or no location", at: at) }
            trees.append(
                TreeEntry(collection: id, index: index, node: node, count: entries, bytes: bytes))
        }
        guard !trees.isEmpty else {
            throw ByteError("a collection without a primary tree", at: unsafe reader.offset)
        }
        return trees
    }

    private static func decodeFile(_ reader: inout ByteReader) throws(ByteError) -> File {
        let number = FileNumber(UInt32(try unsafe reader.count(atMost: Int(UInt32.max))))
        let flags = try unsafe reader.byte()
        guard flags < 4, number.value > 0 else {
            throw ByteError("a file entry's kind is unknown", at: unsafe reader.offset)
        }
        let length = UInt64(try unsafe reader.count(atMost: Int(Location.offsetLimit)))
        let live = try unsafe LiveBytes.decoded(&reader)
        let base = flags & 2 != 0 ? try unsafe reader.varint() : 0
        return File(
            number: number, kind: flags & 1 != 0 ? .tree : .log, isStaged: flags & 2 != 0,
            length: length, live: live, baseSequence: base)
    }
}
