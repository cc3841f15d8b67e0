// What a store knows of a collection that is written: its latest appended state, and whether somebody writes it.
package import OfflineBytes

/// The write side of one collection.
///
/// Lock order: this lock, then the log's, then the engine's state lock.
package final class EngineCollection: Sendable {
    package struct State {
        /// The base of the next writer: everything appended to the log, published or not.
        package var appended: CollectionVersion
        package var isWritten = false
        /// What is to be done once the write that goes on has ended.
        var deferred: [@Sendable (inout State) -> Void] = []
    }

    package let id: UInt32
    package let state: Protected<State>

    package init(_ version: CollectionVersion) {
        id = version.id
        state = Protected(State(appended: version))
    }

    /// Calls `body` with the lock held while nobody writes the collection: now, or by whoever ends the write.
    func whenUnwritten(_ body: @escaping @Sendable (inout State) -> Void) {
        state.withLock { state in
            if state.isWritten { state.deferred.append(body) } else { body(&state) }
        }
    }
}
