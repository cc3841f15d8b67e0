// The body of an adoption frame: how a transaction that was too large for a log file becomes part of the store. Its records
// and nodes are in staged files already; the frame names them and says where the trees begin now, so that a replay
// takes it in one step, whatever its size.
//
//   files          varint count, then for each:
//     number       varint
//     kind         byte: 0 log file, 1 node segment
//     length       varint, bytes
//     live bytes   varint count, then for each collection, ascending: varint id, varint bytes
//   dead bytes     varint count, then for each file and collection with records or nodes that were replaced: varint number,
//                  varint collection, varint bytes
//   collections    varint count, then for each:
//     id           varint
//     cleared      byte: 1 if its records were all removed, before the rest
//     names        varint count, then each: varint length, UTF-8 bytes; what the dictionary grew by
//     trees        varint count, then for each, ascending: varint index, u64 root (location word, tag 1; 0: empty),
//                  varint entries, varint bytes
package import OfflineBytes

/// What a staged transaction brings into the store.
package struct Adoption: Equatable, Sendable {
    package struct File: Equatable, Sendable {
        package var number: FileNumber
        package var kind: FileNames.Kind
        package var length: UInt64
        package var live: LiveBytes
    }

    package struct Collection: Equatable, Sendable {
        package var id: UInt32
        package var isCleared = false
        package var names: [String]
        package var trees: [Catalog.TreeEntry]
    }

    package struct Dead: Equatable, Sendable {
        package var file: FileNumber
        package var collection: UInt32
        package var bytes: Int64
    }

    package var files: [File] = []
    package var dead: [Dead] = []
    package var collections: [Collection] = []

    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendVarint(UInt64(files.count))
        for file in files {
            bytes.appendVarint(UInt64(file.number.value))
            bytes.append(file.kind == .tree ? 1 : 0)
            bytes.appendVarint(file.length)
            file.live.append(to: &bytes)
        }
        bytes.appendVarint(UInt64(dead.count))
        for dead in dead {
            bytes.appendVarint(UInt64(dead.file.value))
            bytes.appendVarint(UInt64(dead.collection))
            bytes.appendVarint(UInt64(max(0, dead.bytes)))
        }
        bytes.appendVarint(UInt64(collections.count))
        for collection in collections {
            bytes.appendVarint(UInt64(collection.id))
            bytes.append(collection.isCleared ? 1 : 0)
            bytes.appendVarint(UInt64(collection.names.count))
            for name in collection.names { bytes.appendLengthPrefixed(Array(name.utf8)) }
            Catalog.appendTrees(collection.trees, withRoots: true, to: &bytes)
        }
        return bytes
    }

    package static func decoded(_ bytes: UnsafeRawBufferPointer) throws(ByteError) -> Adoption {
        var reader = unsafe ByteReader(bytes)
        var adoption = Adoption()
        for _ in 0..<(try unsafe reader.count(atMost: reader.remaining)) {
            let number = FileNumber(UInt32(try unsafe reader.count(atMost: Int(UInt32.max))))
            let kind = try unsafe reader.byte()
            guard kind < 2 else {
                throw ByteError("a staged file's kind is unknown", at: unsafe reader.offset)
            }
            adoption.files.append(
                File(
                    number: number, kind: kind == 1 ? .tree : .log,
                    length: UInt64(try unsafe reader.count(atMost: Int(Location.offsetLimit))),
                    live: try unsafe LiveBytes.decoded(&reader)))
        }
        for _ in 0..<(try unsafe reader.count(atMost: reader.remaining)) {
            let number = FileNumber(UInt32(try unsafe reader.count(atMost: Int(UInt32.max))))
            let collection = UInt32(try unsafe reader.count(atMost: Int(Limits.collectionIDMax)))
            let bytes = Int64(try unsafe reader.count(atMost: Int(Location.offsetLimit)))
            adoption.dead.append(Dead(file: number, collection: collection, bytes: bytes))
        }
        for _ in 0..<(try unsafe reader.count(atMost: reader.remaining)) {
            let id = UInt32(try unsafe reader.count(atMost: Int(Limits.collectionIDMax)))
            let cleared = try unsafe reader.byte()
            guard cleared < 2 else {
                throw ByteError("a collection is neither cleared nor not", at: unsafe reader.offset)
            }
            let names = try unsafe Catalog.decodeNames(&reader)
            let trees = try unsafe Catalog.decodeTrees(&reader, collection: id)
            adoption.collections.append(
                Collection(id: id, isCleared: cleared == 1, names: names, trees: trees))
        }
        try unsafe reader.expectEnd()
        return adoption
    }
}
