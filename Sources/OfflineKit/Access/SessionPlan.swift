// What a session is told of a plan. The planner's figures count records that the session can't see, and indexes of what is hidden
// from it tell how many records have what: so where a session doesn't see all records, it gets the figures of those that
// it sees, which it could count itself, and no reasons.
internal import OfflineDocuments

extension ReadView {
    /// The plan of the query, as the session may see it.
    func concealed(_ plan: QueryPlan, of name: String, _ query: Query) throws -> QueryPlan {
        var plan = plan
        let collection = try collection(name)
        if let reading = try reading(collection) {
            for index in collection.indexes where index.paths.contains(where: reading.mayHide) {
                plan.rejected[index.name] = nil
            }
        }
        guard try isLimited(collection, query) else { return plan }
        let all = Query(filters: query.filters, collation: query.collation)
        plan.estimatedRecords = try PreparedQuery(QueryEngine(self), name, all).makeRun().count()
        plan.isExact = true
        plan.rejected = plan.rejected.mapValues { _ in "another way costs less" }
        (plan.examinedEntries, plan.examinedRecords) = (nil, nil)
        return plan
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
