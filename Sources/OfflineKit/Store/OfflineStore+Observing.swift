// Live queries, as callers have them: streams that are pulled, so that the consumer sets the pace. All else is LiveQuery's.
internal import OfflineBytes
public import OfflineDocuments

extension OfflineStore {
    /// The query's results now and after each commit that alters them.
    ///
    /// ```swift
    /// for try await open in store.observe("tasks", Query(filters: ["done": false])) {
    ///     show(open)
    /// }
    /// ```
    ///
    /// A result comes only where it differs from the one that came last; who takes time over one gets the newest next, not
    /// all that were in between. Commits since the call are in the first result. It ends when its task is cancelled, and when
    /// the store is closed; dropping it costs nothing more. After an error, which may be that of a wrong query and then comes with the
    /// first result asked for, nothing follows. On a read-only store results change with `refresh()`.
    ///
    /// **Optimistic updates.** Writes take as long as a disk takes. To show one at once, show the change, write, and take it
    /// back where the write throws; the commit's own result then confirms it.
    ///
    /// ```swift
    /// func finish(_ task: Document) async {
    ///     var finished = task
    ///     finished["done"] = true
    ///     overrides[id] = finished                    // shown instead of the observed record
    ///     do {
    ///         try await store.update("tasks", finished)
    ///     } catch {
    ///         message = "Not saved: \(error)"         // the observed record is as it was
    ///     }
    ///     overrides[id] = nil                         // what is observed counts again
    /// }
    /// ```
    public func observe(
        _ collection: String, _ query: Query = Query()
    ) -> AsyncThrowingStream<[Document], any Error> {
        live(collection, query) { step in step.after.map(\.document) }
    }

    /// The same as differences: applied to the previous result they give the next. The first ones insert the first result.
    ///
    /// ```swift
    /// var tasks: [Document] = []
    /// for try await changes in store.observeChanges("tasks", Query(sort: [.ascending("due")])) {
    ///     tasks.apply(changes)
    ///     list.animate(changes)
    /// }
    /// ```
    ///
    /// The steps are few: a record that moves is one step, and one more if it has changed. Otherwise as `observe`.
    public func observeChanges(
        _ collection: String, _ query: Query = Query()
    ) -> AsyncThrowingStream<[ResultChange], any Error> {
        live(collection, query) { step in
            ListDifference.changes(from: step.before, to: step.after)
        }
    }

    /// A stream of what `transform` makes of the query's results; where it throws, the stream ends.
    func live<Element>(
        _ collection: String, _ query: Query, as access: SessionAccess? = nil,
        _ transform: @escaping @Sendable (LiveQuery.Step) throws -> Element
    ) -> AsyncThrowingStream<Element, any Error> {
        let handle = LiveQueryHandle(liveQuery(collection, query, as: access))
        return AsyncThrowingStream {
            do {
                return try await handle.query.next().map(transform)
            } catch {
                handle.query.end()
                throw access?.concealed(error) ?? error
            }
        }
    }

    /// A live query of the store as it is open now.
    func liveQuery(
        _ collection: String, _ query: Query, as access: SessionAccess? = nil
    ) -> LiveQuery {
        let opened = Result { try core().liveQueries }
        return LiveQuery(collection, query, as: access) { [current] in
            let queries = try opened.get()
            // A refresh leaves them, closing doesn't.
            return current.withLock { core in core?.liveQueries === queries ? core : nil }
        }
    }
}
