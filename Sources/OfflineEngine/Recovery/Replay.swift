// Applying logged operations to the trees that the last checkpoint wrote. Index entries are derived again, so a replay
// gives the trees that the commits had; it writes nothing to disk, and may be cut off and begun again any number of
// times.
internal import OfflineBytes

/// The trees of all collections while the log is replayed.
struct Replay {
    private struct Part {
        let base: CollectionVersion
        let owner: PageOwner
        var primary: Tree
        var indexes: [(index: UInt32, tree: Tree)]
        var names: NameDictionary
    }

    private let files: OpenFiles
    private let derivation: any IndexDerivation
    private(set) var state: StoreState
    private var parts: [UInt32: Part] = [:]
    private var oldEntries = IndexEntries()
    private var newEntries = IndexEntries()
    private(set) var report: RecoveryReport

    init(
        state: StoreState, files: OpenFiles, derivation: any IndexDerivation,
        report: RecoveryReport
    ) {
        self.state = state
        self.files = files
        self.derivation = derivation
        self.report = report
    }

    /// Where an operation stands, for messages.
    private struct Place {
        var file: FileNumber
        var offset: UInt64
        func corrupted(_ message: String) -> EngineError {
            .corrupted(message, file: FileNames.log(file), offset: offset)
        }
    }

    /// Applies a commit's body, which begins at `start`.
    mutating func apply(
        _ body: [UInt8], at start: LogPosition, header: FrameHeader
    ) throws(EngineError) {
        var offset = 0
        var count = 0
        while offset < body.count {
            let place = Place(file: start.file, offset: start.offset + UInt64(offset))
            let operation: LogOperation
            do throws(LogOperationError) {
                operation = try unsafe body.withBytes { bytes throws(LogOperationError) in
                    try unsafe LogOperation.read(UnsafeRawBufferPointer(rebasing: bytes[offset...]))
                }
            } catch { throw place.corrupted(error.message) }
            try apply(operation, Array(body[offset..<offset + operation.length]), place)
            offset += operation.paddedLength
            count += 1
        }
        guard count == header.operationCount else {
            throw Place(file: start.file, offset: start.offset).corrupted(
                "the frame has \(count) operations where it says \(header.operationCount)")
        }
        report.replayedFrames += 1
        report.replayedOperations += count
    }

    /// The state after all that was applied.
    mutating func finish() -> StoreState {
        for part in parts.values {
            let version = part.base.with(
                primary: part.primary.root,
                indexes: part.indexes.map {
                    Catalog.TreeEntry(index: $0.index, root: $0.tree.root)
                }, names: part.names)
            unsafe part.base.supersede(by: version, retired: part.owner.retired)
            state.set(version)
            for (file, bytes) in part.owner.replaced.sums { note(file, part.base.id, bytes) }
        }
        parts = [:]
        return state
    }

    /// Moves the end of the log.
    mutating func advance(to position: LogPosition, chain: UInt32, nextSequence: UInt64) {
        var change = StateChange()
        change.end = (position, chain, nextSequence)
        change.apply(to: &state)
    }

    /// Takes in a staged transaction: its nodes are on disk, so its roots are all there is to do.
    mutating func adopt(_ adoption: Adoption, _ header: FrameHeader) throws(EngineError) {
        let place = Place(file: header.position.file, offset: header.position.offset)
        for collection in adoption.collections where collection.isCleared {
            state.clear(collection.id)
        }
        for file in adoption.files {
            state.files[file.number] = FileUsage(file, baseSequence: header.sequence)
        }
        for dead in adoption.dead { note(dead.file, dead.collection, -dead.bytes) }
        for collection in adoption.collections {
            let part = try part(collection.id, place)
            guard
                collection.trees.dropFirst().map(\.index) == part.indexes.map(\.index),
                let names = part.names.appending(stored: collection.names)
            else { throw place.corrupted("an adoption doesn't fit collection \(collection.id)") }
            if !collection.names.isEmpty {
                do {
                    try derivation.extendNames(of: collection.id, with: collection.names)
                } catch { throw place.corrupted("field names can't be replayed: \(error)") }
            }
            // All nodes of the new trees are in files; none of those that the replay made is of use any more.
            part.owner.releaseCreated()
            parts[collection.id] = Part(
                base: part.base, owner: part.owner,
                primary: Tree(root: collection.trees[0].root, files: files.table),
                indexes: collection.trees.dropFirst().map {
                    ($0.index, Tree(root: $0.root, files: files.table))
                }, names: names)
        }
        report.replayedFrames += 1
        report.replayedOperations += header.operationCount
    }

    private mutating func apply(
        _ operation: LogOperation, _ entry: [UInt8], _ place: Place
    ) throws(EngineError) {
        var part = try part(operation.collection, place)
        defer { parts[operation.collection] = part }
        guard operation.keyLength <= Limits.keyBytesMax else {
            throw place.corrupted("a key of \(operation.keyLength) bytes is over the limit")
        }
        let key = Array(entry[operation.keyRange])
        let payload = Array(entry[operation.payloadRange])
        switch operation.kind {
        case .put:
            let word = Location(file: place.file, offset: place.offset, tag: false).word
            let record = try record(payload, operation, place)
            try put(&part, key, record, word, place)
            part.primary.root.bytes &+= Int64(record.count)
            note(place.file, operation.collection, Int64(operation.paddedLength))
        case .remove:
            try remove(&part, key)
        case .clear:
            clear(&part)
        case .dictionary:
            throw place.corrupted("a dictionary stands in a commit")
        case .names:
            let names: [String]
            do throws(LogOperationError) {
                names = try unsafe payload.withBytes { bytes throws(LogOperationError) in
                    try unsafe LogOperation.decodeNames(bytes)
                }
            } catch { throw place.corrupted(error.message) }
            guard let grown = part.names.appending(stored: names) else {
                throw place.corrupted(
                    "a dictionary grows by names that are too many, too long, or there already")
            }
            part.names = grown
            do { try derivation.extendNames(of: operation.collection, with: names) } catch {
                throw place.corrupted("field names can't be replayed: \(error)")
            }
        }
    }

    /// The record that a put's payload is, or is deflated to. A commit has no dictionaries.
    private func record(
        _ payload: [UInt8], _ operation: LogOperation, _ place: Place
    ) throws(EngineError) -> [UInt8] {
        guard operation.isDeflated else { return payload }
        do throws(LogOperationError) {
            return try unsafe payload.withBytes { bytes throws(LogOperationError) in
                let deflated = try unsafe DeflatedRecord(bytes)
                guard deflated.dictionaryDistance == 0 else {
                    throw LogOperationError("a commit's record needs a dictionary")
                }
                var buffer = InflateBuffer()
                return unsafe [UInt8](
                    try deflated.inflate(bytes, dictionary: nil, into: &buffer))
            }
        } catch { throw EngineError(error, file: place.file, offset: place.offset) }
    }

    private mutating func put(
        _ part: inout Part, _ key: [UInt8], _ record: [UInt8], _ word: UInt64, _ place: Place
    ) throws(EngineError) {
        try derive(part.base.id, key, record, into: &newEntries, place)
        let old = try unsafe key.withBytes { bytes throws(EngineError) in
            try unsafe part.primary.insert(bytes, value: word, part.owner)
        }
        oldEntries.removeAll()
        if let old { try deriveOld(&part, key, old) }
        try updateIndexes(&part)
    }

    private mutating func remove(_ part: inout Part, _ key: [UInt8]) throws(EngineError) {
        let old = try unsafe key.withBytes { bytes throws(EngineError) in
            try unsafe part.primary.remove(bytes, part.owner)
        }
        guard let old else { return }
        newEntries.removeAll()
        oldEntries.removeAll()
        try deriveOld(&part, key, old)
        try updateIndexes(&part)
    }

    /// Gives up all trees.
    private mutating func clear(_ part: inout Part) {
        let owner = part.owner
        part.primary.clear(owner)
        for index in part.indexes.indices { part.indexes[index].tree.clear(owner) }
        owner.forgetReplaced()
        state.clear(part.base.id)
    }

    /// Fills `oldEntries` from the record that was replaced, and counts its bytes as dead.
    private mutating func deriveOld(
        _ part: inout Part, _ key: [UInt8], _ word: UInt64
    ) throws(EngineError) {
        let location = Location(word: word)
        let sizes = RecordAccess.sizes(at: location, in: files)
        part.primary.root.bytes &-= sizes.record
        note(location.file, part.base.id, -sizes.entry)
        guard !part.indexes.isEmpty else { return }
        let record = try unsafe key.withBytes { bytes throws(EngineError) in
            var buffer = InflateBuffer()
            defer { withExtendedLifetime(buffer) {} }
            let view = try unsafe RecordAccess.record(
                at: location, collection: part.base.id, key: bytes, in: files, &buffer)
            return unsafe Array(view)
        }
        try derive(
            part.base.id, key, record, into: &oldEntries,
            Place(file: location.file, offset: location.offset))
    }

    private func derive(
        _ collection: UInt32, _ key: [UInt8], _ record: [UInt8], into entries: inout IndexEntries,
        _ place: Place
    ) throws(EngineError) {
        entries.removeAll()
        do {
            try unsafe key.withUnsafeBytes { keyBytes in
                try unsafe record.withUnsafeBytes { recordBytes in
                    try unsafe derivation.derive(
                        collection: collection, key: keyBytes, record: recordBytes, into: &entries)
                }
            }
        } catch { throw place.corrupted("a record can't be read: \(error)") }
        entries.sort()
    }

    private func updateIndexes(_ part: inout Part) throws(EngineError) {
        var trees = part.indexes
        let owner = part.owner
        func position(_ entry: IndexEntries.Entry) -> Int? {
            trees.firstIndex { $0.index == entry.index }
        }
        try IndexEntries.difference(
            from: oldEntries, to: newEntries,
            removed: { entry throws(EngineError) in
                guard let at = position(entry) else { return }
                try unsafe oldEntries.withKey(entry) { key throws(EngineError) in
                    _ = try unsafe trees[at].tree.remove(key, owner)
                }
            },
            added: { entry throws(EngineError) in
                guard let at = position(entry) else { return }
                try unsafe newEntries.withKey(entry) { key throws(EngineError) in
                    _ = try unsafe trees[at].tree.insert(key, value: 0, owner)
                }
            })
        part.indexes = trees
    }

    private mutating func note(_ file: FileNumber, _ collection: UInt32, _ bytes: Int64) {
        if state.files[file] == nil { state.files[file] = FileUsage(kind: .log, length: 0) }
        state.files[file]?.live.add(collection, bytes)
    }

    private func part(_ id: UInt32, _ place: Place) throws(EngineError) -> Part {
        if let part = parts[id] { return part }
        guard let base = state.version(id) else {
            throw place.corrupted("a record of collection \(id), which the catalog doesn't have")
        }
        // Owner id 1: replay comes before every transaction of this engine.
        return Part(
            base: base, owner: PageOwner(arena: files.arena, files: files.table, id: 1),
            primary: base.primaryTree,
            indexes: base.indexes.map { ($0.index, Tree(root: $0.root, files: files.table)) },
            names: base.names)
    }
}
