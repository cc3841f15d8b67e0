// Readers and cursors over the engine: a snapshot's, and what batches share with them.
internal import OfflineBytes
internal import OfflineEngine

/// A snapshot of the engine's published state.
final class LogReader: LogTrees {
    /// A state that is read for a moment costs nothing to look at; one that is kept is moved by checkpoints.
    private enum Source {
        case passing(StoreState)
        case kept(HeldState)
    }
    private let source: Source
    private let engine: Engine?
    let storedVersion: UInt64
    let nextSequence: UInt64

    /// Over a published state, or, without an engine, over one that isn't published yet.
    init(_ state: StoreState, of engine: Engine? = nil) {
        source = .passing(state)
        self.engine = engine
        storedVersion = state.applicationVersion
        nextSequence = state.nextSequence
    }

    private init(kept state: HeldState, like reader: LogReader) {
        source = .kept(state)
        engine = nil
        storedVersion = reader.storedVersion
        nextSequence = reader.nextSequence
    }

    func kept() -> any BackendReader {
        guard case .passing(let state) = source, let engine else { return self }
        let held = HeldState(state)
        engine.hold(held)
        return LogReader(kept: held, like: self)
    }

    private func version(_ collection: CollectionID) -> CollectionVersion? {
        switch source {
        case .passing(let state): state.version(collection.value)
        case .kept(let state): state.version(collection.value)
        }
    }

    func collections() -> [StoredCollection] {
        let state =
            switch source {
            case .passing(let state): state
            case .kept(let state): state.now
            }
        return state.collections.map { StoredCollection($0) }
    }

    func names(of collection: CollectionID) -> [String] { version(collection)?.names.names ?? [] }

    func nameCount(of collection: CollectionID) -> Int { version(collection)?.names.count ?? 0 }

    func withRecord(
        _ collection: CollectionID, key: [UInt8], _ body: (RawSpan) throws -> Void
    ) throws -> Bool {
        guard let version = version(collection) else { return false }
        return try unsafe key.withUnsafeBytes { bytes in
            try unsafe version.withRecord(bytes) { try unsafe body($0.bytes) }
        }
    }

    func roots(of collection: CollectionID) -> [Catalog.TreeEntry] {
        version(collection)?.catalogEntry.trees ?? []
    }

    func reader(_ tree: TreeID) -> TreeReader? {
        version(tree.collection).flatMap { TreeReader($0, index: tree.index) }
    }
}

/// What the trees of a snapshot and of a batch have in common.
protocol LogTrees: BackendReader {
    /// Nil where there is no such tree.
    func reader(_ tree: TreeID) throws -> TreeReader?
    /// The trees of a collection; none where there is no such collection.
    func roots(of collection: CollectionID) -> [Catalog.TreeEntry]
}

extension LogTrees {
    func sequence(of collection: CollectionID, key: [UInt8]) throws -> UInt64? {
        guard let reader = try reader(TreeID(collection)) else { return nil }
        return try unsafe key.withBytes { bytes throws(EngineError) -> UInt64? in
            guard let word = unsafe try reader.tree.value(of: bytes) else { return nil }
            return unsafe try reader.sequence(word, key: bytes)
        }
    }

    func contains(_ tree: TreeID, key: [UInt8]) throws -> Bool {
        guard let found = try reader(tree)?.tree else { return false }
        return try unsafe key.withBytes { try unsafe found.value(of: $0) } != nil
    }

    func firstKey(
        _ tree: TreeID, from key: RawSpan, into buffer: inout [UInt8]
    ) throws -> Bool {
        guard let reader = try reader(tree) else { return false }
        var cursor = reader.tree.cursor()
        _ = try unsafe key.withUnsafeBytes { bytes throws(EngineError) in
            try unsafe cursor.seek(bytes)
        }
        guard cursor.isValid else { return false }
        cursor.copyKey(into: &buffer)
        return true
    }

    func count(_ tree: TreeID, in range: KeyRange) throws -> Int {
        try reader(tree)?.tree.count(from: range.lower, to: range.upper) ?? 0
    }

    func bytes(of collection: CollectionID) throws -> CollectionBytes {
        roots(of: collection).reduce(into: CollectionBytes()) { sum, tree in
            if tree.index == 0 {
                sum.recordBytes += max(0, tree.root.bytes)
            } else {
                sum.indexBytes += max(0, tree.root.bytes)
            }
        }
    }

    func cursor(
        _ tree: TreeID, in range: KeyRange, descending: Bool
    ) throws -> any BackendCursor {
        guard let reader = try reader(tree) else { return EmptyCursor() }
        return try LogCursor(reader, in: range, descending: descending)
    }
}

/// Over a tree that doesn't exist.
private final class EmptyCursor: BackendCursor {
    func next() -> Bool { false }
    func seek(_ key: [UInt8]) -> Bool { false }
    func skip(_ count: Int) {}
    func copyKey(into buffer: inout [UInt8]) { buffer.removeAll() }
    func withRecord(_ body: (RawSpan) throws -> Void) {}
}

/// Walks a range of a tree. How many entries the range has is counted once, in O(log n), so that no step compares keys.
final class LogCursor: BackendCursor {
    private let reader: TreeReader
    private var cursor: TreeCursor
    private let range: KeyRange
    private let descending: Bool
    /// Entries of the range behind the current one.
    private var remaining: Int
    private var isStarted = false
    /// How many entries of the tree are before the range's end; nil: nobody has asked yet.
    private var end: Int?
    private var key: [UInt8] = []
    /// Of records that are deflated; used by one call at a time, which the language checks.
    private var buffer = InflateBuffer()

    init(_ reader: TreeReader, in range: KeyRange, descending: Bool) throws {
        self.reader = reader
        self.range = range
        self.descending = descending
        cursor = reader.tree.cursor()
        remaining = try reader.tree.count(from: range.lower, to: range.upper)
    }

    func next() throws -> Bool {
        guard remaining > 0 else { return false }
        remaining -= 1
        if isStarted {
            _ = descending ? try cursor.previous() : try cursor.next()
        } else {
            isStarted = true
            try start()
        }
        return try checked()
    }

    /// The counts say that there is an entry; only nodes that contradict them have none.
    private func checked() throws -> Bool {
        if cursor.isValid { return true }
        throw OfflineError(.corrupted, "a tree has fewer entries than it counts")
    }

    func skip(_ count: Int) throws {
        guard count > 0 else { return }
        guard count < remaining else {
            remaining = 0
            return
        }
        // One short of the entry before the next: `next` then steps on to it.
        let first = range.lower == nil ? 0 : try reader.tree.count(from: nil, to: range.lower)
        let total = try reader.tree.count(from: range.lower, to: range.upper)
        remaining -= count
        let position = descending ? first + remaining : first + total - remaining - 1
        _ = try cursor.seek(position: position)
        isStarted = true
    }

    func seek(_ key: [UInt8]) throws -> Bool {
        let end = try self.end ?? reader.tree.count(from: nil, to: range.upper)
        self.end = end
        let ahead = try end - reader.tree.rank(of: key)
        // The next entry is at or after the key.
        if ahead >= remaining { return try next() }
        guard ahead > 0 else {
            remaining = 0
            return false
        }
        remaining = ahead - 1
        isStarted = true
        _ = try cursor.seek(key)
        return try checked()
    }

    private func start() throws {
        switch (descending, descending ? range.upper : range.lower) {
        case (false, nil): _ = try cursor.seekToFirst()
        case (true, nil): _ = try cursor.seekToLast()
        case (false, .some(let bound)): _ = try cursor.seek(bound)
        case (true, .some(let bound)): _ = try cursor.seekBefore(bound)
        }
    }

    func copyKey(into buffer: inout [UInt8]) { cursor.copyKey(into: &buffer) }

    func withRecord(_ body: (RawSpan) throws -> Void) throws {
        cursor.copyKey(into: &key)
        let word = cursor.value
        try unsafe key.withUnsafeBytes { bytes in
            try unsafe withRecord(word, bytes, &buffer, body)
        }
    }

    /// Holds the buffer for as long as the record in it is in use.
    private func withRecord(
        _ word: UInt64, _ key: UnsafeRawBufferPointer, _ buffer: inout InflateBuffer,
        _ body: (RawSpan) throws -> Void
    ) throws {
        try unsafe body(reader.record(word, key: key, &buffer).bytes)
    }
}
