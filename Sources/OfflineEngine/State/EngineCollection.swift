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
        /// A checkpoint wrote nodes up to this node segment while a writer was active: whoever ends the write re-points the
        /// trees.
        package var swapThrough: FileNumber?
    }

    package let id: UInt32
    package let state: Protected<State>

    package init(_ version: CollectionVersion) {
        id = version.id
        state = Protected(State(appended: version))
    }
}
