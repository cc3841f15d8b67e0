// What a session is told of a plan. The planner counts records that the session can't see, and chooses by that; and indexes of what is
// hidden from it tell how many records have what. So where a session doesn't see all records, it gets the plan of a store that has
// only those that it sees (VisibleReader), with figures that it could count itself, and no reasons. A run may go another way, which
// changes its time only.
internal import OfflineDocuments

extension ReadView {
    /// How the query runs, or with `analyze` has run, as the session may know it.
    func sessionPlan(_ name: String, _ query: Query, analyze: Bool) throws -> QueryPlan {
        let collection = try collection(name)
        // What is refused is refused before anything is read.
        let prepared = try PreparedQuery(QueryEngine(self), name, query)
        let isLimited = try isLimited(collection, query)
        var plan =
            isLimited
            ? try QueryEngine(ofVisible).explain(name, query, analyze: false)
            : try QueryEngine(self).explain(name, query, analyze: analyze)
        let mayHide = try mayHide(collection)
        for index in collection.indexes where index.paths.contains(where: mayHide) {
            plan.rejected[index.name] = nil
        }
        guard isLimited else { return plan }
        let all = Query(filters: query.filters, collation: query.collation)
        plan.estimatedRecords = try PreparedQuery(QueryEngine(self), name, all).makeRun().count()
        plan.isExact = true
        plan.rejected = plan.rejected.mapValues { _ in "another way costs less, or it can't serve" }
        plan.returnedRecords = analyze ? try prepared.run().documents.count : nil
        return plan
    }

    /// Whether anything at a path is hidden from the session.
    private func mayHide(_ collection: CollectionState) throws -> (FieldPath) -> Bool {
        guard let reading = try reading(collection) else { return { _ in false } }
        return reading.mayHide
    }

    /// Whether there may be records out of reach in a collection that the query reads.
    private func isLimited(_ collection: CollectionState, _ query: Query) throws -> Bool {
        var reached = [collection]
        for include in query.include {
            var current = collection
            for name in include.path.split(separator: ".") {
                current = try self.collection(
                    current.relationship(String(name)).collection)
                reached.append(current)
            }
        }
        return try reached.contains { try reading($0)?.reachesAll == false }
    }
}
