// The tiny reader, part 8: FORMAT.md's "Opening", steps 1 to 6, and what a store then holds.

/// A collection as the store's files have it.
struct TinyCollection {
    let definition: TinyDefinition
    /// The numbers of its trees, ascending.
    let trees: [UInt32]
    var names: [String]
    /// Where the record of each key is.
    var places: [[UInt8]: TinyPosition] = [:]
    /// The entries of each index tree.
    var entries: [UInt32: Set<[UInt8]>] = [:]
}

/// Opens a store from the bytes of its files.
struct TinyReader {
    private let folder: [String: [UInt8]]
    private let superblock: TinySuperblock
    let catalog: TinyCatalog
    /// The log is replayed up to here, and this is the chain value there.
    private(set) var end: TinyPosition
    private var chain: UInt32
    private(set) var nextSequence: UInt64
    private(set) var collections: [UInt32: TinyCollection] = [:]
    /// The files of the catalog and of adoptions.
    private var files: [TinyCatalog.File]
    /// Of staged files: what their sequences are relative to.
    private var baseSequences: [UInt32: UInt64] = [:]
    private(set) var replayedFrames = 0
    private(set) var adoptedFiles = 0

    private var store: [UInt8] { superblock.store }

    /// Nil where there is no store.
    init?(_ folder: [String: [UInt8]]) throws {
        guard let superblock = try folder["SUPERBLOCK"].flatMap(TinySuperblock.newest) else {
            if try Self.holdsCommits(folder) {
                throw TinyDamage("no superblock", file: "SUPERBLOCK")
            }
            return nil
        }
        self.folder = folder
        self.superblock = superblock
        catalog = try Self.catalog(superblock, folder)
        files = catalog.files
        for file in files where file.isStaged { baseSequences[file.number] = file.baseSequence }
        nextSequence = catalog.nextSequence
        end = TinyPosition(superblock.replayPosition)
        chain = superblock.replayChain
        try checkFiles(files)
        try load(catalog.collections)
        try replay()
        try checkEnd()
    }

    static func name(_ number: UInt32, _ kind: TinyFileHeader.Kind) -> String {
        let digits = String(number)
        let zeros = String(repeating: "0", count: max(0, 8 - digits.count))
        return zeros + digits + (kind == .log ? ".log" : ".tree")
    }

    /// Whether log files have bytes behind the log's end.
    var hasTornTail: Bool {
        logFiles(from: end.file).contains { number, file in
            file.dropFirst(number == end.file ? end.offset : 0).contains { $0 != 0 }
        }
    }

    /// All log files from a number on, ascending.
    private func logFiles(from first: UInt32) -> [(number: UInt32, file: [UInt8])] {
        var files: [(number: UInt32, file: [UInt8])] = []
        for (name, file) in folder where name.hasSuffix(".log") {
            guard let number = UInt32(name.dropLast(4)), number >= first,
                Self.name(number, .log) == name
            else { continue }
            files.append((number, file))
        }
        return files.sorted { $0.number < $1.number }
    }

    // MARK: - Superblock, catalog, files, trees

    private static func holdsCommits(_ folder: [String: [UInt8]]) throws -> Bool {
        for (name, file) in folder where name.hasSuffix(".log") {
            guard let header = try? TinyFileHeader(file), header.kind == .log,
                Self.name(header.number, .log) == name
            else { continue }
            for offset in stride(from: 64, to: file.count, by: 8) {
                let position = TinyPosition(file: header.number, offset: offset)
                let frame = try TinyFrame(file, at: position, store: header.store)
                if let frame, frame.kind != .catalog { return true }
            }
        }
        return false
    }

    private static func catalog(
        _ superblock: TinySuperblock, _ folder: [String: [UInt8]]
    ) throws -> TinyCatalog {
        let position = TinyPosition(superblock.catalog)
        let name = name(position.file, .tree)
        guard let file = folder[name],
            let frame = try TinyFrame(file, at: position, store: superblock.store),
            frame.kind == .catalog, let body = frame.body(file)
        else { throw TinyDamage("there is no catalog", file: name, offset: position.offset) }
        return try TinyCatalog(body)
    }

    private func checkFiles(_ files: [TinyCatalog.File]) throws {
        for file in files {
            let name = Self.name(file.number, file.isTree ? .tree : .log)
            guard let bytes = folder[name], bytes.count >= file.length,
                let header = try TinyFileHeader(bytes), header.store == store,
                header.number == file.number, (header.kind == .tree) == file.isTree,
                header.isStaged == file.isStaged
            else { throw TinyDamage("the file isn't what the store says", file: name) }
        }
    }

    private mutating func load(_ stored: [TinyCatalog.Collection]) throws {
        var definitions: [UInt32: TinyDefinition] = [:]
        for one in stored { definitions[one.number] = try TinyDefinition(one.definition) }
        let trees = try TinyChanges.trees(definitions)
        for one in stored {
            guard let definition = definitions[one.number], let trees = trees[one.number],
                one.trees.map(\.number) == trees
            else { throw TinyDamage("the trees of \(one.number) aren't those of its definition") }
            collections[one.number] = TinyCollection(
                definition: definition, trees: trees, names: one.names)
            for tree in one.trees { try load(tree, of: one.number) }
        }
    }

    /// Reads a whole tree.
    private mutating func load(_ root: TinyCatalog.Tree, of collection: UInt32) throws {
        let tree = try TinyTree(root, of: collection, segment: segment)
        if root.number > 0 {
            collections[collection]?.entries[root.number] = Set(tree.entries.map(\.key))
            return
        }
        collections[collection]?.places = [:]
        for entry in tree.entries {
            guard entry.value & 1 == 0 else { throw TinyDamage("a location has a tag") }
            collections[collection]?.places[entry.key] = TinyPosition(entry.value)
        }
    }

    /// The bytes in use of a node segment.
    private func segment(_ number: UInt32) throws -> [UInt8] {
        let name = Self.name(number, .tree)
        guard let file = files.first(where: { $0.number == number && $0.isTree }),
            let bytes = folder[name]
        else { throw TinyDamage("a tree leads to no file", file: name) }
        return Array(bytes[..<file.length])
    }

    // MARK: - Replay

    private mutating func replay() throws {
        if end.file != 0 { try replayFile() }
        while let next = try continuation() {
            end = TinyPosition(file: next, offset: 64)
            try replayFile()
        }
    }

    private mutating func replayFile() throws {
        guard let file = folder[Self.name(end.file, .log)] else { return }
        while let frame = try TinyFrame(file, at: end, store: store), frame.chain == chain,
            let body = frame.body(file)
        {
            switch frame.kind {
            case .catalog: break
            case .commit: try apply(frame, body)
            case .adoption: try adopt(frame, body)
            case .stagedPart: throw damage("a staged part stands in the log")
            }
            chain = frame.checksum
            end.offset = frame.end
        }
    }

    /// The file that goes on where the log is.
    private func continuation() throws -> UInt32? {
        for (number, file) in logFiles(from: end.file) where number > end.file {
            guard let header = try? TinyFileHeader(file), header.kind == .log, !header.isStaged,
                header.number == number, header.store == store, header.previousChain == chain
            else { continue }
            let word = header.previousEnd
            if word == 0 ? end.file == 0 : TinyPosition(word) == end { return number }
        }
        return nil
    }

    /// Tells a torn tail from damage.
    private func checkEnd() throws {
        for (number, file) in logFiles(from: end.file) {
            let start = number == end.file ? end.offset : 64
            for offset in stride(from: start, to: file.count, by: 8) {
                let position = TinyPosition(file: number, offset: offset)
                if let frame = try TinyFrame(file, at: position, store: store),
                    TinyPosition(frame.durableThrough) > end
                {
                    throw damage("the frame at \(position) vouches for more")
                }
            }
        }
        let isClean = superblock.isCleanClose && end == TinyPosition(superblock.replayPosition)
        guard !isClean, let file = folder[Self.name(end.file, .log)],
            let header = try? TinyFileHeader(file)
        else { return }
        if UInt64(file.count) < header.capacity { throw damage("the file is cut off") }
    }

    private func damage(_ reason: String) -> TinyDamage {
        TinyDamage(reason, file: Self.name(end.file, .log), offset: end.offset)
    }

    private mutating func adopt(_ frame: TinyFrame, _ body: [UInt8]) throws {
        let adoption = try TinyAdoption(body)
        try checkFiles(adoption.files)
        files += adoption.files
        for file in adoption.files { baseSequences[file.number] = frame.sequence }
        adoptedFiles += adoption.files.count
        for adopted in adoption.collections {
            guard adopted.trees.map(\.number) == collections[adopted.number]?.trees else {
                throw damage("an adoption doesn't fit its collection")
            }
            collections[adopted.number]?.names += adopted.names
            for tree in adopted.trees { try load(tree, of: adopted.number) }
        }
        nextSequence += UInt64(frame.operationCount)
        replayedFrames += 1
    }

    private mutating func apply(_ frame: TinyFrame, _ body: [UInt8]) throws {
        var offset = 0
        var count: UInt32 = 0
        while offset < body.count {
            let operation = try TinyOperation(body, at: offset)
            let place = TinyPosition(
                file: frame.position.file, offset: frame.position.offset + 64 + offset)
            guard !operation.isRelative, operation.sequence == nextSequence,
                operation.sequence &- frame.sequence == UInt64(count)
            else { throw damage("an operation's sequence is wrong") }
            try apply(operation, operation.stored(in: body, at: offset), place)
            offset += operation.paddedLength
            count += 1
            nextSequence += 1
        }
        guard count == frame.operationCount else { throw damage("operations are missing") }
        replayedFrames += 1
    }

    private mutating func apply(
        _ operation: TinyOperation, _ record: [UInt8], _ place: TinyPosition
    ) throws {
        guard var collection = collections[operation.collection] else {
            throw TinyDamage("an operation on an unknown collection", offset: place.offset)
        }
        switch operation.kind {
        case .names: collection.names += try TinyOperation.names(operation.payload)
        case .remove: try remove(operation.key, from: &collection, operation.collection)
        case .clear:
            collection.places = [:]
            collection.entries = [:]
        case .dictionary: throw damage("a dictionary in a commit")
        case .put:
            try remove(operation.key, from: &collection, operation.collection)
            for (index, entries) in try derived(record, operation.key, collection) {
                collection.entries[index, default: []].formUnion(entries)
            }
            collection.places[operation.key] = place
        }
        collections[operation.collection] = collection
    }

    private func remove(
        _ key: [UInt8], from collection: inout TinyCollection, _ number: UInt32
    ) throws {
        guard let old = collection.places.removeValue(forKey: key) else { return }
        let record = try put(at: old, key: key, of: number).record
        for (index, entries) in try derived(record, key, collection) {
            collection.entries[index, default: []].subtract(entries)
        }
    }

    /// What the index trees of a collection have of what is stored under a key.
    private func derived(
        _ payload: [UInt8], _ key: [UInt8], _ collection: TinyCollection
    ) throws -> [(index: UInt32, entries: Set<[UInt8]>)] {
        switch collection.definition.kind {
        case .records:
            let (stamp, record) = try TinyStamp.split(payload)
            let fields = try TinyRecord.fields(record, names: collection.names)
            var derived = collection.definition.indexes.map { index in
                (index: index.number, entries: TinyIndexes.entries(fields, key: key, index))
            }
            if let stamp { derived.append((TinyChanges.latest, [stamp.order(key)])) }
            return derived
        case .changes:
            let order = try TinyChangeEntry(payload).order(key)
            return [(TinyChanges.inOrder, order.map { [$0] } ?? [])]
        case .access(_, let tree):
            let key = try TinyAccess(payload).order(key, inTree: tree)
            return tree.map { [($0, key.map { [$0] } ?? [])] } ?? []
        case .store: return []
        }
    }

    // MARK: - Reading

    /// How many records are in files of moved records.
    var movedRecords: Int {
        let moved = Set(baseSequences.filter { $0.value == 0 }.keys)
        return collections.values.reduce(0) { sum, collection in
            sum + collection.places.values.count { moved.contains($0.file) }
        }
    }

    /// How many records are deflated.
    func deflatedRecords() throws -> Int {
        try collections.reduce(0) { sum, entry in
            try sum
                + entry.value.places.count { key, place in
                    try put(at: place, key: key, of: entry.key).operation.isDeflated
                }
        }
    }

    /// The put of the record of a key, at the place that a primary tree gives, and what it stores.
    private func put(
        at place: TinyPosition, key: [UInt8], of collection: UInt32
    ) throws -> (operation: TinyOperation, record: [UInt8]) {
        let name = Self.name(place.file, .log)
        guard let file = folder[name] else { throw TinyDamage("no such file", file: name) }
        let operation = try TinyOperation(file, at: place.offset)
        guard operation.kind == .put, operation.key == key, operation.collection == collection
        else { throw TinyDamage("another record", file: name, offset: place.offset) }
        return (operation, try operation.stored(in: file, at: place.offset))
    }

    /// What is stored under a key, and the sequence of its put; nil where there is nothing.
    func stored(
        _ collection: UInt32, key: [UInt8]
    ) throws -> (payload: [UInt8], sequence: UInt64)? {
        guard let place = collections[collection]?.places[key] else { return nil }
        let (operation, record) = try put(at: place, key: key, of: collection)
        let base = operation.isRelative ? baseSequences[place.file] ?? 0 : 0
        return (record, base + operation.sequence)
    }

    /// The keys of what is stored in a collection, ascending.
    func keys(_ collection: UInt32) -> [[UInt8]] {
        let places = collections[collection]?.places ?? [:]
        return places.keys.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// Keys and documents of a collection of an application's, in key order.
    func documents(_ collection: UInt32) throws -> [(key: [UInt8], fields: [TinyField])] {
        let names = collections[collection]?.names ?? []
        return try keys(collection).map { key in
            let (_, record) = try TinyStamp.split(stored(collection, key: key)?.payload ?? [])
            return (key, try TinyRecord.fields(record, names: names))
        }
    }

    /// An index tree's keys, ascending.
    func entries(_ collection: UInt32, index: UInt32) -> [[UInt8]] {
        (collections[collection]?.entries[index] ?? []).sorted { $0.lexicographicallyPrecedes($1) }
    }
}
