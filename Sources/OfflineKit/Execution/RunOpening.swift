// What of a run's records is opened: first what the filter asks, and of a match then what its reader looks at. So a record that doesn't
// match costs no more than its filter needs, and what nobody looks at stays sealed.
internal import OfflineBytes
import OfflineDocuments

/// What of a record its reader looks at.
enum RecordPart {
    case all
    /// What is at, in or above these paths. What else is sealed stays so.
    case paths([FieldPath])

    /// Nothing: keys are enough.
    static let none = RecordPart.paths([])
}

/// Opens the records of one run, where anything of them is sealed. For one thread at a time.
struct RunOpening {
    private let sealing: CollectionSealing
    /// For the filter; nil where it asks no sensitive field.
    private let asking: (opener: FieldOpener, tree: FieldTree)?
    /// For the reader. What the filter needed is open then, in memory that the other one has.
    private let giving: FieldOpener

    /// Nil where the collection has no sensitive field. `asked`: the filter's paths.
    init?(_ collection: CollectionState, asked: [FieldPath]) {
        guard let sealing = collection.sealing else { return nil }
        self.sealing = sealing
        asking = sealing.tree(of: asked).map { (FieldOpener(sealing), $0) }
        giving = FieldOpener(sealing)
    }

    /// The sensitive fields in a part of a record; nil where there are none.
    func fields(of part: RecordPart) -> FieldTree? {
        switch part {
        case .all: sealing.tree
        case .paths(let paths): sealing.tree(of: paths)
        }
    }

    /// Calls `isMatch` with a record, opened as far as the filter needs it, and, where that says so, `give` with it, with `part` opened too.
    /// What `give` returns; true where it isn't called.
    @unsafe
    func read(
        _ record: RecordView, key: [UInt8], _ part: FieldTree?,
        where isMatch: (RecordView) throws -> Bool, _ give: (RecordView) throws -> Bool
    ) throws -> Bool {
        func giveMatch(_ record: RecordView) throws -> Bool {
            guard try unsafe isMatch(record) else { return true }
            return try unsafe open(record, key: key, part, give)
        }
        guard let asking else { return try unsafe giveMatch(record) }
        asking.opener.key = key
        return try unsafe asking.opener.withOpened(
            record, part: asking.tree, isRequired: true, giveMatch)
    }

    /// Calls `body` with a record with `part` opened.
    @unsafe
    func open<Result>(
        _ record: RecordView, key: [UInt8], _ part: FieldTree?,
        _ body: (RecordView) throws -> Result
    ) throws -> Result {
        guard let part else { return try unsafe body(record) }
        giving.key = key
        return try unsafe giving.withOpened(record, part: part, body)
    }
}
