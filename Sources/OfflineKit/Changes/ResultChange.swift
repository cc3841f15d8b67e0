// What `observeChanges` gives: steps from one result to the next, and how to take them.
public import OfflineDocuments

/// One step from a query's result to its next one. Each index refers to the list as the steps before it left it.
public enum ResultChange: Sendable, Hashable {
    /// The document is new.
    case insert(Document, at: Int)
    /// The document, as it was, is there no more.
    case remove(Document, at: Int)
    /// The record at this place is as the document says now.
    case update(Document, at: Int)
    /// The document, as it is now, was at `from` and is, once taken out there, at `to`.
    case move(Document, from: Int, to: Int)
}

extension Array where Element == Document {
    /// Takes the steps that `observeChanges` gave: from the previous result to the next.
    ///
    /// ```swift
    /// var users: [Document] = []
    /// for try await changes in store.observeChanges("users") { users.apply(changes) }
    /// ```
    ///
    /// A step whose place the list doesn't have is passed over; the list wasn't the previous result then.
    public mutating func apply(_ changes: [ResultChange]) {
        for change in changes {
            switch change {
            case .insert(let document, let index):
                if index >= 0, index <= count { insert(document, at: index) }
            case .remove(_, let index):
                if indices.contains(index) { remove(at: index) }
            case .update(let document, let index):
                if indices.contains(index) { self[index] = document }
            case .move(let document, let from, let to):
                guard indices.contains(from), indices.contains(to) else { continue }
                remove(at: from)
                insert(document, at: to)
            }
        }
    }
}
