// A transaction: private trees over the latest appended versions, and the body of the frame that will make them real.
//
// Invariants:
// - Nobody else sees or changes what it made until `commit`; `rollback` frees all of it.
// - A value in its primary trees with bit 0 set is relative to its body and becomes a location when the log gives the
//   frame its place; one with bit 0 clear is final.
// - The caller gives out each collection to one transaction at a time, and uses a transaction from one thread at a time.
package import OfflineBytes

/// The private state of one collection in a transaction.
struct TransactionPart {
    let collection: EngineCollection
    let base: CollectionVersion
    let owner: PageOwner
    var primary: Tree
    var indexes: [(index: UInt32, tree: Tree)]
    var names: NameDictionary
    var isChanged = false
    var isCleared = false
    /// Bytes of files that it uses more, or less.
    var live = FileTally()
    /// Bytes of the transaction's body that its trees lead to; its file isn't known yet.
    var bodyLiveBytes: Int64 = 0
}

/// An atomic batch of record and index operations on some collections.
package final class WriteTransaction: @unchecked Sendable {
    // @unchecked: used by one thread at a time; what it shares with others (versions, the log) has locks of its own.
    let engine: Engine
    private let log: GroupCommit
    var parts: [TransactionPart]
    /// Collections that are only read, as they were when the transaction began.
    let reading: [CollectionVersion]
    var frame: PendingFrame
    /// What the transaction moved to files of its own since its body grew too large.
    var staged: StagedFiles?
    private var isFinished = false
    /// What the commit's operations are numbered with, once it is in the log.
    package private(set) var sequences: Range<UInt64>?

    init(
        engine: Engine, log: GroupCommit, parts: [TransactionPart], reading: [CollectionVersion]
    ) {
        self.engine = engine
        self.log = log
        self.parts = parts
        self.reading = reading
        frame = PendingFrame(
            kind: .commit, bytes: [UInt8](repeating: 0, count: FrameHeader.size),
            operationCount: 0, sequenceCount: 0)
    }

    deinit { rollback() }

    /// Says that the transaction frees space in the end: it may use what is kept back of the size limit.
    package func useReserve() { frame.usesReserve = true }

    // MARK: - Changing

    /// Inserts or replaces a record; which of the transaction's operations it is, from 0.
    @discardableResult
    package func put(
        _ collection: UInt32, key: UnsafeRawBufferPointer, record: UnsafeRawBufferPointer
    ) throws(EngineError) -> UInt64 {
        guard key.count <= Limits.keyBytesMax, record.count <= Limits.recordBytesMax else {
            throw EngineError(.limit, "a key or record is over the engine's limits")
        }
        let index = try partIndex(collection)
        let place = unsafe try appendPut(collection, key, record)
        let old = unsafe try parts[index].primary.insert(
            key, value: place.word, parts[index].owner)
        parts[index].isChanged = true
        parts[index].primary.root.bytes &+= Int64(record.count)
        parts[index].bodyLiveBytes += place.length
        if let old { noteDead(old, index) }
        return UInt64(frame.sequenceCount - 1)
    }

    /// Removes a record; false where there is none.
    @discardableResult
    package func remove(
        _ collection: UInt32, key: UnsafeRawBufferPointer
    ) throws(EngineError) -> Bool {
        let index = try partIndex(collection)
        guard let old = unsafe try parts[index].primary.remove(key, parts[index].owner) else {
            return false
        }
        // Before the append, which may stage the body that `old` points into.
        noteDead(old, index)
        parts[index].isChanged = true
        _ = unsafe try append(
            .remove, collection, key, UnsafeRawBufferPointer(start: nil, count: 0))
        return true
    }

    /// Removes all records and index entries of a collection in one step, however many there are. Its dictionary stays.
    package func clear(_ collection: UInt32) throws(EngineError) {
        let index = try partIndex(collection)
        let empty = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        // The body may be staged for it, so it comes first; it is no harm if there is nothing to remove.
        _ = unsafe try append(.clear, collection, empty, empty)
        let owner = parts[index].owner
        parts[index].primary.clear(owner)
        for tree in parts[index].indexes.indices { parts[index].indexes[tree].tree.clear(owner) }
        owner.forgetReplaced()
        parts[index].live = FileTally()
        parts[index].bodyLiveBytes = 0
        staged?.clear(collection)
        parts[index].isCleared = true
        parts[index].isChanged = true
    }

    /// Adds an entry to an index tree.
    package func insert(
        _ collection: UInt32, index tree: UInt32, key: UnsafeRawBufferPointer
    ) throws(EngineError) {
        guard key.count <= Limits.keyBytesMax else {
            throw EngineError(.limit, "an index key is over the engine's limits")
        }
        let (part, position) = try indexPosition(collection, tree)
        _ = unsafe try parts[part].indexes[position].tree.insert(key, value: 0, parts[part].owner)
        parts[part].isChanged = true
    }

    /// Removes an entry from an index tree.
    package func remove(
        _ collection: UInt32, index tree: UInt32, key: UnsafeRawBufferPointer
    ) throws(EngineError) {
        let (part, position) = try indexPosition(collection, tree)
        _ = unsafe try parts[part].indexes[position].tree.remove(key, parts[part].owner)
        parts[part].isChanged = true
    }

    /// Appends names to a collection's dictionary.
    package func extendNames(_ collection: UInt32, with names: [String]) throws(EngineError) {
        guard !names.isEmpty else { return }
        let index = try partIndex(collection)
        guard parts[index].names.count + names.count <= NameDictionary.countMax else {
            throw EngineError(.limit, "a dictionary holds \(NameDictionary.countMax) names at most")
        }
        // What a replay would refuse must not get into the log.
        guard parts[index].names.appending(stored: names) != nil else {
            throw EngineError(
                .limit,
                "names in a dictionary are distinct and take \(NameDictionary.nameBytesMax) bytes at most"
            )
        }
        let payload = LogOperation.encodeNames(names)
        let empty = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        var failure: EngineError?
        unsafe payload.withUnsafeBytes { bytes in
            do throws(EngineError) { _ = unsafe try append(.names, collection, empty, bytes) } catch
            {
                failure = error
            }
        }
        if let failure { throw failure }
        parts[index].names = parts[index].names.appending(names)
        parts[index].isChanged = true
    }

    // MARK: - Reading

    /// A tree as the transaction sees it; nil where the collection has no such tree.
    package func tree(_ collection: UInt32, index: UInt32) throws(EngineError) -> TreeReader? {
        if let part = parts.first(where: { $0.collection.id == collection }) {
            let tree =
                index == 0 ? part.primary : part.indexes.first { $0.index == index }?.tree
            return tree.map {
                TreeReader(
                    tree: $0, collection: collection, version: part.base, transaction: self)
            }
        }
        return try TreeReader(readVersion(collection), index: index)
    }

    /// The trees of a collection as the transaction sees them; none where it sees no such collection.
    package func roots(of collection: UInt32) -> [Catalog.TreeEntry] {
        if let part = parts.first(where: { $0.collection.id == collection }) {
            return [Catalog.TreeEntry(index: 0, root: part.primary.root)] + part.indexRoots
        }
        return reading.first { $0.id == collection }?.catalogEntry.trees ?? []
    }

    /// A collection's dictionary as the transaction sees it.
    package func names(_ collection: UInt32) throws(EngineError) -> NameDictionary {
        if let part = parts.first(where: { $0.collection.id == collection }) { return part.names }
        return try readVersion(collection).names
    }

    /// The versions that the transaction began on, written and read.
    package var bases: [CollectionVersion] { parts.map(\.base) + reading }

    private func readVersion(_ collection: UInt32) throws(EngineError) -> CollectionVersion {
        guard let version = reading.first(where: { $0.id == collection }) else {
            throw EngineError(.limit, "collection \(collection) is outside the transaction")
        }
        return version
    }

    /// Calls `body` with the record of `key`; false where there is none.
    package func withRecord(
        _ collection: UInt32, _ key: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Bool {
        guard let reader = try tree(collection, index: 0),
            let word = unsafe try reader.tree.value(of: key)
        else { return false }
        var buffer = InflateBuffer()
        defer { withExtendedLifetime(buffer) {} }
        try unsafe body(reader.record(word, key: key, &buffer))
        return true
    }

    /// A record of the body itself. The view is used before the transaction changes again, so the body stays where it is.
    func bodyRecord(
        _ location: Location, _ buffer: inout InflateBuffer
    ) throws(EngineError) -> UnsafeRawBufferPointer {
        let offset = FrameHeader.size + Int(location.offset)
        guard offset < frame.bytes.count else {
            throw EngineError(.corrupted, "a tree points outside its transaction")
        }
        let bytes = unsafe frame.bytes.withUnsafeBytes {
            unsafe UnsafeRawBufferPointer(rebasing: $0[offset...])
        }
        do throws(LogOperationError) {
            let operation = try unsafe LogOperation.read(bytes, checksSums: false)
            let payload = unsafe UnsafeRawBufferPointer(rebasing: bytes[operation.payloadRange])
            guard operation.isDeflated else { return unsafe payload }
            return unsafe try DeflatedRecord(payload).inflate(
                payload, dictionary: nil, into: &buffer)
        } catch {
            throw EngineError(
                error.isLackOfMemory ? .outOfMemory : .corrupted,
                "a transaction's own record can't be read: \(error.message)")
        }
    }

    // MARK: - Ending

    /// Appends the transaction to the log. `appended` is called once the collections are free for the next writer,
    /// `done` once the commit is as durable as promised and published. If this throws, the transaction isn't in the log
    /// and is rolled back.
    package func commit(
        appended: () -> Void, done: @escaping @Sendable (EngineError?) -> Void
    ) throws(EngineError) {
        guard !isFinished else { throw EngineError(.closed, "the transaction has ended") }
        if frame.operationCount == 0 && staged == nil {
            rollback()
            appended()
            return try engine.commitNothing(done)
        }
        let sequences: Int
        do throws(EngineError) {
            // Its own nodes are in memory by now.
            try engine.files.admit(0, usesReserve: frame.usesReserve)
            if staged != nil
                || FrameHeader.frameLength(body: frame.bodyLength) > log.frameBytesMax
            {
                try stageBody()
                try finishStaging()
            }
            sequences = frame.sequenceCount
            try withReserve { () throws(EngineError) in try append(done) }
        } catch {
            rollback()
            throw error
        }
        appended()
        engine.didAppend(operations: sequences, bytes: frame.bytes.count + (staged?.bytes ?? 0))
    }

    private func append(_ done: @escaping @Sendable (EngineError?) -> Void) throws(EngineError) {
        var versions: [CollectionVersion?] = []
        frame.names = []
        for part in parts where part.names.count > part.base.names.count {
            frame.names.append((part.collection.id, part.names.names))
        }
        try log.append(
            &frame,
            complete: { place, change in
                versions = makeVersions(place, &change)
            }, done: done)
        isFinished = true
        for (index, part) in parts.enumerated() {
            engine.endWrite(part, with: versions[index])
        }
    }

    /// Turns the private trees into versions. Called with the log's lock held.
    private func makeVersions(
        _ place: LogWriter.Place, _ change: inout StateChange
    ) -> [CollectionVersion?] {
        sequences = place.sequences
        let first = place.sequences.lowerBound
        if let staged {
            for file in staged.adopted {
                engine.files.table.setBaseSequence(first, of: file.number)
            }
            change.adopted = staged.adopted.map {
                ($0.number, FileUsage($0, baseSequence: first))
            }
        } else {
            noteReplacedNodes()
            for index in parts.indices where parts[index].bodyLiveBytes != 0 {
                parts[index].live.add(place.frame.file, parts[index].bodyLiveBytes)
            }
        }
        return parts.map { part in
            guard part.isChanged else { return nil }
            if part.isCleared { change.cleared.append(part.collection.id) }
            change.note(part.live, of: part.collection.id)
            if staged == nil {
                part.owner.resolveRelative(
                    file: place.frame.file,
                    base: place.frame.offset + UInt64(FrameHeader.size))
            }
            let version = part.base.with(
                primary: part.primary.root, indexes: part.indexRoots, names: part.names)
            change.versions.append(version)
            return version
        }
    }

    /// Calls `resume` once compaction has caught up with what was written. After the commit only.
    package func whenCaughtUp(_ resume: @escaping @Sendable () -> Void) {
        engine.whenCaughtUp(resume)
    }

    /// Drops everything. Idempotent, also after commit.
    package func rollback() {
        guard !isFinished else { return }
        isFinished = true
        for part in parts {
            part.owner.rollback()
            engine.endWrite(part, with: nil)
        }
        staged?.discard()
        staged = nil
    }

    // MARK: - Helpers

    private func partIndex(_ collection: UInt32) throws(EngineError) -> Int {
        guard !isFinished else { throw EngineError(.closed, "the transaction has ended") }
        guard let index = parts.firstIndex(where: { $0.collection.id == collection }) else {
            throw EngineError(.limit, "collection \(collection) is not written by the transaction")
        }
        return index
    }

    private func indexPosition(
        _ collection: UInt32, _ tree: UInt32
    ) throws(EngineError) -> (part: Int, position: Int) {
        let part = try partIndex(collection)
        guard let position = parts[part].indexes.firstIndex(where: { $0.index == tree }) else {
            throw EngineError(.limit, "collection \(collection) has no index tree \(tree)")
        }
        return (part, position)
    }

    /// Appends a put, deflated where that pays.
    private func appendPut(
        _ collection: UInt32, _ key: UnsafeRawBufferPointer, _ record: UnsafeRawBufferPointer
    ) throws(EngineError) -> (word: UInt64, length: Int64) {
        guard record.count > Limits.plainRecordBytesMax,
            let payload = unsafe DeflatedRecord.payload(record)
        else { return unsafe try append(.put, collection, key, record) }
        return try unsafe payload.withBytes { bytes throws(EngineError) in
            try unsafe append(.put, collection, key, bytes, isDeflated: true)
        }
    }

    /// Appends an operation to the body; the word that stands for its place, and what it takes.
    private func append(
        _ kind: LogOperation.Kind, _ collection: UInt32, _ key: UnsafeRawBufferPointer,
        _ payload: UnsafeRawBufferPointer, isDeflated: Bool = false
    ) throws(EngineError) -> (word: UInt64, length: Int64) {
        let bodyLength = frame.bytes.count - FrameHeader.size
        if bodyLength > engine.options.stagedTransactionBytes { try stageBody() }
        let offset = frame.bytes.count - FrameHeader.size
        unsafe LogOperation.append(
            kind, collection: collection, key: key, payload: payload, isDeflated: isDeflated,
            to: &frame.bytes)
        frame.operationCount += 1
        frame.sequenceCount += 1
        let length = frame.bytes.count - FrameHeader.size - offset
        return (UInt64(offset >> 3) << 1 | 1, Int64(length))
    }

    /// The record that a part's tree led to was replaced or removed.
    private func noteDead(_ word: UInt64, _ part: Int) {
        let location = Location(word: word)
        if location.tag {
            let offset = FrameHeader.size + Int(location.offset)
            let sizes = unsafe frame.bytes.withUnsafeBytes {
                unsafe EntrySizes(of: UnsafeRawBufferPointer(rebasing: $0.dropFirst(offset)))
            }
            parts[part].bodyLiveBytes -= sizes.entry
            parts[part].primary.root.bytes &-= sizes.record
            return
        }
        let sizes = RecordAccess.sizes(at: location, in: engine.files)
        parts[part].primary.root.bytes &-= sizes.record
        note(location.file, -sizes.entry, part)
    }

    /// A part uses so much more of a file.
    private func note(_ file: FileNumber, _ bytes: Int64, _ part: Int) {
        if staged?.note(file, parts[part].collection.id, bytes) == true { return }
        parts[part].live.add(file, bytes)
    }

    /// Counts the stored nodes that the trees no longer lead to.
    private func noteReplacedNodes() {
        for index in parts.indices {
            for (file, bytes) in parts[index].owner.replaced.sums { note(file, bytes, index) }
            parts[index].owner.forgetReplaced()
        }
    }

    /// Moves the body to a staged file, where its records have their final places, and the nodes too once they are many.
    private func stageBody() throws(EngineError) {
        let staging: StagedFiles
        if let staged {
            staging = staged
        } else {
            staging = try StagedFiles(engine: engine, &parts)
        }
        staged = staging
        if frame.operationCount > 0 {
            var live = LiveBytes()
            for part in parts where part.bodyLiveBytes != 0 {
                live.add(part.collection.id, part.bodyLiveBytes)
            }
            let place = try withReserve { () throws(EngineError) in
                try staging.append(&frame, live: live)
            }
            for index in parts.indices { parts[index].bodyLiveBytes = 0 }
            for part in parts {
                part.owner.resolveRelative(
                    file: place.file, base: place.offset + UInt64(FrameHeader.size))
            }
            frame.bytes.removeLast(frame.bytes.count - FrameHeader.size)
            frame.operationCount = 0
        }
        let pages = parts.reduce(0) { unsafe $0 + $1.owner.created.count }
        if pages * NodeLayout.pageSize > engine.options.stagedNodeBytes {
            try withReserve { () throws(EngineError) in try staging.spill(&parts) }
        }
    }

    /// Runs `body`, if need be with what is kept back on the disk for those that may use it.
    private func withReserve<Result>(
        _ body: () throws(EngineError) -> Result
    ) throws(EngineError) -> Result {
        frame.usesReserve ? try engine.files.reserve.use(body) : try body()
    }

    /// Makes the staged files durable and turns the frame into the one that adopts them.
    private func finishStaging() throws(EngineError) {
        guard let staged else { return }
        try withReserve { () throws(EngineError) in try staged.spill(&parts) }
        try staged.finish()
        noteReplacedNodes()
        var adoption = Adoption()
        adoption.files = staged.adopted
        for part in parts {
            for (file, bytes) in part.live.sums where bytes < 0 {
                adoption.dead.append(
                    Adoption.Dead(file: file, collection: part.collection.id, bytes: -bytes))
            }
        }
        adoption.collections = parts.filter(\.isChanged).map { part in
            Adoption.Collection(
                id: part.collection.id, isCleared: part.isCleared,
                names: Array(part.names.names[part.base.names.count...]),
                trees: [Catalog.TreeEntry(index: 0, root: part.primary.root)] + part.indexRoots)
        }
        frame.kind = .adoption
        frame.bytes.append(contentsOf: adoption.encoded())
        frame.operationCount = staged.operationCount
    }
}

extension TransactionPart {
    /// The index trees as they are now.
    var indexRoots: [Catalog.TreeEntry] {
        indexes.map { Catalog.TreeEntry(index: $0.index, root: $0.tree.root) }
    }
}

extension FileUsage {
    /// A staged file that an adoption brings in.
    init(_ file: Adoption.File, baseSequence: UInt64) {
        self.init(
            kind: file.kind, isStaged: true, length: file.length, live: file.live,
            baseSequence: baseSequence)
    }
}
