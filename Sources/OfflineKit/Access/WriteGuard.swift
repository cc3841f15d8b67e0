// What a session may write in one collection, asked record by record while a statement is prepared: so a statement that is refused
// has changed nothing.
//
// - A record is changed or removed if it is in reach of that operation, before and, where there is one, after. A record that isn't,
//   and that the session can't read either, isn't there: not found. One that it can read is `.accessDenied`.
// - What is hidden of a record from the session's reading, or from the change, stays as it is; and nothing is created there.
// - No write shows the session more of what is stored: a record that it can't read stays so, and what is hidden stays hidden.
// - What is refused because of records out of reach is refused in the same words as what the policy forbids (`refused`), and
//   names no key: whether there is such a record isn't told.
internal import OfflineBytes
internal import OfflineDocuments

/// Checks what a session writes in one collection.
struct WriteGuard {
    private let access: CollectionAccess
    private let collection: CollectionState

    /// Nil where there is nothing to check. `.accessDenied` where none of the operations is granted.
    init?(
        _ session: SessionAccess?, in collection: CollectionState,
        _ operations: AccessPolicy.Operation...
    ) throws(OfflineError) {
        guard let access = session?.collection(collection.name) else { return nil }
        self.access = access
        self.collection = collection
        if let first = operations.first, operations.allSatisfy({ access[$0] == nil }) {
            _ = try access.granted(first)
        }
    }

    /// The one error for all that a policy forbids and for all that meets what the session can't see.
    static func refused(_ collection: String) -> OfflineError {
        OfflineError(
            .accessDenied, "the policy doesn't allow the session this change",
            collection: collection)
    }
    private var refused: OfflineError { Self.refused(collection.name) }

    // MARK: Records

    /// What is hidden of a record from one operation; nil where it isn't in reach of it.
    @unsafe
    private func hiding(
        _ operation: AccessPolicy.Operation, in record: RecordView
    ) -> HiddenFields? {
        guard let operation = access[operation] else { return nil }
        var reach = unsafe RecordReach(operation, in: record.names)
        return unsafe reach.hidden(in: record)
    }

    /// What a change of the record must leave as it is; nil where the session may not change it.
    @unsafe
    private func kept(in record: RecordView) -> HiddenFields? {
        guard let hidden = unsafe hiding(.update, in: record) else { return nil }
        return unsafe hidden.union(unreadable(in: record))
    }

    /// What the session can't read of a record; where it can't read the record, what it can't read of any.
    @unsafe
    private func unreadable(in record: RecordView) -> HiddenFields {
        unsafe hiding(.read, in: record) ?? access[.read]?.neverShown ?? .none
    }

    /// Calls `body` with the stored record; nil where there is none.
    private func withStored<Result>(
        _ key: [UInt8], _ statement: WriteStatement, _ body: (RecordView) throws -> Result
    ) throws -> Result? {
        try unsafe statement.adapter.withRecord(
            of: collection, key: key, names: statement.names.dictionary, body)
    }

    /// Calls `body` with the record that the statement puts last.
    private func withLast<Result>(
        _ statement: WriteStatement, _ body: (RecordView) -> Result
    ) throws -> Result? {
        try statement.puts.last.map { put in try unsafe statement.withOpened(put, body) }
    }

    // MARK: Creating

    /// The error for a key that is there already.
    func taken(_ key: [UInt8], _ statement: WriteStatement, _ known: OfflineError) throws
        -> OfflineError
    {
        let isSeen = try unsafe withStored(key, statement) { unsafe hiding(.read, in: $0) != nil }
        return isSeen == true ? known : refused
    }

    /// Checks the record that the statement creates last.
    func checkCreated(_ statement: WriteStatement) throws {
        let isAllowed = try unsafe withLast(statement) { record in
            guard let granted = unsafe hiding(.create, in: record) else { return false }
            let hidden = unsafe granted.union(unreadable(in: record))
            return unsafe hidden.isEmpty || hidden.areMissing(in: Document(copying: record))
        }
        if isAllowed != true { throw refused }
    }

    // MARK: Changing

    /// A change of one record, as it is to be made.
    struct Change {
        let document: Document
        let mode: UpdateMode
        /// The record before.
        fileprivate let old: Document
        /// What is hidden of that from reading; nil where the session can't read it.
        let hiddenBefore: HiddenFields?
        /// All of it is the session's own: nothing of the record before is left.
        let isWhole: Bool
    }

    /// The change with what it must leave as it is; nil where there is no such record for the session, or, with `creates`, none at
    /// all.
    func change(
        _ document: Document, _ mode: UpdateMode, key: [UInt8], creates: Bool = false,
        _ statement: WriteStatement
    ) throws -> Change? {
        let found = try unsafe withStored(key, statement) { record in
            unsafe (
                old: Document(copying: record), kept: kept(in: record),
                hidden: hiding(.read, in: record)
            )
        }
        guard let found else { return nil }
        guard let kept = found.kept else {
            if found.hidden != nil || creates { throw refused }
            return nil
        }
        if kept.isEmpty {
            return Change(
                document: document, mode: mode, old: found.old, hiddenBefore: found.hidden,
                isWhole: mode == .replace)
        }
        let wanted =
            mode == .replace
            ? document : DocumentMerge.merge(document, into: kept.masked(found.old))
        guard let restored = kept.restored(wanted, from: found.old) else { throw refused }
        return Change(
            document: restored, mode: .replace, old: found.old, hiddenBefore: found.hidden,
            isWhole: false)
    }

    /// Checks the record that the statement changed last.
    func checkChanged(_ change: Change, _ statement: WriteStatement) throws {
        let isAllowed = try unsafe withLast(statement) { record in
            guard let kept = unsafe kept(in: record),
                unsafe !showsMore(of: record, than: change.hiddenBefore)
            else { return false }
            return unsafe kept.isEmpty
                || kept.areSame(in: Document(copying: record), as: change.old)
        }
        if isAllowed != true { throw refused }
    }

    /// Whether the session reads more of a record than before it was changed.
    @unsafe
    private func showsMore(of record: RecordView, than before: HiddenFields?) -> Bool {
        guard let after = unsafe hiding(.read, in: record) else { return false }
        return before.map { !after.hides($0) } ?? true
    }

    // MARK: Removing

    /// Whether there is such a record for the session to remove.
    func mayRemove(_ key: [UInt8], _ statement: WriteStatement) throws -> Bool {
        let found = try unsafe withStored(key, statement) { record in
            unsafe (
                isRemovable: hiding(.delete, in: record) != nil,
                isSeen: hiding(.read, in: record) != nil
            )
        }
        guard let found else { return false }
        if found.isSeen, !found.isRemovable { throw refused }
        return found.isRemovable
    }

    /// Whether a delete rule may remove the record.
    func reachesByRule(_ key: [UInt8], _ statement: WriteStatement) throws -> Bool {
        try unsafe withStored(key, statement) { unsafe hiding(.delete, in: $0) != nil } ?? false
    }

    /// Lets a delete rule take references out of the record; false where the session may not.
    func nullifies(
        _ key: [UInt8], to document: Document, _ statement: inout WriteStatement
    ) throws -> Bool {
        let found = try unsafe withStored(key, statement) { record in
            unsafe (
                old: Document(copying: record), kept: kept(in: record),
                hidden: hiding(.read, in: record)
            )
        }
        guard let found, let kept = found.kept, kept.areSame(in: document, as: found.old) else {
            return false
        }
        do {
            _ = try statement.replace(document, key: key)
        } catch let error as OfflineError where error.code == .validationFailed {
            return false
        }
        return try unsafe withLast(statement) { record in
            unsafe !showsMore(of: record, than: found.hidden)
                && self.kept(in: record)?.areSame(in: document, as: found.old) == true
        } == true
    }

    /// Whether everything may be removed at once.
    func checkClear() throws(OfflineError) {
        if try !access.granted(.delete).reachesAll { throw refused }
    }

    // MARK: Telling

    /// The records that a statement puts, as the session may see them: of one that it may not read, the key.
    func shown(_ statement: WriteStatement) throws -> [Document] {
        try statement.puts.map { put in
            try unsafe statement.withOpened(put) { record in
                let stored = unsafe Document(copying: record)
                let document = collection.sealing?.shown(stored) ?? stored
                guard let hidden = unsafe hiding(.read, in: record) else {
                    return FieldSelection(collection.keyPaths).select(from: document)
                }
                return hidden.masked(document)
            }
        }
    }

    /// The error for a change that the collection's schema forbids. Why it does is told only where that follows from what the session
    /// has written, or can read.
    func told(_ error: any Error, _ failure: SchemaFailure?, _ change: Change) -> any Error {
        guard (error as? OfflineError)?.code == .validationFailed, !change.isWhole else {
            return error
        }
        guard let hidden = change.hiddenBefore else { return refused }
        if hidden.isEmpty { return error }
        guard let failure, failure.isPlain, !failure.path.isEmpty,
            !hidden.touches(failure.names)
        else { return refused }
        return error
    }

    /// The error for a record with the values of another one in a unique index: that has a key only where the session sees it, and
    /// where the index is of what the session may not know nothing is told.
    func violation(
        of index: IndexState, by otherKey: [UInt8], _ statement: WriteStatement
    ) throws -> OfflineError {
        let asked = index.paths + (index.condition?.paths ?? [])
        if let reading = access[.read], asked.contains(where: reading.mayHide) { return refused }
        let isOurs = statement.puts.contains { $0.key == otherKey }
        let isSeen = try unsafe withStored(otherKey, statement) { record in
            unsafe hiding(.read, in: record) != nil
        }
        if isOurs || isSeen == true {
            return UniqueCheck.violation(of: index, in: collection, by: otherKey)
        }
        return OfflineError(
            .uniqueViolation,
            "the index \"\(index.name)\" is unique, and another record has the same value",
            collection: collection.name)
    }
}
