// A batch of the backend with all that belongs to it while it is open: the locks on its
// collections, the writer, the view that shows what it has written.

/// An open batch. Whoever has it ends it, by StoreCore's `commit` or `rollback`.
struct OpenBatch: Sendable {
    let batch: any BackendBatch
    let scope: BatchScope
    let hold: LockHold
    /// Shows what is written so far.
    let view: ReadView
    var writer: RecordWriter

    init(
        _ batch: any BackendBatch, _ scope: BatchScope, _ hold: LockHold, _ schema: SchemaState,
        _ uuids: UUIDGenerator, _ access: SessionAccess?
    ) {
        self.batch = batch
        self.scope = scope
        self.hold = hold
        view = ReadView(batch: batch, schema: schema, scope: scope, access: access)
        writer = RecordWriter(batch, scope, schema, uuids, for: access)
    }
}
