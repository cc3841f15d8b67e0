// What a session is told of a plan. The planner counts records that the session can't see, and chooses by that; and indexes of what is
// hidden from it tell how many records have what. So where a session doesn't see all records, or not in all of them what the query
// names, it gets the plan of a store that has only those in which it does (VisibleReader), with figures that it could count itself,
// and no reasons. A run may go another way, which changes its time only.
internal import OfflineDocuments

extension ReadView {
    /// How the query runs, or with `analyze` has run, as the session may know it.
    func sessionPlan(_ name: String, _ query: Query, analyze: Bool) throws -> QueryPlan {
        let collection = try collection(name)
        // What is refused is refused before anything is read.
        let prepared = try PreparedQuery(QueryEngine(self), name, query)
        let isLimited = prepared.isLimited
        var plan =
            isLimited
            ? try QueryEngine(ofVisible(collection, showing: prepared.named))
                .explain(name, query, analyze: false)
            : try QueryEngine(self).explain(name, query, analyze: analyze)
        let mayHide = try mayHide(collection)
        for index in collection.indexes where index.paths.contains(where: mayHide) {
            plan.rejected[index.name] = nil
        }
        guard isLimited else { return plan }
        let all = Query(filters: query.filters, sort: query.sort, collation: query.collation)
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
}
