// Reads of what the bulk insert stored. Keys and bounds are drawn uniformly, the same for every store.

struct ReadWorkloads {
    let dataset: Dataset
    let scale: Double

    private static let sliceCount = 10

    var twoFields: Workload {
        keyed("get-two", "get by key, two fields read") { try await $0.readTwoFields($1) }
    }

    var allFields: Workload {
        keyed("get-all", "get by key, all fields read") { try await $0.readAll($1) }
    }

    var range: Workload {
        workload("range", "index range, 50 documents in order, all fields read", scale.times(100)) {
            Double.random(in: 0..<950, using: &$0)
        } run: {
            try await $0.readRanges(from: $1, limit: 50)
        }
    }

    /// Two fifths of all.
    var count: Workload {
        workload("count", "count of an index range of 40 %", scale.times(20)) {
            let first = Double.random(in: 0..<600, using: &$0)
            return first..<(first + 400)
        } run: {
            try await $0.countRanges($1)
        }
    }

    /// After nine tenths of all.
    var page: Workload {
        let deepest = dataset.count * 9 / 10
        return workload("page", "page of 10 at an offset of 90 %, by an index", scale.times(10)) {
            deepest - Int.random(in: 0..<100, using: &$0)
        } run: {
            try await $0.readPages(at: $1.map { max(0, $0) }, limit: 10)
        }
    }

    var filter: Workload {
        workload("filter", "role == X && age > Y, by name, limit 10", scale.times(2)) {
            RoleQuery(
                role: Dataset.roles[Int.random(in: 0..<Dataset.roles.count, using: &$0)],
                olderThan: Int.random(in: 30...60, using: &$0))
        } run: {
            try await $0.readFiltered($1)
        }
    }

    /// An operation is one document looked at.
    var scan: Workload {
        let dataset = dataset
        let amount = scale.times(1)
        return Workload(
            id: "scan", title: "count by an un-indexed field, a document", sliceCount: 4
        ) {
            slice in
            var random = dataset.generator(workload: "scan", slice: slice)
            let moments = (0..<amount).map { _ in
                Dataset.firstDay + Int.random(in: 0..<Dataset.period, using: &random)
            }
            return Slice(operations: dataset.count * amount) {
                try await $0.countScanned(createdAfter: moments)
            }
        }
    }

    private func keyed(
        _ id: String, _ title: String,
        _ run: @escaping (any Candidate, [String]) async throws -> Digest
    ) -> Workload {
        let dataset = dataset
        return workload(id, title, scale.times(5_000)) {
            dataset.key(Int.random(in: 0..<dataset.count, using: &$0))
        } run: {
            try await run($0, $1)
        }
    }

    /// `amount` questions a slice, each drawn by `draw`.
    private func workload<Question>(
        _ id: String, _ title: String, _ amount: Int,
        draw: @escaping (inout SeededGenerator) -> Question,
        run: @escaping (any Candidate, [Question]) async throws -> Digest
    ) -> Workload {
        let dataset = dataset
        return Workload(id: id, title: title, sliceCount: ReadWorkloads.sliceCount) { slice in
            var random = dataset.generator(workload: id, slice: slice)
            let questions = (0..<amount).map { _ in draw(&random) }
            return Slice(operations: amount) { try await run($0, questions) }
        }
    }
}
