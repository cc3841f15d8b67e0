// The body of an adoption frame: how a transaction that was too large for a log file becomes part of the store. Its records
// and nodes are in staged files already; the frame names them and says where the trees begin now, so that a replay
// takes it in one step, whatever its size.
//
//   files          varint count, then for each:
//     number       varint
//     kind         byte: 0 log file, 1 node segment
//     length       varint, bytes
//     live bytes   varint
//   dead bytes     varint count, then for each file with records that were replaced: varint number, varint bytes
//   collections    varint count, then for each:
//     id           varint
//     names        varint count, then each: varint length, UTF-8 bytes; what the dictionary grew by
//     trees        varint count, then for each, ascending: varint index, u64 root (location word, tag 1; 0: empty),
//                  varint entries
package import OfflineBytes

/// What a staged transaction brings into the store.
package struct Adoption: Equatable, Sendable {
    package struct File: Equatable, Sendable {
        package var number: FileNumber
        package var kind: FileNames.Kind
        package var length: UInt64
        package var liveBytes: Int64
    }

    package struct Collection: Equatable, Sendable {
        package var id: UInt32
        package var names: [String]
        package var trees: [Catalog.TreeEntry]
    }

    package struct Dead: Equatable, Sendable {
        package var file: FileNumber
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
            bytes.appendVarint(UInt64(max(0, file.liveBytes)))
        }
        bytes.appendVarint(UInt64(dead.count))
        for dead in dead {
            bytes.appendVarint(UInt64(dead.file.value))
            bytes.appendVarint(UInt64(max(0, dead.bytes)))
        }
        bytes.appendVarint(UInt64(collections.count))
        for collection in collections {
            bytes.appendVarint(UInt64(collection.id))
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
                    liveBytes: Int64(try unsafe reader.count(atMost: Int(Location.offsetLimit)))))
        }
        for _ in 0..<(try unsafe reader.count(atMost: reader.remaining)) {
            let number = FileNumber(UInt32(try unsafe reader.count(atMost: Int(UInt32.max))))
            let bytes = Int64(try unsafe reader.count(atMost: Int(Location.offsetLimit)))
            adoption.dead.append(Dead(file: number, bytes: bytes))
        }
        for _ in 0..<(try unsafe reader.count(atMost: reader.remaining)) {
            let id = UInt32(try unsafe reader.count(atMost: Int(Limits.collectionIDMax)))
            let names = try unsafe Catalog.decodeNames(&reader)
            let trees = try unsafe Catalog.decodeTrees(&reader, collection: id)
            adoption.collections.append(Collection(id: id, names: names, trees: trees))
        }
        try unsafe reader.expectEnd()
        return adoption
    }
}
