// All live queries of a store, by the collections whose records they show. A commit's records are validated here, once each,
// and every query of the collection is asked about each in place. A query hears of a commit as a whole: it shows nothing
// until all of it was looked at.
internal import OfflineBytes
import OfflineDocuments

/// Tells live queries what was committed. It observes the hub while there are queries.
final class LiveQueries: CommitObserver {
    let hub: CommitHub
    private typealias Group = [ObjectIdentifier: LiveQuery]
    private struct State {
        var groups: [CollectionID: Group] = [:]
        var isClosed = false

        var all: [LiveQuery] { groups.values.flatMap { $0.values } }
    }
    private let state = Protected(State())

    init(_ hub: CommitHub) { self.hub = hub }

    /// Registers a query; false: the store is closed.
    func add(_ query: LiveQuery, _ reach: Set<CollectionID>) -> Bool {
        state.withLock { state in
            if state.isClosed || state.groups.isEmpty && !hub.add(self) { return false }
            for id in reach { state.groups[id, default: [:]][ObjectIdentifier(query)] = query }
            return true
        }
    }

    func remove(_ query: LiveQuery, _ reach: Set<CollectionID>) {
        state.withLock { state in
            let wasEmpty = state.groups.isEmpty
            for id in reach {
                state.groups[id]?[ObjectIdentifier(query)] = nil
                if state.groups[id]?.isEmpty == true { state.groups[id] = nil }
            }
            if state.groups.isEmpty, !wasEmpty { hub.remove(self) }
        }
    }

    /// How many queries are registered.
    var count: Int { Set(state.withLock { $0.all }.map { ObjectIdentifier($0) }).count }

    // MARK: The hub's queue

    func committed(_ commit: Commit) {
        var concerned: [LiveQuery] = []
        for (id, changes) in commit.collections {
            guard let queries = state.withLock({ $0.groups[id] }) else { continue }
            var pass = MatchPass(
                sequences: commit.sequences, names: changes.names.dictionary)
            do {
                try ask(queries, about: changes, &pass, &concerned)
            } catch {
                // Whoever reads the records meets what is wrong with them, and can say where.
                for query in queries.values where query.considerUnknown(pass) {
                    concerned.append(query)
                }
            }
        }
        for query in concerned { query.finishCommit(commit.sequences) }
    }

    private func ask(
        _ queries: Group, about changes: CommittedChanges,
        _ pass: inout MatchPass, _ concerned: inout [LiveQuery]
    ) throws {
        guard let records = changes.records, changes.clearing == nil else {
            for query in queries.values where query.considerUnknown(pass) {
                concerned.append(query)
            }
            return
        }
        for change in records {
            pass.document = nil
            guard let record = change.record else {
                for query in queries.values where unsafe query.consider(change, nil, &pass) {
                    concerned.append(query)
                }
                continue
            }
            try unsafe StorageAdapter.read(record.span.bytes, pass.names) { view in
                for query in queries.values where unsafe query.consider(change, view, &pass) {
                    concerned.append(query)
                }
            }
        }
    }

    func everythingChanged() {
        for query in state.withLock({ $0.all }) { query.readAgain() }
    }

    func storeClosed() {
        let queries = state.withLock { state in
            state.isClosed = true
            return state.all
        }
        for query in queries { query.end() }
    }
}
